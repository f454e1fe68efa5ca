"""Sorting without comparing: digit by digit, from the least significant to the most, each pass stable.

A pass counts the digits, which tells where the numbers of each one begin, and then moves every number to its place.
With eight bits a digit the 256 places that are written to lie in the first cache.

Of 64 bits only the upper half is sorted so, from the first bit in which any two keys differ.  Keys that agree in all of
these bits then stand together.  They are few as long as the keys are spread out, and insertion sorts them; where they
are many, as an adversary may have it, they get the other passes.

In each pass a thread counts and moves a part of the keys; in the places of a digit the parts follow each other.

Source    D. E. Knuth, The Art of Computer Programming 3, 2nd ed. (1998), section 5.2.5; its exercise on sorting by the
          leading digits and finishing by insertion is due to M. D. MacLaren (1966).
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit, prange
from maths_exp.algorithms._sorting_compiled import insertion
from maths_exp.algorithms._sorting_keys import as_bits, to_bits, to_keys

BITS = 8  # of a digit
UPPER = 32  # bits that all keys are sorted by
SHORT = 32  # equal upper bits that insertion puts in order
PART = 1 << 14  # keys that are worth a thread's waking up
PARTS = 8


def radix_threads(x):
    """No comparison: four passes over the leading digits, each by all cores, and insertion for what still ties."""
    bits, masks = as_bits(x)
    return radix(bits, masks, min(PARTS, x.size // PART + 1)).view(x.dtype)


@njit
def count(keys, shift, places):
    """How often each digit occurs."""
    places[:] = 0
    for i in range(keys.size):
        places[keys[i] >> shift & 255] += 1


@njit
def move(keys, shift, places, out):
    """Each key to the next place of its digit."""
    for i in range(keys.size):
        digit = keys[i] >> shift & 255
        out[places[digit]] = keys[i]
        places[digit] += 1


@njit
def finish(keys, spare, begin, end, low):
    """Sort by the `low` lowest bits those that agree in the others and whose first one is in keys[begin:end]."""
    i = begin
    while 0 < i < end and keys[i] >> low == keys[i - 1] >> low:  # begun in the part before this one
        i += 1
    while i < end:
        j = i + 1
        while j < keys.size and keys[j] >> low == keys[i] >> low:
            j += 1
        if j - i > SHORT:
            lower(keys[i:j], spare[i:j], low)
        elif j - i > 1:
            insertion(keys[i:j])
        i = j


@njit
def lower(keys, spare, low):
    """Sort by the `low` lowest bits, pass after pass, there and back."""
    places = np.empty(256, np.int64)
    for shift in range(0, low, BITS):
        count(keys, shift, places)
        before = 0
        for digit in range(256):
            places[digit], before = before, before + places[digit]
        move(keys, shift, places, spare)
        keys[:] = spare


@njit(parallel=True)
def radix(bits, masks, parts):
    """Sort the numbers with these bits, in so many parts."""
    n = bits.size
    edges = np.arange(parts + 1) * n // parts
    keys, spare = np.empty_like(bits), np.empty_like(bits)
    differ = np.zeros(parts, np.uint64)
    for t in prange(parts):
        own = slice(edges[t], edges[t + 1])
        differ[t] = to_keys(bits[own], masks, keys[own])
    varying = np.uint64(0)
    for t in range(parts):
        varying |= differ[t] | np.uint64(keys[edges[t]] ^ keys[0] if n > 0 else 0)
    top = 0
    while top < 64 and varying >> np.uint64(top) != 0:
        top += 1
    low = max(top - UPPER, 0)
    places = np.empty((parts, 256), np.int64)
    for shift in range(low, top, BITS):
        for t in prange(parts):
            count(keys[edges[t] : edges[t + 1]], shift, places[t])
        before = 0
        for digit in range(256):
            for t in range(parts):
                places[t, digit], before = before, before + places[t, digit]
        for t in prange(parts):
            move(keys[edges[t] : edges[t + 1]], shift, places[t], spare)
        keys, spare = spare, keys
    if low > 0:
        for t in prange(parts):
            finish(keys, spare, edges[t], edges[t + 1], low)
    for t in prange(parts):
        to_bits(keys[edges[t] : edges[t + 1]], masks, spare[edges[t] : edges[t + 1]])
    return spare
