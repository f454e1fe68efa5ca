"""Primes: certified counts, laws of primes, the seams between blocks and runs, and sabotage of single crossings."""

import numpy as np
import pytest
from assembly import INTEGERS, host_width, vector_width

from maths_exp.basics import _primes_blocks as blocks
from maths_exp.basics import _primes_odd as odd
from maths_exp.basics import _primes_sums as sums
from maths_exp.basics import _primes_tested as tested
from maths_exp.basics import _primes_wheel as wheel
from maths_exp.basics import primes

# pi(10^k), k = 1, 2, ...: OEIS A006880.
COUNTS = (4, 25, 168, 1229, 9592, 78498, 664579, 5761455, 50847534)
# Pairs (p, p + 2) with p < 10^k: OEIS A007508.
TWINS = (2, 8, 35, 205, 1224, 8169, 58980)
# A gap larger than all before it begins after this prime: OEIS A005250, A002386.
RECORDS = {
    2: 1,
    3: 2,
    7: 4,
    23: 6,
    89: 8,
    113: 14,
    523: 18,
    887: 20,
    1129: 22,
    1327: 34,
    9551: 36,
    15683: 44,
    19609: 52,
}
RECORDS |= {31397: 72, 155921: 86, 360653: 96, 370261: 112, 492113: 114, 1349533: 118, 1357201: 132, 2010733: 148}
RECORDS |= {4652353: 154}

OURS = [i.function for i in primes.EXPERIMENT.implementations if not i.requires]
FAST = [primes.numpy_slices, odd.segments_compiled, blocks.wheel_threads]


@pytest.fixture(autouse=True)
def parts():
    pytest.importorskip("numba", reason="half of the rungs are compiled")


@pytest.mark.parametrize("k", range(1, 10))
def test_the_formula_that_knows_no_primes_knows_their_number(k):
    assert sums.sums_to(10**k)[0] == COUNTS[k - 1]


def test_sums_of_powers_and_single_numbers_agree():
    """Two oracles that share nothing; the sums are modulo 2^64 where squares exceed it."""
    for low, high in ((0, 20_000), (1, 2), (96, 97), (10**7, 10**7 + 500)):
        listed = np.concatenate([np.zeros(0, int), *tested.primes_between(low, high)]).tolist()
        parts = zip(sums.sums_to(high), sums.sums_to(low - 1), strict=True)
        assert [(a - b) % 2**64 for a, b in parts] == [sum(p**k for p in listed) % 2**64 for k in range(3)]


def test_strong_pseudoprimes_are_told_from_primes():
    """The smallest composites that pass for the bases 2; 2, 3; ...; 2, ..., 13: Jaeschke (1993)."""
    for composite in (2047, 1_373_653, 25_326_001, 3_215_031_751, 2_152_302_898_747, 3_474_749_660_383):
        assert tested.passes(np.array([composite]), 2)[0]
        assert composite not in next(tested.primes_between(composite, composite))


@pytest.mark.parametrize("function", FAST, ids=lambda f: f.__name__)
def test_counts_are_the_certified_ones(function):
    for k, count in enumerate(COUNTS[:7], start=1):
        assert function(0, 10**k, True) == count
        assert function(0, 10**k, False).size == count


def test_a_thousand_million_numbers_are_counted():
    assert blocks.wheel_threads(0, 10**9, True) == COUNTS[8]


@pytest.mark.parametrize("function", FAST, ids=lambda f: f.__name__)
def test_twins_and_record_gaps_are_the_known_ones(function):
    listed = function(0, 10**7, False)
    gaps = np.diff(listed)
    for k, twins in enumerate(TWINS, start=1):
        assert np.count_nonzero(gaps[listed[:-1] < 10**k] == 2) == twins
    best = np.maximum.accumulate(gaps)
    new = np.flatnonzero(np.diff(best, prepend=0))
    assert dict(zip(listed[new].tolist(), gaps[new].tolist(), strict=True)) == RECORDS


@pytest.mark.parametrize("function", OURS, ids=lambda f: f.__name__)
def test_every_window_of_the_first_numbers(function):
    """Both ends anywhere, across the bytes that hold the copied primes themselves."""
    few = [p for p in range(2, 130) if all(p % d for d in range(2, p))]
    for low in (0, 1, 2, 3, 6, 7, 8, 30, 31, 49, 89, 90, 97, 98, 119, 121):
        for high in (*range(low, low + 3), 31, 96, 97, 120, 121, 129):
            expected = [p for p in few if low <= p <= high]
            assert function(low, high, False).tolist() == expected
    assert function(90, 128, True) == sum(90 <= p <= 128 for p in few)


