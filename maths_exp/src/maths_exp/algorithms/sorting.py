"""Sorting: n log n comparisons at best, unless nobody compares.

Problem   Put the numbers x, shape (n,), in ascending order; as NumPy has it, -0.0 equals 0.0, and NaN comes last.
Idea      Insertion moves each element past all larger ones: $n^2 / 4$ moves.  To halve is better: merge sort splits
          by place and merges by value, quicksort splits by value and has nothing to merge, a heap is half sorted and
          cheap to keep so.  Each takes about $n \\log_2 n$ comparisons, and no sort that compares takes fewer than
          $\\log_2 n!$.  A radix sort looks at digits instead: a constant number of passes.
Look for  `killer` makes quicksort quadratic and leaves introsort, which counts its levels, as it was; `radix_threads`
          never compares and never notices.  `nearly_sorted` is quick where a branch is guessed by its history.
          np.sort is a quicksort on vectors where the processor has AVX2 or AVX-512, on one core: a comparison costs it
          a fraction of a cycle, and all but the first of its dozen passes stay in the second cache.  So it is not
          enough for a radix sort to pass fewer times, if each pass goes through all of memory.  `radix_threads` goes
          through memory once, and sorts what it has parted while it is in a core's own cache.  Of its 2.6 ms for a
          million doubles on two cores of a Zen 5 (np.sort: 4.8) the way into 4096 intervals takes 0.7; on ten million
          both are even.  `adaptive_threads` looks first, and on random numbers ends the look after some dozens.
          `organ-pipes` are two runs, merged once; a few of `nearly-sorted` stray, and are sorted alone; `ties` and
          `special` are seven and eleven different numbers, counted and never moved.  Why the library wins below a
          hundred thousand numbers: a call of ours costs Python 5 to 10 microseconds before it begins, and then waits
          for the counter of every digit.  The 766 values of `photograph` are too many to be counted by comparing.
Source    D. E. Knuth, The Art of Computer Programming 3, 2nd ed. (1998), chapter 5.  C. A. R. Hoare, Quicksort, The
          Computer Journal 5 (1962), 10-16, doi:10.1093/comjnl/5.1.10.
"""

from __future__ import annotations

import numpy as np

from exp_core import Cost, Experiment, Implementation, Problem
from maths_exp.algorithms import _sorting_problems as problems
from maths_exp.algorithms import _sorting_textbook as textbook
from maths_exp.algorithms._sorting_compiled import intro_compiled, quick_compiled
from maths_exp.algorithms._sorting_counted import count_equals
from maths_exp.algorithms._sorting_network import numpy_network
from maths_exp.algorithms._sorting_picture import picture
from maths_exp.algorithms._sorting_radix import radix_threads
from maths_exp.algorithms._sorting_runs import merge_runs
from maths_exp.algorithms._sorting_strays import merge_strays


def insertion_sort(x):
    """Each element moves left past all that are larger."""
    a, rest = numbers_first(x)
    textbook.insertion(a, 0, len(a))
    return np.array(a + rest, x.dtype)


def merge_sort(x):
    """Runs of one element are merged to runs of two, of four, of eight: stable, with a second list."""
    a, rest = numbers_first(x)
    width = 1
    while width < len(a):
        pairs = range(0, len(a), 2 * width)
        a = [v for i in pairs for v in textbook.merge(a[i : i + width], a[i + width : i + 2 * width])]
        width *= 2
    return np.array(a + rest, x.dtype)


def heap_sort(x):
    """In place, whatever comes: the largest of a heap goes to the end, and the heap is mended."""
    a, rest = numbers_first(x)
    textbook.heap(a, 0, len(a))
    return np.array(a + rest, x.dtype)


def quick_sort(x):
    """Split by value: fewer moves than a heap, but quadratic where each median of three is nearly the smallest."""
    a, rest = numbers_first(x)
    textbook.quick(a, len(a))
    return np.array(a + rest, x.dtype)


def intro_sort(x):
    """Quicksort that gives up after 2 log2 n levels, and leaves what is still long to the heap."""
    a, rest = numbers_first(x)
    textbook.quick(a, 2 * len(a).bit_length())
    return np.array(a + rest, x.dtype)


def adaptive_threads(x):
    """A look first: two runs are merged, few strays sorted alone, few different numbers counted; else the same."""
    for easy in (merge_runs, merge_strays, count_equals):
        if (result := easy(x)) is not None:
            return result
    return radix_threads(x)


def np_sort(x):
    """NumPy's default: a vectorised quicksort where the processor allows one, else introsort."""
    return np.sort(x)


