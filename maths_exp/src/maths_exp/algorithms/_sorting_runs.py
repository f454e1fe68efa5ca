"""Runs that are there already: numbers that rise, or fall, or do one after the other, are merged and not sorted.

The look ends where a third run would begin, which on numbers in random order is at once: it costs nothing where it
finds nothing.  What is not a number is in no order, and ends the look too.

The merge is cut into equal parts of the result, which the threads take: the first k numbers of two runs together are
the first i of one and the first k - i of the other, and bisection finds i.  A part is merged from both of its ends at
once: two chains of loads and comparisons that do not wait for each other.  The smaller head is selected, without a
branch to guess, and how far both ends can go before a run may be empty is known beforehand.

Source    D. E. Knuth, The Art of Computer Programming 3, 2nd ed. (1998), section 5.2.4, algorithm N (natural merge).
          S. Odeh, O. Green, Z. Mwassi, O. Shmueli, Y. Birk, Merge path: parallel merging made simple, IPDPSW (2012).
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit, prange

MOST = 2  # runs: to merge four takes two rounds, and longer than to part the numbers by digits
BLOCK = 512  # neighbours that are looked at together
PARTS = 8  # of the merge
PART = 1 << 12  # numbers that are worth a thread's waking up


def merge_runs(x):
    """The numbers in order if they are two runs or one, else None."""
    runs = find_runs(x)
    if len(runs) == MOST:
        out = np.empty_like(x)
        merge_two(x, runs[0], runs[1], out, worth(x.size))
        return out
    return x[:: runs[0, 2]].copy() if len(runs) else None


def worth(numbers):
    """Parts into which the merge of so many numbers is cut."""
    return min(PARTS, numbers // PART + 1)


@njit
def find_runs(x):
    """The place of the smallest number, the length and the step (1 or -1) of each run; none if they are too many."""
    runs, found, begin = np.empty((MOST, 3), np.int64), 0, 0
    while begin < x.size:
        if found == MOST or x[begin] != x[begin]:
            return runs[:0]
        falls = begin + 1 < x.size and x[begin] > x[begin + 1]
        end = end_of_run(x, begin, falls)
        runs[found, 0], runs[found, 1], runs[found, 2] = (
            (end - 1, end - begin, -1) if falls else (begin, end - begin, 1)
        )
        found, begin = found + 1, end
    return runs[:found]


@njit
def end_of_run(x, i, falls):
    """Where the run that x[i] belongs to ends."""
    while i + BLOCK < x.size:
        here, after, pairs = x[i : i + BLOCK], x[i + 1 : i + 1 + BLOCK], 0
        if falls:
            for j in range(BLOCK):
                pairs += here[j] >= after[j]
        else:
            for j in range(BLOCK):
                pairs += here[j] <= after[j]
        if pairs < BLOCK:
            break
        i += BLOCK
    while i + 1 < x.size and (x[i] >= x[i + 1] if falls else x[i] <= x[i + 1]):
        i += 1
    return i + 1


@njit(parallel=True)
def merge_two(x, a, b, out, parts):
    """The numbers of runs a and b in order."""
    for part in prange(parts):
        first, last = part * out.size // parts, (part + 1) * out.size // parts
        i, p = of_first(x, a, b, first), of_first(x, a, b, last)
        merge(x, a, b, (i, p), (first - i, last - p), out[first:last])


@njit
def of_first(x, a, b, k):
    """How many of the first k numbers of runs a and b together are of a; of equals, those of a come first."""
    low, high = max(k - b[1], 0), min(k, a[1])
    while low < high:
        i = (low + high) // 2
        if x[a[0] + i * a[2]] <= x[b[0] + (k - 1 - i) * b[2]]:
            low = i + 1
        else:
            high = i
    return low


@njit
def merge(x, a, b, of_a, of_b, out):
    """Numbers i to p of run a and j to q of run b, in order."""
    (i, p), (j, q) = of_a, of_b
    i, p, step_a = a[0] + i * a[2], a[0] + (p - 1) * a[2], a[2]  # from here on the places of the first and of the last
    j, q, step_b = b[0] + j * b[2], b[0] + (q - 1) * b[2], b[2]
    low, high = 0, out.size - 1
    while True:
        left_a, left_b = (p - i) * step_a + 1, (q - j) * step_b + 1
        sure = min(left_a, left_b) // 2  # that many steps from both ends leave neither run empty before the last
        if sure == 0:
            break
        for s in range(sure):
            u, v = x[i], x[j]
            is_a = u <= v
            out[low + s] = u if is_a else v
            i += step_a if is_a else 0
            j += 0 if is_a else step_b
            u, v = x[p], x[q]
            is_b = u <= v
            out[high - s] = v if is_b else u
            p -= 0 if is_b else step_a
            q -= step_b if is_b else 0
        low, high = low + sure, high - sure
    for s in range(low, high + 1):
        is_a = left_a > 0 and (left_b == 0 or x[i] <= x[j])
        out[s] = x[i] if is_a else x[j]
        i, left_a = (i + step_a, left_a - 1) if is_a else (i, left_a)
        j, left_b = (j, left_b) if is_a else (j + step_b, left_b - 1)
