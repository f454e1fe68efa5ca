"""Sorting: permutations, stability, the zero-one principle, the adversary, groups that tie in their leading digits."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from assembly import COMPARISONS, INTEGERS, host_width, vector_width

from maths_exp.algorithms import _sorting_counted as counted
from maths_exp.algorithms import _sorting_intervals as intervals
from maths_exp.algorithms import _sorting_keys as keys
from maths_exp.algorithms import _sorting_problems as problems
from maths_exp.algorithms import _sorting_radix as radix
from maths_exp.algorithms import _sorting_runs as runs
from maths_exp.algorithms import _sorting_strays as strays
from maths_exp.algorithms import _sorting_textbook as textbook
from maths_exp.algorithms import sorting

OURS = [i.function for i in sorting.EXPERIMENT.implementations if i.rung != "library"]


@pytest.fixture(autouse=True)
def parts():
    pytest.importorskip("numba", reason="three of the rungs are compiled")


@pytest.mark.parametrize("function", OURS, ids=lambda f: f.__name__)
def test_all_sequences_of_zeros_and_ones_are_sorted(function):
    """Knuth, section 5.3.4: a network that sorts these sorts everything."""
    for bits in product((0, 1), repeat=7):
        assert function(np.array(bits)).tolist() == sorted(bits)


@pytest.mark.parametrize("function", OURS, ids=lambda f: f.__name__)
def test_the_result_is_a_permutation_in_order(function):
    x = np.random.default_rng(1).integers(-40, 40, 600)
    result = function(x)
    assert (np.diff(result) >= 0).all()
    assert Counter(result.tolist()) == Counter(x.tolist())


def test_insertion_and_merges_keep_equals_in_their_order():
    class Card:
        def __init__(self, rank, number):
            self.rank, self.number = rank, number

        def __lt__(self, other):
            return self.rank < other.rank

    cards = [Card(rank, i) for i, rank in enumerate(np.random.default_rng(2).integers(0, 4, 40).tolist())]
    expected = sorted((c.rank, c.number) for c in cards)
    inserted = cards.copy()
    textbook.insertion(inserted, 0, len(inserted))
    runs = [[c] for c in cards]
    while len(runs) > 1:
        runs = [textbook.merge(a, b) for a, b in zip(runs[::2], [*runs[1::2], []], strict=False)]
    for result in (inserted, runs[0]):
        assert [(c.rank, c.number) for c in result] == expected


class Counting(float):
    """A number that counts how often it is compared."""

    comparisons = 0

    def __lt__(self, other):
        Counting.comparisons += 1
        return float.__lt__(self, other)


def comparisons(x, levels):
    a = [Counting(v) for v in x.tolist()]
    Counting.comparisons = 0
    textbook.quick(a, levels)
    assert a == sorted(x.tolist())
    return Counting.comparisons


def test_the_adversary_makes_quicksort_quadratic_and_not_introsort():
    """Each partition of m elements takes at least m comparisons and takes two away: $n^2 / 4$ in all."""
    n = 1200
    (x,) = problems.killer(n, dtype="float64", rng=None)
    assert sorted(x.tolist()) == list(range(n))
    assert comparisons(x, n) >= sum(range(n, textbook.SHORT, -2))
    # the heap: at most 2 log2 n comparisons for each element that it takes away and each that it is made of, and
    # the 2 log2 n levels before it look at every element about once each
    levels = 2 * n.bit_length()
    assert comparisons(x, levels) <= (2 + 2 + 2) * n * n.bit_length()


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_keys_that_agree_in_their_leading_digits(dtype):
    """Groups shorter and longer than insertion's, across the edges of the parts, and one group of everything."""
    rng = np.random.default_rng(3)
    n = 3 * radix.PART + 5
    for size in (intervals.SHORT - 1, intervals.SHORT + 1, radix.PART + 3, n):
        x = (rng.integers(0, 2**31, -(-n // size))[:, None] * 2**32 + rng.integers(0, 2**20, size)).ravel()
        x[0], x[-1] = -(2**62), 2**62  # all bits vary
        x = x.astype(dtype) if dtype == "int64" else (np.abs(x) >> 1).view(dtype)
        rng.shuffle(x)
        assert np.array_equal(radix.radix_threads(x), np.sort(x))


@pytest.mark.parametrize("function", OURS, ids=lambda f: f.__name__)
def test_zeros_keep_their_signs_and_nan_comes_last(function):
    x = np.array([0.0, np.nan, -0.0, 1.0, -np.inf, 0.0, -np.nan, np.inf, -0.0, 5e-324, -5e-324] * 5)
    result = function(x)
    assert np.isnan(result[-10:]).all()
    assert np.array_equal(result[:-10], np.sort(x)[:-10])
    assert np.count_nonzero(np.signbit(result[result == 0])) == 10


def test_sabotage_is_caught():
    """Two elements exchanged, one twice in place of another, another bit at the end, a zero with a wrong sign."""
    x = np.append(np.random.default_rng(4).random(100), [0.0, -0.0])
    truth = sorting.in_order(x)
    assert sorting.wrong(truth, x, truth) == sorting.signs(truth, x, truth) == 0
    swapped, twice, off, sign = (truth.copy() for _ in range(4))
    swapped[[7, 8]] = truth[[8, 7]]
    twice[9] = truth[10]
    off[50] = np.nextafter(off[50], 2)
    sign[:2] = 0.0
    assert [sorting.wrong(bad, x, truth) for bad in (swapped, twice, off)] == [2, 1, 1]
    assert sorting.signs(sign, x, truth) == 1
    with pytest.raises(TypeError):
        sorting.wrong(truth[1:], x, truth)


@pytest.mark.parametrize("bits", ["uint32", "uint64"])
def test_keys_are_made_of_many_numbers_at_once(bits):
    numba = pytest.importorskip("numba")
    number = numba.from_dtype(np.dtype(bits))
    numbers, masks = number[::1], numba.types.UniTuple(number, 3)
    assert vector_width(keys.to_keys, (numbers, masks, numbers), INTEGERS) >= host_width()
    assert vector_width(keys.to_bits, (numbers, masks, numbers), INTEGERS) >= host_width()
    assert vector_width(counted.often, (numbers, number), INTEGERS) >= host_width()


def test_neighbours_are_compared_many_at_once():
    numba = pytest.importorskip("numba")
    for number in (numba.float64, numba.float32):
        arguments = (number[::1], numba.int64, numba.boolean)
        assert vector_width(runs.end_of_run, arguments, COMPARISONS) >= host_width()


def as_library(x):
    results = radix.radix_threads(x), sorting.adaptive_threads(x)
    assert all(result.dtype == x.dtype for result in results)
    return all(np.array_equal(result, np.sort(x), equal_nan=x.dtype.kind == "f") for result in results)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
@pytest.mark.parametrize("n", [0, 1, 2, intervals.SHORT, intervals.SHORT + 1, radix.BLOCK + 1, radix.PART - 1, 100_003])
def test_keys_of_every_spread_are_cut(n, dtype):
    """Evenly spread and not at all, in order, all equal, and one far away from all others."""
    x = np.random.default_rng(n).standard_normal(n)
    for y in (x * 1e6, x * x * x, np.sort(x * 100), np.full(n, 7), np.append(x[1:], 1e9)):
        assert as_library(y.astype(dtype))


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_an_interval_with_most_of_the_keys_is_cut_again_by_all_threads(dtype, monkeypatch):
    """Ranges nested in each other, down to one where all are equal: a cut leaves nearly all in one interval."""
    monkeypatch.setattr(radix, "LARGE", 200)
    cuts = []
    cut = radix.cut
    monkeypatch.setattr(radix, "cut", lambda bits, *rest: cuts.append(bits.size) or cut(bits, *rest))
    rng = np.random.default_rng(8)
    x = np.concatenate([[2**k, 2**k + 1] for k in range(0, 62, 3)] + [np.full(50_000, 3), rng.integers(0, 2**20, 3000)])
    x = x.astype(dtype) if dtype == "int64" else x.view("float64")
    rng.shuffle(x)
    assert as_library(x)
    assert len(cuts) > 2
    assert cuts == sorted(cuts, reverse=True)


def test_a_cut_takes_bits_off_the_range():
    """Digits that reach from the smallest to the largest key, of about as many values as there are keys."""
    for dtype in ("uint64", "uint32"):
        kind, top = np.dtype(dtype).type, int(np.iinfo(dtype).max)
        for low, high in ((0, 0), (5, 5), (0, 1), (3, 1027), (top - 1, top), (0, top), (top // 3, top)):
            for count in (1, 30, 10**6):
                shift, bits = intervals.first_digit.py_func(kind(low), kind(high), count, radix.FIRST)
                assert 0 <= bits <= min(radix.FIRST, count.bit_length())
                assert (high - low) >> shift < 1 << bits
                assert shift == 0 or (high - low) >> shift >= 1 << (bits - 1)


def two_runs(n, split, directions, rng):
    """Numbers, many of them twice, whose first `split` and whose others rise (1) or fall (-1)."""
    x = rng.integers(0, max(n // 2, 1), n)
    return np.concatenate([np.sort(part)[::way] for part, way in zip((x[:split], x[split:]), directions, strict=True)])


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
@pytest.mark.parametrize("n", [1, 2, 3, 17, 2 * runs.BLOCK + 1, 3 * runs.PART + 5])
def test_two_runs_are_merged(n, dtype):
    """Of every length and direction, equals in both; one empty, one with a number or two, one before the other."""
    rng = np.random.default_rng(n)
    for split in {0, 1, min(2, n), n // 3, n // 2, n - 1, n}:
        for directions in product((1, -1), repeat=2):
            x = two_runs(n, split, directions, rng)
            for y in (x, x + np.where(np.arange(n) < split, n, 0), x - np.where(np.arange(n) < split, n, 0)):
                result = runs.merge_runs(y.astype(dtype))
                assert result is None or np.array_equal(result, np.sort(y).astype(dtype))
                rises = y[1:] >= y[:-1]
                simple = rises.all() or (directions == (1, 1) and np.count_nonzero(~rises) == 1)
                assert result is not None or not simple


def test_a_third_run_and_what_is_no_number_end_the_look():
    for n in (3, 40, 3 * runs.BLOCK, 50_000):
        x = np.arange(n, dtype="float64")
        assert np.array_equal(runs.merge_runs(np.roll(x, n // 3)), x)
        for i in {0, n // 3, n - 1}:
            y = x.copy()
            y[i] = np.nan
            assert runs.merge_runs(y) is None
            assert np.array_equal(sorting.adaptive_threads(y), np.sort(y), equal_nan=True)
    third = np.concatenate([np.arange(1000), np.arange(1000), [0]])
    assert runs.merge_runs(third[:-1]) is not None
    assert runs.merge_runs(third) is None
    assert np.array_equal(sorting.adaptive_threads(third), np.sort(third))


def test_no_number_of_a_part_of_a_merge_belongs_to_another():
    """Each part's numbers are between those of its neighbours, equals from the first run before those of the second."""
    rng = np.random.default_rng(11)
    for directions in product((1, -1), repeat=2):
        x = two_runs(101, 40, directions, rng)
        a, b = [(0, 40, 1) if directions[0] > 0 else (39, 40, -1), (40, 61, 1) if directions[1] > 0 else (100, 61, -1)]
        ours = [x[first + np.arange(length) * step].tolist() for first, length, step in (a, b)]
        order = sorted([(v, 0) for v in ours[0]] + [(v, 1) for v in ours[1]])
        for k in range(102):
            assert runs.of_first.py_func(x, a, b, k) == sum(run == 0 for _, run in order[:k])


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
@pytest.mark.parametrize("n", [1, 16, counted.BLOCK + 1, 3 * counted.PART + 5])
def test_few_numbers_are_counted(n, dtype):
    """As many different ones as the table has places, and one more: at the beginning, at the end, in no other part."""
    rng = np.random.default_rng(n)
    values = rng.permutation(np.arange(-8, 9) * 1000).astype(dtype)
    x = rng.choice(values[: counted.PLACES], n)
    assert np.array_equal(counted.count_equals(x), np.sort(x))
    x[: counted.PLACES] = values[: min(n, counted.PLACES)]
    if n > counted.PLACES:
        for place in (counted.PLACES, n // 2, n - 1):
            y = x.copy()
            y[place] = values[-1]
            assert counted.count_equals(y) is None
            assert np.array_equal(sorting.adaptive_threads(y), np.sort(y))


def test_parts_with_different_numbers_are_counted_together():
    """Each part's table holds numbers that the others have not met; all together are more than a table's places."""
    x = np.repeat(np.random.default_rng(5).permutation(40).astype("float64"), counted.PART // 4)
    assert np.array_equal(counted.count_equals(x), np.sort(x))


def test_counted_numbers_keep_their_signs_and_nan_comes_last():
    x = np.random.default_rng(6).choice([np.nan, -np.nan, 0.0, -0.0, np.inf, -np.inf, 5e-324], 50_000)
    result = counted.count_equals(x)
    assert np.array_equal(result, np.sort(x), equal_nan=True)
    assert sorting.signs(result, x, np.sort(x)) == 0


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
@pytest.mark.parametrize("n", [1, 2, 31, 997, 3 * radix.PART + 5])
def test_strays_are_sorted_alone(n, dtype):
    """Numbers set anywhere, alone, side by side, at both ends, above and below all others; and none."""
    rng = np.random.default_rng(n)
    x = np.sort(rng.integers(0, n, n))
    for places in ([], [0], [n - 1], [n // 2, (n // 2 + 1) % n], rng.integers(0, n, n // 50)):
        for values in (-1, 2 * n, rng.integers(0, n, len(places))):
            y = x.copy()
            y[places] = values
            result = strays.merge_strays(y.astype(dtype))
            assert result is not None
            assert np.array_equal(result, np.sort(y).astype(dtype))


def test_too_many_strays_end_the_look():
    rng = np.random.default_rng(12)
    x = rng.random(50_000)
    room = np.zeros_like(x)
    assert strays.merge_strays(x) is None
    assert strays.part(x, room) == 0
    assert np.count_nonzero(room) < 20 * strays.SOME, "and soon"
    shuffled = np.concatenate([np.arange(25_000.0), rng.random(25_000) * 25_000])
    falling = np.concatenate([np.arange(25_000.0), np.arange(25_000.0)[::-1]])
    for y in (shuffled, falling):
        assert strays.merge_strays(y) is None
        assert np.array_equal(sorting.adaptive_threads(y), np.sort(y))
    for i in (0, 25, 49_999):
        y = np.sort(x)
        y[i] = np.nan
        assert strays.merge_strays(y) is None


def test_who_strays_is_decided_with_the_next_numbers():
    """Three in a row that are too large go, and those after them stay; a number that is too small goes alone."""
    x = np.array([1, 2, 3, 90, 91, 92, 4, 5, 6, 7, 8, 0, 9, 10])
    room = np.zeros_like(x)
    assert strays.part.py_func(x, room) == 10
    assert room.tolist() == [*range(1, 11), 0, 90, 91, 92]
