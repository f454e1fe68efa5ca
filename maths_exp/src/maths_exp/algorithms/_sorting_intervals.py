"""Keys in a core's own cache, sorted by their first digits: the part of the radix sort that one thread does alone.

With about two intervals for a key most of them hold one or none, and insertion mends the rest.  An interval that holds
many is cut again, by its own smallest and largest key.  A cut takes b bits off the range, so that six at most are
needed whatever the keys are.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit
from maths_exp.algorithms._sorting_compiled import insertion
from maths_exp.algorithms._sorting_keys import to_bits, to_keys

LATER = 13  # most bits of a digit: its counters are 32 KiB
SHORT = 24  # keys in an interval that insertion puts in order


@njit
def sort_alone(bits, masks):
    """Sort numbers that are not worth another thread's waking up."""
    keys, spare, room = np.empty_like(bits), np.empty_like(bits), np.empty(1 << LATER, np.int32)
    to_keys(bits, masks, keys)
    sort(keys, spare, room)
    to_bits(keys, masks, spare)
    return spare


@njit
def first_digit(low, high, count, most):
    """(shift, bits): digits of key - low that tell `count` keys apart, if they are evenly spread."""
    width = bits = 0
    while width < 64 and np.uint64(high - low) >> np.uint64(width) != 0:
        width += 1
    while bits < most and count >> bits != 0:
        bits += 1
    bits = min(bits, width)
    return width - bits, bits


@njit
def count(keys, low, shift, places):
    """Add to how often each digit occurs."""
    for i in range(keys.size):
        places[np.uint64((keys[i] - low) >> shift)] += 1


@njit
def move(keys, low, shift, places, out):
    """Each key to the next place of its digit."""
    for i in range(keys.size):
        digit = np.uint64((keys[i] - low) >> shift)
        place = places[digit]
        out[np.uint64(place)] = keys[i]
        places[digit] = place + 1


@njit
def sort(keys, spare, room):
    """Cut the keys as often as it takes; spare has room for as many, room for the counters of a digit."""
    if keys.size > SHORT:
        waiting, depth = np.empty((keys.size // SHORT + 1, 2), np.int64), 1
        waiting[0, 0], waiting[0, 1] = 0, keys.size
        while depth > 0:
            depth -= 1
            begin, end = waiting[depth, 0], waiting[depth, 1]
            depth = cut_once(keys[begin:end], spare, room, waiting, depth, begin)
    insertion(keys)


@njit
def cut_once(keys, spare, room, waiting, depth, begin):
    """Put keys in the order of their first digits; what is too long for insertion waits.  Returns how many wait."""
    low = high = keys[0]
    for i in range(keys.size):
        low, high = min(low, keys[i]), max(high, keys[i])
    if low == high:
        return depth
    shift, width = first_digit(low, high, 2 * keys.size, LATER)
    shift = keys.dtype.type(shift)
    places = room[: 1 << width]
    places[:] = 0
    count(keys, low, shift, places)
    before = np.int32(0)
    for digit in range(places.size):
        places[digit], before = before, before + places[digit]
    move(keys, low, shift, places, spare)
    keys[:] = spare[: keys.size]
    before = 0
    for digit in range(places.size):  # by now the place of each digit is where the next one begins
        if shift > 0 and places[digit] - before > SHORT:
            waiting[depth, 0], waiting[depth, 1] = begin + before, begin + places[digit]
            depth += 1
        before = places[digit]
    return depth
