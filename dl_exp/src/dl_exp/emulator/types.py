"""Which words of Metal and CUDA are types: their own, and those that a source declares."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

NUMBERS = ("float", "half", "bfloat", "bool", "char", "uchar", "short", "ushort", "int", "uint", "long", "ulong")
FIXED = tuple(f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64))
HALVES = ("float16_t", "bfloat16_t", "__half", "__half2", "__nv_bfloat16", "__nv_bfloat162", "nv_bfloat16")
VECTORS = tuple(f"{number}{n}" for number in NUMBERS for n in (2, 3, 4))
TYPES = frozenset((*NUMBERS, *FIXED, *HALVES, *VECTORS, "double", "size_t", "void", "unsigned"))
DECLARES = {"typename", "class", "struct", "using"}  # the name that follows is a type


def declared(tokens: Sequence[str]) -> frozenset[str]:
    """Names after typename, struct, using; and the last word of a typedef."""
    words = [t for t in tokens if not t.isspace()]
    found = {b for a, b in pairwise(words) if a in DECLARES and b.isidentifier()}
    for k, word in enumerate(words):
        if word == "typedef" and ";" in words[k:]:
            found.add(words[words.index(";", k) - 1])
    return frozenset(found)