def np_sort_stable(x):
    """NumPy's stable sort, a merge sort that knows runs: what order among equals costs, and a sorted input saves."""
    return np.sort(x, kind="stable")


def numbers_first(x):
    """The numbers of x, and what is not a number: two lists."""
    return [v for v in x.tolist() if v == v], [v for v in x.tolist() if v != v]


def in_order(x):
    """The numbers in order by another way: Python's own sort, which is stable."""
    a, rest = numbers_first(x)
    return np.array(sorted(a) + rest, x.dtype)


def wrong(result, x, truth):
    """How many places hold another number than they should."""
    result = np.asarray(result)
    if result.shape != x.shape or result.dtype != x.dtype:
        raise TypeError(f"{x.dtype} {x.shape} sorted is not {result.dtype} {result.shape}")
    same = (result == truth) | ((result != result) & (truth != truth))
    return np.count_nonzero(~same)


def signs(result, x, truth):
    """How many zeros have lost or won a sign: equal, so in any order, but none may become another."""
    negative = (np.count_nonzero(np.signbit(y[y == 0])) for y in (np.asarray(result), truth))
    return abs(next(negative) - next(negative))


def cost(passes, memory):
    """No flops: comparisons count nothing.  So many passes read and write all numbers; memory in bytes a number."""

    def at(x):
        moved = float(passes(x) * x.nbytes)
        return Cost(bytes=2 * moved + x.itemsize, memory=float(memory(x)) + 1000, written=moved)

    return at


def once(x):
    """In place: no number needs to leave the cache more than once."""
    return 1


def halvings(x):
    """A pass for each doubling of the runs."""
    return max(x.size - 1, 0).bit_length() or 1


def cuts(x):
    """To see how far the keys reach, to count digits, to move the keys, and to sort them part by part in a cache."""
    return 3


def nothing(x):
    """Numbers have one right order."""
    return 0.0


def zeros(x):
    """The minimum and the maximum of -0.0 and 0.0 are both either, in vectors: any sign of a zero may get lost."""
    return np.count_nonzero(x == 0)


EXACT = {"wrong places": nothing, "signs of zero": nothing}
VALUES = {"wrong places": nothing, "signs of zero": zeros}

lists = cost(once, lambda x: 120 * x.size)  # number objects, and places in three lists
merges = cost(halvings, lambda x: 160 * x.size)
rounds = cost(lambda x: halvings(x) * (halvings(x) + 1) / 2, lambda x: 40 * x.size + 3 * x.nbytes)
keys = cost(once, lambda x: 2 * x.nbytes)
passes = cost(cuts, lambda x: 2 * x.nbytes)
native = cost(once, lambda x: x.nbytes)

SMALL = {"n": 1000}
AWKWARD = ({"n": 1}, {"n": 2}, {"n": 17}, {"n": 257})
FLOATS = ("float64", "float32")

EXPERIMENT = Experiment(
    problems=(
        Problem(problems.random, small=SMALL, awkward=AWKWARD),
        Problem(problems.nearly_sorted, kind="hard", small=SMALL),
        Problem(problems.organ_pipes, kind="hard", small=SMALL),
        Problem(problems.ties, kind="hard", small=SMALL),
        Problem(problems.killer, kind="hard", small=SMALL, awkward=({"n": 18}, {"n": 97})),
        Problem(problems.special, kind="hard", small=SMALL, awkward=({"n": 1}, {"n": 31}), dtypes=FLOATS),
        Problem(problems.photograph, kind="real", small={"every": 20}, thins=("every",), requires=("sklearn", "PIL")),
    ),
    oracle=in_order,
    laws={"wrong places": wrong, "signs of zero": signs},
    dtypes=("float64", "float32", "int64", "int32"),
    implementations=(
        Implementation(insertion_sort, "textbook", cost=lists, bound=EXACT),
        Implementation(merge_sort, "textbook", cost=merges, bound=EXACT),
        Implementation(heap_sort, "textbook", cost=lists, bound=EXACT),
        Implementation(quick_sort, "textbook", cost=lists, bound=EXACT),
        Implementation(intro_sort, "textbook", cost=lists, bound=EXACT),
        Implementation(numpy_network, "vectorised", cost=rounds, bound=EXACT),
        Implementation(quick_compiled, "compiled", cost=keys, bound=EXACT),
        Implementation(intro_compiled, "compiled", cost=keys, bound=EXACT),
        Implementation(radix_threads, "compiled", cost=passes, bound=EXACT),
        Implementation(adaptive_threads, "compiled", cost=keys, bound=EXACT),
        Implementation(np_sort, "library", cost=native, bound=VALUES),
        Implementation(np_sort_stable, "library", cost=native, bound=EXACT),
    ),
    picture=picture,
)
