"""Sorting without comparing: by the first digits of all keys, then part by part while a part is in a core's own cache.

The range from the smallest key to the largest is cut into equal intervals, 2^b of them: so the b bits at the head of
key - smallest are the first digit.  A pass counts how many keys have each digit, which tells where those of each one
begin, and another pass moves every key to its place.  With about two intervals for a key most of them hold one or none,
and insertion mends the rest.  An interval that holds many is cut again, by its own smallest and largest key.  A cut
takes b bits off the range, so that six at most are needed whatever the keys are.

The first cut is made by all threads, each with a part of the numbers: in the places of a digit these parts follow each
other.  Its intervals are then dealt to the threads.  Nearly all keys in a few intervals would leave the others idle:
such an interval is cut once more by all.

Source    W. Dobosiewicz, Sorting by distributive partitioning, Information Processing Letters 7 (1978), 1-6.
          D. E. Knuth, The Art of Computer Programming 3, 2nd ed. (1998), sections 5.2.1 and 5.2.5; its exercise on
          sorting by the leading digits and finishing by insertion is due to M. D. MacLaren (1966).
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit, prange
from exp_core.tasks import WORKERS, take
from maths_exp.algorithms._sorting_intervals import LATER, count, first_digit, move, sort, sort_alone
from maths_exp.algorithms._sorting_keys import as_bits, as_they_are, to_bits, to_keys

FIRST = 12  # bits of the first digit: 4096 places are written to at a time, and their lines are in the second cache
BLOCK = 512  # numbers whose keys are made at a time, in the first cache
PART = 1 << 14  # numbers that are worth a thread's waking up
PARTS = 8
LARGE = 1 << 16  # keys: an interval with so many, and with a 64th of all, is cut by all threads
DEALT = 8  # intervals that a thread takes at a time


def radix_threads(x):
    """No comparison: all threads cut the range of the keys into intervals, and one thread each of these, in cache."""
    bits, masks = as_bits(x)
    if x.size < PART:
        return sort_alone(bits, masks).view(x.dtype)
    keys, spare = np.empty_like(bits), np.empty_like(bits)  # the second is touched only where an interval is too large
    parts, large = min(PARTS, x.size // PART + 1), max(LARGE, x.size // 64)
    waiting = [(bits, masks, slice(0, x.size))]
    while waiting:
        numbers, coding, own = waiting.pop()
        begins = cut(numbers, coding, keys[own], parts)
        most = large if begins.size > 2 else x.size  # one interval: all its keys are equal
        finish(begins, masks, keys[own], most)
        for digit in np.flatnonzero(np.diff(begins) > most):
            again = slice(own.start + begins[digit], own.start + begins[digit + 1])
            spare[again] = keys[again]
            waiting.append((spare[again], as_they_are(masks), again))
    return keys.view(x.dtype)


@njit
def span_numbers(bits, masks):
    """The smallest and the largest key."""
    room = np.empty(BLOCK, bits.dtype)
    low, high = to_keys(bits[:0], masks, room)
    for i in range(0, bits.size, BLOCK):
        least, most = to_keys(bits[i : i + BLOCK], masks, room)
        low, high = min(low, least), max(high, most)
    return low, high


@njit
def count_numbers(bits, masks, low, shift, places):
    """How often each digit occurs."""
    room = np.empty(BLOCK, bits.dtype)
    places[:] = 0
    for i in range(0, bits.size, BLOCK):
        to_keys(bits[i : i + BLOCK], masks, room)
        count(room[: bits.size - i], low, shift, places)


@njit
def move_numbers(bits, masks, low, shift, places, out):
    """The key of each number to the next place of its digit."""
    room = np.empty(BLOCK, bits.dtype)
    for i in range(0, bits.size, BLOCK):
        to_keys(bits[i : i + BLOCK], masks, room)
        move(room[: bits.size - i], low, shift, places, out)


@njit(parallel=True)
def cut(bits, masks, keys, parts):
    """Write the keys, in the order of their first digits, and return where those of each digit begin, and the end."""
    edges = np.arange(parts + 1) * bits.size // parts
    least, most = np.empty(parts, bits.dtype), np.empty(parts, bits.dtype)
    for t in prange(parts):
        least[t], most[t] = span_numbers(bits[edges[t] : edges[t + 1]], masks)
    low = least.min()
    shift, width = first_digit(low, most.max(), bits.size, FIRST)
    shift = bits.dtype.type(shift)
    places, begins = np.empty((parts, 1 << width), np.int64), np.empty((1 << width) + 1, np.int64)
    for t in prange(parts):
        count_numbers(bits[edges[t] : edges[t + 1]], masks, low, shift, places[t])
    before = 0
    for digit in range(1 << width):
        begins[digit] = before
        for t in range(parts):
            places[t, digit], before = before, before + places[t, digit]
    begins[-1] = before
    for t in prange(parts):
        move_numbers(bits[edges[t] : edges[t + 1]], masks, low, shift, places[t], keys)
    return begins


@njit(parallel=True)
def finish(begins, masks, keys, large):
    """Sort the keys of each digit, and make numbers of them; those of which there are more than `large` stay."""
    counter, digits, largest = np.zeros(1, np.int64), begins.size - 1, 0
    for digit in range(digits):
        size = begins[digit + 1] - begins[digit]
        largest = max(largest, size if size <= large else 0)
    for _ in prange(WORKERS):
        first = DEALT * take(counter)
        if first < digits:
            spare, room = np.empty(largest, keys.dtype), np.empty(1 << LATER, np.int32)
            while first < digits:
                for digit in range(first, min(first + DEALT, digits)):
                    own = keys[begins[digit] : begins[digit + 1]]
                    if 0 < own.size <= large:
                        sort(own, spare, room)
                        to_bits(own, masks, own)
                first = DEALT * take(counter)
