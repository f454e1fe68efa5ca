"""Eight bits for thirty numbers, and how the multiples of a prime lie in them.

Only 1, 7, 11, 13, 17, 19, 23 and 29 modulo 30 can be prime beyond 5: byte b holds the numbers 30 b + 1, 30 b + 7, ...,
30 b + 29.  The multiples of p = 30 q + r that matter are p (30 k + s) with s one of the same eight residues.  For one s
they lie in the bytes p k + q s + (r s div 30), always in the same bit, that of r s mod 30.  So in p bytes there are
eight crossings, one for each bit, and the next p bytes repeat them: eight offsets a prime, and no other state than k.
Which bit belongs to which s depends on r; taken in the order of the bits, the eight masks are constants for all primes.

Primes to 97 would cross off most: their joint pattern is made once and copied.

Source    P. Pritchard, Explaining the wheel sieve, Acta Informatica 17 (1982), 477-485.
"""

from __future__ import annotations

import functools

import numpy as np

from exp_core.compiled import njit

WHEEL = 30
RESIDUES = np.array([1, 7, 11, 13, 17, 19, 23, 29])
CLASS = np.zeros(WHEEL, np.uint64)  # the place of a residue among the eight
CLASS[RESIDUES] = np.arange(8)
# for p of class c, row c, and the bit of residue t, column t: the s with r s = t modulo 30, and what r s carries over
S = np.array([[next(s for s in RESIDUES if r * s % WHEEL == t) for t in RESIDUES] for r in RESIDUES], np.uint64)
CARRY = RESIDUES.astype(np.uint64)[:, None] * S // np.uint64(WHEEL)

# Primes whose pattern is copied; the product of a group, the period of its pattern in bytes, is about that of L1.
GROUPS = ((7, 67, 71), (11, 41, 73), (13, 43, 59), (17, 37, 53), (19, 29, 61), (23, 31, 47), (79, 83), (89, 97))
COPIED = 97  # the largest of them
PERIODS = np.array([int(np.prod(group)) for group in GROUPS])
STARTS = np.cumsum(PERIODS) - PERIODS

U30 = np.uint64(WHEEL)
M0, M1, M2, M3, M4, M5, M6, M7 = (np.uint8(255 - (1 << bit)) for bit in range(8))


def packed(numbers_left):
    """Bits of shape (bytes, 8), in the order of RESIDUES, as bytes."""
    return np.packbits(numbers_left, axis=1, bitorder="little").ravel()


def numbers(first, count):
    """The numbers of some bytes: shape (count, 8)."""
    return WHEEL * np.arange(first, first + count)[:, None] + RESIDUES


# Of the bytes 0 to 3 the patterns are wrong: there the copied primes cross off themselves.
BEGIN = packed([[n > 1 and all(n % p for p in (7, 11) if p < n) for n in row] for row in numbers(0, 4).tolist()])


@functools.cache
def patterns():
    """One period of each group, end to end: the bytes without the multiples of its primes."""
    return np.concatenate(
        [
            packed(np.all([numbers(0, period) % p != 0 for p in group], axis=0))
            for group, period in zip(GROUPS, PERIODS, strict=True)
        ]
    )


@njit
def copy_patterns(bits, first, copied):
    """Write the joint pattern to the bytes `bits`, of which the first is byte `first` of all numbers."""
    done = 0
    while done < bits.size:
        step = bits.size - done
        for period in PERIODS:  # as far as no pattern ends
            step = min(step, period - (first + done) % period)
        out = bits[done : done + step]
        for g in range(0, 8, 4):  # four at a time: more, and the compiler asks too long whether they overlap
            a, b = pattern(copied, g, first + done), pattern(copied, g + 1, first + done)
            c, d = pattern(copied, g + 2, first + done), pattern(copied, g + 3, first + done)
            for j in range(step):
                four = a[j] & b[j] & c[j] & d[j]
                out[j] = four if g == 0 else out[j] & four
        done += step


@njit
def pattern(copied, g, b):
    """The pattern of group g from byte b of all numbers on."""
    return copied[STARTS[g] + b % PERIODS[g] :]


@njit
def offsets(p):
    """Where the eight crossings of p lie in p bytes, in the order of their bits."""
    q, c = p // U30, CLASS[p % U30]
    s, carry = S[c], CARRY[c]
    return (
        q * s[0] + carry[0],
        q * s[1] + carry[1],
        q * s[2] + carry[2],
        q * s[3] + carry[3],
        q * s[4] + carry[4],
        q * s[5] + carry[5],
        q * s[6] + carry[6],
        q * s[7] + carry[7],
    )


@njit
def cross_near(bits, primes, goes_on, end):
    """Cross off in whole periods of p bytes, from where each prime goes on until one begins at `end` or beyond.

    What the last period crosses off beyond `end` is right too: it is done ahead of time, and `bits` goes on there.
    """
    for e in range(primes.size):
        i = goes_on[e]
        if i < end:
            p = primes[e]
            o0, o1, o2, o3, o4, o5, o6, o7 = offsets(p)
            while i < end:
                bits[i + o0] &= M0
                bits[i + o1] &= M1
                bits[i + o2] &= M2
                bits[i + o3] &= M3
                bits[i + o4] &= M4
                bits[i + o5] &= M5
                bits[i + o6] &= M6
                bits[i + o7] &= M7
                i += p
            goes_on[e] = i


@njit
def cross_one(bits, i, size, mask):
    """Cross off in the byte i beyond the first one, if it is less than `size`; if not, in the first one, a dummy.

    No branch: the processor could not guess it.  A byte before the range is a huge number without a sign.
    """
    bits[i + np.uint64(1) if i < size else np.uint64(0)] &= mask


@njit
def cross_far(bits, primes, first):
    """Cross off all multiples of primes that come by seldom; bits[1] is byte `first` of all numbers."""
    first, size = np.uint64(first), np.uint64(bits.size - 1)
    for e in range(primes.size):
        p = primes[e]
        k = max(first // p, p // U30)  # before that the multiples have smaller factors
        o0, o1, o2, o3, o4, o5, o6, o7 = offsets(p)
        while k * p < first + size:
            i = k * p - first
            cross_one(bits, i + o0, size, M0)
            cross_one(bits, i + o1, size, M1)
            cross_one(bits, i + o2, size, M2)
            cross_one(bits, i + o3, size, M3)
            cross_one(bits, i + o4, size, M4)
            cross_one(bits, i + o5, size, M5)
            cross_one(bits, i + o6, size, M6)
            cross_one(bits, i + o7, size, M7)
            k += np.uint64(1)
