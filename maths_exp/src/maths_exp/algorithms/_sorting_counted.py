"""Numbers that are few, each often: how often each of them occurs is all that there is to know.

A table holds the different keys that were met.  A block of numbers is compared with each key of the table, many numbers
an instruction; only where one was not in the table, it is looked for and enters.  When the table is full, this is not
the way: on random numbers after as many as the table has places.  No number is moved: each is written, in its turn, as
often as it was counted.

Source    D. E. Knuth, The Art of Computer Programming 3, 2nd ed. (1998), section 5.2, algorithm D (distribution
          counting); the table of keys takes the place of its array of counters.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit, prange
from maths_exp.algorithms._sorting_compiled import insertion
from maths_exp.algorithms._sorting_keys import as_bits, to_bits, to_keys

FULL = -1
PLACES = 16  # of the table: more comparisons than that take longer than to part by digits
BLOCK = 512  # numbers that are compared together, in the first cache
PARTS = 8
PART = 1 << 14  # numbers that are worth a thread's waking up


def count_equals(x):
    """The numbers in order if only few of them are different, else None."""
    bits, masks = as_bits(x)
    if count(bits[:BLOCK], masks, np.empty(PLACES, bits.dtype), np.empty(PLACES, np.int64)) == FULL:
        return None
    parts = min(PARTS, x.size // PART + 1)
    keys, ends = count_all(bits, masks, parts)
    if not ends.size:
        return None
    out = np.empty_like(bits)
    write(keys, ends, masks, out, parts)
    return out.view(x.dtype)


@njit
def count(bits, masks, table, counts):
    """Count each key; returns how many different ones there are, FULL if they are more than the table's places."""
    room, known = np.empty(BLOCK, bits.dtype), 0
    for i in range(0, bits.size, BLOCK):
        keys = room[: bits.size - i]
        to_keys(bits[i : i + BLOCK], masks, keys)
        missing = keys.size
        for k in range(known):
            equal = often(keys, table[k])
            counts[k] += equal
            missing -= equal
        first = 0
        while missing > 0:
            first = unknown(keys, first, table[:known])
            if known == table.size:
                return FULL
            table[known] = keys[first]
            counts[known] = often(keys, keys[first])
            missing -= counts[known]
            known += 1
    return known


@njit
def often(keys, key):
    """How often a key occurs."""
    equal = 0
    for i in range(keys.size):
        equal += keys[i] == key
    return equal


@njit
def unknown(keys, i, table):
    """The first place from i on whose key is not in the table, where there is one."""
    while often(table, keys[i]) > 0:
        i += 1
    return i


@njit(parallel=True)
def count_all(bits, masks, parts):
    """All different keys in order, and where the last of each will end; none if there are too many."""
    found, counts = np.empty(parts, np.int64), np.empty((parts, PLACES), np.int64)
    tables = np.empty((parts, PLACES), bits.dtype)
    for t in prange(parts):
        own = bits[t * bits.size // parts : (t + 1) * bits.size // parts]
        found[t] = count(own, masks, tables[t], counts[t])
    keys, ends = np.empty(parts * PLACES, bits.dtype), np.zeros(parts * PLACES, np.int64)
    known = 0
    if found.min() != FULL:
        for t in range(parts):
            for key in tables[t, : found[t]]:
                if often(keys[:known], key) == 0:
                    keys[known] = key
                    known += 1
        insertion(keys[:known])
        for t in range(parts):
            for k in range(found[t]):
                ends[:known] += np.where(keys[:known] >= tables[t, k], counts[t, k], 0)
    return keys[:known], ends[:known]


@njit(parallel=True)
def write(keys, ends, masks, out, parts):
    """The number of each key up to its end."""
    numbers = np.empty_like(keys)
    to_bits(keys, masks, numbers)
    for t in prange(parts):
        begin, stop = t * out.size // parts, (t + 1) * out.size // parts
        for k in range(keys.size):
            end = max(begin, min(ends[k], stop))
            out[begin:end] = numbers[k]
            begin = end
