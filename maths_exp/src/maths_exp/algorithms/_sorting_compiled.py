"""Quicksort compiled: the textbook's lines on keys, once without a net and once with the heap below it.

Source    D. R. Musser, Introspective sorting and selection algorithms, Software: Practice and Experience 27 (1997).
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit
from maths_exp.algorithms._sorting_keys import as_bits, to_bits, to_keys
from maths_exp.algorithms._sorting_textbook import SHORT


@njit
def insertion(a):
    """Sort a few keys."""
    for i in range(1, a.size):
        v, j = a[i], i
        while j > 0 and v < a[j - 1]:
            a[j] = a[j - 1]
            j -= 1
        a[j] = v


@njit
def sift(a, i, n):
    """Let key i of the heap a[:n] sink below its larger children."""
    v = a[i]
    while 2 * i + 1 < n:
        child = 2 * i + 1
        if child + 1 < n and a[child] < a[child + 1]:
            child += 1
        if not v < a[child]:
            break
        a[i] = a[child]
        i = child
    a[i] = v


@njit
def heap(a):
    """Sort keys by a heap: n log n comparisons, whatever they are."""
    for i in range(a.size // 2 - 1, -1, -1):
        sift(a, i, a.size)
    for end in range(a.size - 1, 0, -1):
        a[0], a[end] = a[end], a[0]
        sift(a, 0, end)


@njit
def partition(a):
    """Keys up to the median of three left of it, the others right of it; returns its place."""
    middle, last = a.size // 2, a.size - 1
    if a[middle] < a[0]:
        a[0], a[middle] = a[middle], a[0]
    if a[last] < a[0]:
        a[0], a[last] = a[last], a[0]
    if a[last] < a[middle]:
        a[middle], a[last] = a[last], a[middle]
    a[middle], a[last - 1] = a[last - 1], a[middle]
    pivot, i, j = a[last - 1], 0, last - 1
    while True:
        i += 1
        while a[i] < pivot:
            i += 1
        j -= 1
        while pivot < a[j]:
            j -= 1
        if i >= j:
            break
        a[i], a[j] = a[j], a[i]
    a[i], a[last - 1] = a[last - 1], a[i]
    return i


@njit
def quick(bits, masks, most):
    """Sort the numbers with these bits; `most` levels of partitions, then the heap."""
    keys, out = np.empty_like(bits), np.empty_like(bits)
    to_keys(bits, masks, keys)
    waiting = np.empty((64, 3), np.int64)  # the shorter part is sorted first: no more than log2 n wait
    waiting[0, 0], waiting[0, 1], waiting[0, 2] = 0, keys.size, most
    depth = 1
    while depth > 0:
        depth -= 1
        low, high, levels = waiting[depth, 0], waiting[depth, 1], waiting[depth, 2]
        while high - low > SHORT and levels > 0:
            levels -= 1
            i = low + partition(keys[low:high])
            left = i - low < high - i
            waiting[depth, 0], waiting[depth, 1] = (i + 1, high) if left else (low, i)
            waiting[depth, 2] = levels
            depth += 1
            low, high = (low, i) if left else (i + 1, high)
        if high - low > SHORT:
            heap(keys[low:high])
        else:
            insertion(keys[low:high])
    to_bits(keys, masks, out)
    return out


def quick_compiled(x):
    """Quicksort compiled, on keys of unsigned integers: a comparison is an instruction, a wrong guess twenty cycles."""
    bits, masks = as_bits(x)
    return quick(bits, masks, x.size).view(x.dtype)


def intro_compiled(x):
    """The same with a net: after 2 log2 n levels the heap takes over, and nobody can make it quadratic."""
    bits, masks = as_bits(x)
    return quick(bits, masks, 2 * x.size.bit_length()).view(x.dtype)