@pytest.mark.parametrize(
    "seam",
    [30 * blocks.L1, 30 * blocks.L2, 30 * blocks.RUN, 2 * odd.SEGMENT, blocks.SMALL**2, 10_201],
    ids=["L1", "L2", "run", "odd", "small", "first"],
)
def test_nothing_is_lost_between_blocks(seam):
    """A window across the seam, alone and as the end of a longer one, has the primes that single tests find."""
    low, high = seam - 300, seam + 300
    expected = np.concatenate(list(tested.primes_between(low, high)))
    for function in FAST[1:]:
        assert np.array_equal(function(low, high, False), expected)
        assert np.array_equal(function(0, high, False)[-expected.size :], expected)


def test_large_primes_in_many_runs():
    """Beyond the primes that stay in blocks: runs of the far ones, and a window that begins within a period."""
    low = 5 * 10**12 + 12_345
    high = low + 30 * blocks.RUN + 1001
    assert blocks.wheel_threads(low, high, True) == odd.segments_compiled(low, high, True)
    end = np.concatenate(list(tested.primes_between(high - 10_000, high)))
    assert np.array_equal(blocks.wheel_threads(high - 10_000, high, False), end)


def test_offsets_are_the_products():
    """Every prime's eight crossings of a period, multiplied out."""
    for p in (101, 103, 107, 109, 113, 127, 131, 149, 65_537):
        for bit, offset in enumerate(wheel.offsets.py_func(np.uint64(p))):
            number = 30 * int(offset) + int(wheel.RESIDUES[bit])
            assert number % p == 0
            assert offset < p


def test_a_square_of_a_prime_ends_its_window():
    for root, p in ((1, 2), (8, 11), (97, 97), (10_000, 10_007)):
        low, high, _ = primes.square(root, 50, dtype="int64", rng=None)
        assert high == p * p
        assert max(low - 1, 0) == max(p * p - 50, 0)


def test_numbers_beyond_any_check_are_refused():
    with pytest.raises(ValueError, match="keep below"):
        primes.window(10**15, 1, dtype="int64", rng=None)


def test_sabotage_of_one_place_is_caught():
    """A composite more, a prime less, both at once (the count is right then), a wrong place, disorder."""
    low, high = 10**6, 10**6 + 5000
    truth = sums.exact_sums(low, high, False)
    good = blocks.wheel_threads(low, high, False)
    assert sums.wrong(good, low, high, False, truth) == 0
    composite = next(n for n in range(low, high) if n not in good)
    more = np.sort(np.append(good, composite))
    less = np.delete(good, 100)
    both = np.delete(more, 200)
    neighbour = good.copy()
    neighbour[50] += 2 if good[50] + 2 != good[51] else 4
    swapped = good.copy()
    swapped[[3, 4]] = good[[4, 3]]
    outside = np.append(good[1:], 10**6 + 5003)
    for bad in (more, less, both, neighbour, swapped, outside, good[:0]):
        assert sums.wrong(bad, low, high, False, truth) > 0
    assert sums.wrong(np.int64(good.size + 1), low, high, True, truth) == 1


def test_a_crossing_left_out_is_seen(monkeypatch):
    """Patterns without the multiples of 7: composites are listed, and the sums know it."""
    broken = wheel.patterns().copy()
    broken[: wheel.PERIODS[0]] = 255
    monkeypatch.setattr(blocks, "patterns", lambda: broken)
    truth = sums.exact_sums(0, 50_000, False)
    assert sums.wrong(blocks.wheel_threads(0, 50_000, False), 0, 50_000, False, truth) == 3
    assert sums.wrong(blocks.wheel_threads(0, 50_000, True), 0, 50_000, True, truth) > 0


@pytest.mark.parametrize(("low", "high"), [(0, 10**6), (10**9, 10**9 + 10**6)])
def test_libraries_agree(low, high):
    expected = blocks.wheel_threads(low, high, False)
    for function, module in ((primes.sympy_primes, "sympy"), (primes.primesieve_primes, "primesieve")):
        pytest.importorskip(module)
        assert np.array_equal(function(low, high, False), expected)


def test_patterns_are_joined_as_vectors():
    numba = pytest.importorskip("numba")
    numbers = numba.uint8[::1]
    assert vector_width(wheel.copy_patterns, (numbers, numba.int64, numbers), INTEGERS) >= host_width()
