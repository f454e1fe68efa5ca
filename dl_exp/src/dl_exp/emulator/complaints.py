"""What a C++ compiler says of a kernel, in the words of the kernel's own language."""

from __future__ import annotations

import re

from dl_exp.kernel import Language

FIRST_HEADER_LINE = 1_000_000
ERROR = re.compile(r"^(body|header):(\d+):\d+: (?:fatal )?error: (.*)$", re.MULTILINE)
PLACE = re.compile(r"^(body|header):(\d+):", re.MULTILINE)  # of a call that led into the emulator's own headers
ELSEWHERE = re.compile(r"^.*?\berror: (.*)$", re.MULTILINE)
ALIASES = re.compile(r" (?:\{aka '[^{}]*'\}|\(aka '[^()]*'\))")  # what a name stands for: the shim's types
ARRAY = re.compile(r"'gpu::Shared<\w+>' \(aka '(Shared<[^']*>)'\)")  # here it is the name that says nothing
SWIZZLE = re.compile(r"no member named '([xyzwrgba]{2,4})'.*")
SPACES = {"device": "device ", "constant": "constant ", "threadgroup": "threadgroup ", "any": ""}
SHARED = {"metal": "threadgroup", "cuda": "__shared__"}
# by the bits of their exponent
HALVES = {"metal": {"5": "half", "8": "bfloat"}, "cuda": {"5": "__half", "8": "__nv_bfloat16"}}
FUNCTION = "a body stands inside a function, and cannot define another one: write it out, or as a macro"
ABOUT = (  # the compilers' words, and plainer ones
    (re.compile(r"conversion from (.*) to non-scalar type (.*) requested"), r"\1 cannot become \2"),
    (re.compile(r"no viable conversion from (.*) to (.*)"), r"\1 cannot become \2"),
    (re.compile(r"cannot convert (.*) to (.*) in (?:assignment|initialization)"), r"\1 cannot become \2"),
    (re.compile(r"cannot initialize an? \w+ of type (.*) with an? [lrx]value of type (.*)"), r"\2 cannot become \1"),
    (re.compile(r"assigning to (.*) from incompatible type ('.*')"), r"\2 cannot become \1"),
    (re.compile(r"a function-definition is not allowed here.*|function definition is not allowed here"), FUNCTION),
    (re.compile(r"read-only location .*"), "read-only memory"),
)
NO_SWIZZLE = "the emulator has no swizzle .{}: write its components out, as in float2(v.x, v.y)"


def complaint(said: str, language: Language) -> str:
    """The first error of a compiler's output, with the line of the body or header."""
    found = ERROR.search(said)
    if found:
        where, number, words = found.groups()
    else:
        place, error = PLACE.search(said), ELSEWHERE.search(said)
        where, number = place.groups() if place else ("", "")
        words = error[1] if error else " ".join(said.split())[:300]
    return f"it does not compile: {_line(where, number)}{plain(words, language)}"


def plain(words: str, language: Language) -> str:
    """A compiler's sentence without the emulator's own types."""
    words = ALIASES.sub("", ARRAY.sub(r"'\1'", words))
    words = re.sub(r"\b(?:using \w+ = )?(?:struct )?gpu::|\bkernel_body\(\)::", "", words)
    words = re.sub(r"\bSmall<(5|8), ?\d+>", lambda found: HALVES[language][found[1]], words)
    words = re.sub(r"\bVector<(?:unsigned (\w+)|(\w+)), ?([234])>", _vector, words)
    words = re.sub(r"\bPointer<([^<>]*?)(?:, ?(\w+)_memory)?>", _pointer, words)
    words = re.sub(r"\bShared<([^<>]*)>", rf"{SHARED[language]} \1", words).replace(" [", "[")
    words = re.sub(r"\bIndex\b", "uint3", words)
    if found := SWIZZLE.search(words):
        return NO_SWIZZLE.format(found[1])
    return plainer(words)


def plainer(words: str) -> str:
    """The same in plainer words, where they are known."""
    for theirs, ours in ABOUT:
        if theirs.search(words):
            return theirs.sub(ours, words)
    return words


def _line(where: str, number: str) -> str:
    if not where:
        return ""
    return f"header line {int(number) - FIRST_HEADER_LINE}: " if where == "header" else f"line {number}: "


def _vector(found: re.Match[str]) -> str:
    return f"{'u' + found[1] if found[1] else found[2]}{found[3]}"


def _pointer(found: re.Match[str]) -> str:
    """``const device float*`` and CUDA's ``const float*``."""
    constant = "const " if found[1].startswith("const ") else ""
    return f"{constant}{SPACES.get(found[2] or 'any', '')}{found[1].removeprefix('const ')}*"
