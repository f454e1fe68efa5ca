"""What the compiler made of a loop: the width of the vectors that it computes in, read off the generated assembly."""

from __future__ import annotations

import re

import pytest

# Packed arithmetic on floating-point numbers; moves, shuffles and integers prove nothing.
X86 = re.compile(r"^\s+v?(?:add|sub|mul|div|sqrt|fn?m(?:add|sub)\d+)p[sd]\s.*%(xmm|ymm|zmm)", re.MULTILINE)
ARM = re.compile(r"^\s+f(?:add|sub|mul|div|sqrt|mla|mls)(?:\.(?:2d|4s)\s|\s+v\d+\.(?:2d|4s))", re.MULTILINE)
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


def vector_width(compiled, signature):
    """Bits of the widest vectors that a compiled function computes in for a tuple of Numba types; 0: none.

    Code that comes from the disk cache cannot be read: it is compiled once more.  Of a parallel function only what
    stands outside of its parallel loops is seen: ask about the function that the loop calls.
    """
    import numba

    dispatcher = getattr(compiled, "dispatcher", compiled)
    options = {name: value for name, value in dispatcher.targetoptions.items() if name != "nopython"}
    fresh = numba.njit(**options)(dispatcher.py_func)
    fresh.compile(signature)
    (assembly,) = fresh.inspect_asm().values()
    widths = [BITS[register] for register in X86.findall(assembly)]
    return max(widths, default=128 if ARM.search(assembly) else 0)
