"""Primes: a sieve crosses off what is divisible, and its speed is the art of touching memory seldom.

Problem   Find all primes from low to high, in ascending order: an array of int64.  Where only their number is asked
          for (the problem `count_up_to`), find that: every program may then spare itself the list.
Idea      Cross off the multiples of each prime to $\\sqrt{n}$, from its square on; what is left is prime.  That is
          $n \\sum_p 1/p \\approx n \\ln \\ln n$ crossings, three a number however far one goes.  What counts is where
          they go (into the first cache, if segments are short), and how few there are (a wheel without multiples of
          2, 3 and 5 keeps 8 numbers of 30, which fit a byte; small primes are a pattern to be copied).
Look for  Trial division asks of each number anew what the sieve tells all at once.  `numpy_slices` goes through memory
          for every prime, `segments_compiled` writes as often into a cache, `wheel_threads` a fifth as often.
          The limit counts the bytes of flags and list.  Neither flops nor memory stop a sieve that stays in cache, but
          that a core changes no more than one byte in a cycle.
          Why the library wins: sympy lists Python's integers, but its count needs no list: $O(n^{3/4})$ operations, by
          the formula that all results are held against, win from some size on, even in Python.  primesieve is the best
          sieve there is: in windows far higher than the default one its wheel of 210 makes fewer crossings and its
          buckets of primes fewer visits; and for very small counts calling our threads takes longer than the sieve.
Source    D. E. Knuth, The Art of Computer Programming 2, 3rd ed. (1997), section 4.5.4.  C. Bays, R. Hudson, The
          segmented sieve of Eratosthenes and primes in arithmetic progressions to $10^{12}$, BIT 17 (1977), 121-127,
          doi:10.1007/BF01932283.
"""

from __future__ import annotations

from math import isqrt, log, sqrt
from typing import Annotated

import numpy as np

from exp_core import Cost, Experiment, Implementation, Problem
from maths_exp.basics._primes_blocks import L2, RUN, wheel_threads
from maths_exp.basics._primes_odd import SEGMENT, segments_compiled
from maths_exp.basics._primes_picture import picture
from maths_exp.basics._primes_sums import exact_sums, wrong
from maths_exp.basics._primes_tested import CERTAIN


def trial_division(low, high, counting):
    """Divide each number by all numbers to its root, until one divides it."""
    primes = [n for n in range(max(low, 2), high + 1) if all(n % d for d in range(2, isqrt(n) + 1))]
    return np.int64(len(primes)) if counting else np.array(primes, np.int64)


