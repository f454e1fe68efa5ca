"""The wheel's bits crossed off in three sizes of blocks, one for each cache, and by all threads.

A prime p meets a block of B bytes about 8 B / p times, and coming to a block costs it some twenty cycles.  So small
primes go through blocks of the first cache, larger ones through blocks of the second, those that come by seldom through
a whole run, which the third one holds.  Each prime is where a crossing is cheap and a visit pays.  (The usual way with
the largest primes is to sort them into one bucket for each block that they hit next.  It writes and reads every
crossing once more: where a run holds a few hits of each prime, that costs more than the third cache's latency.)

Source    T. Oliveira e Silva, S. Herzog, S. Pardi, Empirical verification of the even Goldbach conjecture and
          computation of prime gaps up to 4 10^18, Mathematics of Computation 83 (2014), 2033-2060, for the buckets.
"""

from __future__ import annotations

from math import isqrt

import numpy as np

from exp_core.compiled import intrinsic, njit, prange
from exp_core.tasks import WORKERS, take
from maths_exp.basics._primes_odd import odd_primes
from maths_exp.basics._primes_wheel import (
    BEGIN,
    COPIED,
    WHEEL,
    copy_patterns,
    cross_far,
    cross_near,
    numbers,
    packed,
    patterns,
)

L1, L2, RUN = 24 << 10, 256 << 10, 2 << 20  # bytes of a block: three quarters of 32 kB, half of 512 kB, of 4 MB
SMALL = 8_000  # primes to here go through blocks of L1: three crossings for each bit
NEAR = 1 << 16  # primes to here go through blocks of L2: four crossings for each bit
LEAST = 32 << 10  # bytes that are worth a thread's waking up
OFFSETS = numbers(0, 8).ravel().astype(np.int64)  # of the bits of eight bytes


def wheel_threads(low, high, counting):
    """Eight bits for thirty numbers, multiples to 97 copied as a pattern, and all cores, each with a run of its own."""
    first, count = low // WHEEL, high // WHEEL - low // WHEEL + 1
    primes = odd_primes(isqrt(high))
    primes = primes[primes > COPIED].astype(np.uint64)
    small, near = np.searchsorted(primes, (SMALL, NEAR))
    # a run looks at every prime once: it must not be much shorter than the largest of them
    run = min(RUN, max(-(-count // 8), isqrt(high) // 6, LEAST) + 7 & -8)
    ends = packed(np.stack([numbers(low // WHEEL, 1)[0] >= low, numbers(high // WHEEL, 1)[0] <= high]))
    kept = np.empty(0 if counting else -(-count // run) * run, np.uint8)
    slack = int(primes[near - 1]) + 7 & -8 if near else 8  # periods begin before the run, and end behind it
    found = sieve_runs(first, count, run, slack, primes, small, near, patterns(), ends, kept)
    special = [p for p in (2, 3, 5) if low <= p <= high]
    if counting:
        return np.int64(len(special) + found.sum())
    places = len(special) + np.append(0, np.cumsum(found))
    result = np.empty(places[-1], np.int64)
    result[: len(special)] = special
    list_runs(kept, first, run, places, result)
    return result


@njit(parallel=True)
def sieve_runs(first, count, run, slack, primes, small, near, copied, ends, kept):
    """How many primes there are in each run of the bytes from `first` on; their bits go to `kept` if it has room."""
    runs = (count + run - 1) // run
    found = np.empty(runs, np.int64)
    counter = np.zeros(1, np.int64)
    for _ in prange(WORKERS):
        piece = take(counter)
        if piece < runs:
            bits = np.empty(slack + run + slack, np.uint8)
            goes_on = np.empty(near, np.uint64)
            while piece < runs:
                begin, size = piece * run, min(run, count - piece * run)
                sieve_run(bits, slack, first + begin, size, primes, small, near, goes_on, copied)
                own = bits[slack : slack + (size + 7 & -8)]
                own[size:] = 0
                if begin == 0:
                    own[0] &= ends[0]
                if begin + size == count:
                    own[size - 1] &= ends[1]
                words = own.view(np.uint64)
                total = 0
                for w in range(words.size):
                    total += popcount(words[w])
                found[piece] = total
                if kept.size > 0:
                    kept[begin : begin + own.size] = own
                piece = take(counter)
    return found


@njit
def sieve_run(bits, slack, first, size, primes, small, near, goes_on, copied):
    """Sieve the bytes first, ..., first + size - 1 of all numbers in bits[slack:]."""
    copy_patterns(bits[slack : slack + size], first, copied)
    cross_far(bits[slack - 1 : slack + size], primes[near:], first)
    for e in range(near):
        p = np.int64(primes[e])
        goes_on[e] = max(first // p, p // WHEEL) * p - first + slack
    active = 0
    for block in range(0, size, L2):
        end = min(block + L2, size)
        while active < near and np.int64(primes[active]) ** 2 < WHEEL * (first + end):
            active += 1
        few = min(small, active)
        for at in range(block, end, L1):
            cross_near(bits, primes[:few], goes_on, np.uint64(slack + min(at + L1, end)))
        cross_near(bits, primes[few:active], goes_on[few:], np.uint64(slack + end))
    for b in range(first, min(BEGIN.size, first + size)):
        bits[slack + b - first] = BEGIN[b]


@njit(parallel=True)
def list_runs(kept, first, run, places, result):
    """Write the numbers of the bits to result[places[piece]:], run after run."""
    counter = np.zeros(1, np.int64)
    words = kept.view(np.uint64)
    for _ in prange(WORKERS):
        piece = take(counter)
        while piece < places.size - 1:
            out = result[places[piece] : places[piece + 1]]
            n, w = 0, piece * (run // 8)
            while n < out.size:
                word, base = words[w], WHEEL * (first + 8 * w)
                while word != 0:
                    out[n] = base + OFFSETS[trailing_zeros(word)]
                    word &= word - np.uint64(1)
                    n += 1
                w += 1
            piece = take(counter)


@intrinsic
def popcount(typing, word):
    """The number of ones in a word of 64 bits."""
    from numba.core import types

    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


@intrinsic
def trailing_zeros(typing, word):
    """The place of the lowest one in a word of 64 bits that has one."""
    from llvmlite import ir
    from numba.core import types

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate
