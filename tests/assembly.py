"""What the compiler made of a function: the width of the vectors that it works on, read off the generated assembly."""

from __future__ import annotations

import re

import pytest

REGISTER = r"\s.*%(xmm|ymm|zmm)"
# Packed arithmetic on floating-point numbers; moves and shuffles prove nothing.
FLOATS = (
    re.compile(r"^\s+v?(?:add|sub|mul|div|sqrt|fn?m(?:add|sub)\d+)p[sd]" + REGISTER, re.MULTILINE),
    re.compile(r"^\s+f(?:add|sub|mul|div|sqrt|mla|mls)(?:\.(?:2d|4s)\s|\s+v\d+\.(?:2d|4s))", re.MULTILINE),
)
# On bits and whole numbers: the compiler may take the instruction that is named after floats.
INTEGERS = (
    re.compile(
        r"^\s+v?(?:p(?:andn?|x?or|add|sub|ternlog|sr[al]|sll|popcnt)[bwdq]*|(?:andn?|x?or)p[sd])" + REGISTER,
        re.MULTILINE,
    ),
    re.compile(r"^\s+(?:and|orr|eor|add|sub|bic|cnt)(?:\.(?:2d|4s|8h|16b)\s|\s+v\d+\.(?:2d|4s|8h|16b))", re.MULTILINE),
)
COMPARISONS = (
    re.compile(r"^\s+v?cmp\w*p[sd]" + REGISTER, re.MULTILINE),
    re.compile(r"^\s+f(?:cmg[te]|cmeq)(?:\.(?:2d|4s)\s|\s+v\d+\.(?:2d|4s))", re.MULTILINE),
)
BITS = {"xmm": 128, "ymm": 256, "zmm": 512}


def host_width():
    """Bits of this machine's vectors; where there are none, or we do not know them, the test is skipped.

    With AVX-512 LLVM still prefers 256 bits on many processors: that is what can be counted on.
    """
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    if features.get("avx2"):
        return 256
    if features.get("sse2") or features.get("neon"):
        return 128
    pytest.skip(f"no vector instructions known on {binding.get_host_cpu_name()}")


def assembly(compiled, signature):
    """The assembly of a compiled function for a tuple of Numba types.

    Code that comes from the disk cache cannot be read: it is compiled once more.  Of a parallel function only what
    stands outside of its parallel loops is seen: ask about the function that the loop calls.
    """
    import numba

    dispatcher = getattr(compiled, "dispatcher", compiled)
    options = {name: value for name, value in dispatcher.targetoptions.items() if name != "nopython"}
    fresh = numba.njit(**options)(dispatcher.py_func)
    fresh.compile(signature)
    (text,) = fresh.inspect_asm().values()
    return text


def vector_width(compiled, signature, instructions=FLOATS):
    """Bits of the widest vectors that a compiled function works on with such instructions; 0: none."""
    x86, arm = instructions
    text = assembly(compiled, signature)
    return max((BITS[register] for register in x86.findall(text)), default=128 if arm.search(text) else 0)