def eratosthenes(low, high, counting):
    """Not each number by each prime, but each prime to its own multiples: nothing is divided."""
    low = max(low, 2)
    left = bytearray([1]) * max(high - low + 1, 0)
    for p in eratosthenes(2, isqrt(high), False).tolist() if high > 3 else []:
        for multiple in range(max(p * p, -(-low // p) * p), high + 1, p):
            left[multiple - low] = 0
    primes = [low + i for i, prime in enumerate(left) if prime]
    return np.int64(len(primes)) if counting else np.array(primes, np.int64)


def numpy_slices(low, high, counting):
    """Odd numbers only, and a prime's multiples at once: a slice."""
    start = max(low, 3) | 1
    left = np.ones(max(high - start + 2, 0) // 2, bool)
    for p in numpy_slices(3, isqrt(high), False).tolist() if high > 8 else []:
        first = max(p * p, (-(-start // p) | 1) * p)
        left[(first - start) // 2 :: p] = False
    two = int(low <= 2 <= high)
    if counting:
        return np.int64(two + np.count_nonzero(left))
    return np.concatenate([np.array([2][:two], np.int64), start + 2 * np.flatnonzero(left)])


def sympy_primes(low, high, counting):
    """sympy: `primerange`, with the primes to the root sieved beforehand; a count by `primepi`, without a list."""
    from sympy import primepi, primerange, sieve
    from sympy.core.cache import clear_cache

    if counting:
        clear_cache()  # it would remember its answer
        return np.int64(int(primepi(high)) - int(primepi(low - 1)))
    sieve.extend(isqrt(high) + 1)  # or `primerange` would test number after number
    return np.fromiter(primerange(low, high + 1), np.int64)


def primesieve_primes(low, high, counting):
    """primesieve, the best there is: counts on all cores, lists on one."""
    import primesieve

    if counting:
        return np.int64(primesieve.count_primes(low, high))
    return np.frombuffer(primesieve.primes(low, high), np.int64)


def up_to(n: Annotated[int, "list the primes to this number"] = 10_000_000, *, dtype, rng):
    """All primes to a number, as a list."""
    return checked(0, n, False)


def count_up_to(n: Annotated[int, "count the primes to this number"] = 100_000_000, *, dtype, rng):
    """How many primes there are to a number, without a list."""
    return checked(0, n, True)


def window(
    start: Annotated[int, "where the window begins"] = 1_000_000_000_000,
    n: Annotated[int, "numbers in the window"] = 10_000_000,
    *,
    dtype,
    rng,
):
    """High up: most primes that are needed are larger than a segment, and come by once or never."""
    return checked(start, start + n - 1, False)


def square(
    root: Annotated[int, "the window ends with the square of the next prime"] = 100_000,
    n: Annotated[int, "numbers in the window"] = 10_000_000,
    *,
    dtype,
    rng,
):
    """The last number is the square of a prime: who rounds a root down, or stops short of it, calls it one."""
    p = max(root, 2)
    while any(p % d == 0 for d in range(2, isqrt(p) + 1)):
        p += 1
    return checked(max(p * p - n + 1, 0), p * p, False)


def checked(low, high, counting):
    """The input, if the numbers are small enough to be held against something.  Raises ValueError."""
    if high >= CERTAIN:
        raise ValueError(f"primes to {high:.3g} cannot be checked: keep below {CERTAIN:.3g}")
    return low, high, counting


def found(result, low, high, counting, truth):
    """How many primes there are."""
    return truth[0]


def cost(flag, kept):
    """Flags of so many bytes a number, written and read, of which so many are kept at a time; then the list.

    No flops: a crossing is a byte in cache.  A list has about n / ln high entries; memory is for twice as many.
    """

    def at(low, high, counting):
        n = max(high - low + 1, 0)
        entries = 0.0 if counting else n / log(high + 3)
        room = kept(n) + 32 * sqrt(high) + 32 * entries + 1000
        return Cost(bytes=2 * flag * n + 8 * entries + 8, memory=room)

    return at


def without_a_sieve(low, high, counting):
    """For a count so many sums of Lehmer's formula; a list is one of Python's integers."""
    if counting:
        return Cost(bytes=8 * high**0.75, memory=200 * sqrt(high) + 1000)
    return integers(low, high, counting)


def none(low, high, counting):
    """Whole numbers: nothing may be wrong."""
    return 0.0


numbers = cost(1, lambda n: n + 72 * n / log(n + 3))  # of a prime a Python integer and its place in a list
odd = cost(1 / 2, lambda n: n / 2)
segments = cost(1 / 2, lambda n: SEGMENT)
bits = cost(1 / 30, lambda n: n / 30 + 64 * (RUN + L2))
integers = cost(1, lambda n: 72 * n / log(n + 3))

AWKWARD = ({"n": 1}, {"n": 2}, {"n": 7}, {"n": 30}, {"n": 121}, {"n": 10_201}, {"n": 30_031})
EXPERIMENT = Experiment(
    problems=(
        Problem(up_to, small={"n": 20_000}, awkward=AWKWARD),
        Problem(count_up_to, small={"n": 20_000}, awkward=AWKWARD),
        Problem(
            window,
            kind="hard",
            small={"start": 10**8, "n": 2_000},
            awkward=({"start": 1, "n": 1}, {"start": 2, "n": 6}, {"start": 31, "n": 30}, {"start": 10**9 + 7, "n": 1}),
        ),
        Problem(
            square,
            kind="hard",
            small={"root": 1_000, "n": 2_000},
            awkward=({"root": 1, "n": 1}, {"root": 101, "n": 97}, {"root": 31, "n": 961}),
        ),
    ),
    oracle=exact_sums,
    laws={"wrong places": wrong},
    figures={"primes": found},
    dtypes=("int64",),
    implementations=(
        Implementation(trial_division, "textbook", cost=numbers, bound=none),
        Implementation(eratosthenes, "textbook", cost=numbers, bound=none),
        Implementation(numpy_slices, "vectorised", cost=odd, bound=none),
        Implementation(segments_compiled, "compiled", cost=segments, bound=none),
        Implementation(wheel_threads, "compiled", cost=bits, bound=none),
        Implementation(sympy_primes, "library", cost=without_a_sieve, bound=none, requires=("sympy",)),
        Implementation(primesieve_primes, "library", cost=bits, bound=none, requires=("primesieve",)),
    ),
    picture=picture,
)
