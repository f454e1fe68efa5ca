"""The search finds the smallest failing input where there is one, and lets those pass who are right."""

import numpy as np
import pytest
from pupils import HARD, ONE, TWO, Asked, examined

from exp_core.practise.examiner import Examiner
from exp_core.timing import Deadline


def forgets(length, block):
    """Doubles whole blocks, and leaves out what remains of arrays of some length."""

    def f(x):
        y = 2 * x
        if len(x) >= length:
            y[len(x) // block * block :] = 0
        return y

    return f


@pytest.mark.parametrize(
    ("length", "block", "smallest"), [(1, 2, 1), (2, 8, 2), (16, 16, 17), (50, 32, 50), (65, 2, 65)]
)
def test_the_smallest_length_is_found(length, block, smallest):
    found = examined(ONE, forgets(length, block))
    assert found.fault.case.sizes == {"n": smallest}
    assert found.fault.case.dtype == "float64"
    assert "breaks difference" in found.fault.sentence


def test_two_sizes_are_lessened_each():
    def f(x):
        y = 2 * x
        if x.shape[0] >= 11 and x.shape[1] >= 5:
            y[-1, -1] = 0
        return y

    assert examined(TWO, f).fault.case.sizes == {"rows": 11, "cols": 5}


def test_sizes_that_the_problem_refuses_are_no_question():
    found = examined(TWO, lambda x: 2 * x)
    assert found.fault is None
    assert all(case.sizes["rows"] >= case.sizes["cols"] for case in found.tried)
    assert {"rows": 40, "cols": 30} in [case.sizes for case in found.tried], "as large as the ladder"


def test_other_dtypes_and_seeds_are_asked_for():
    def single(x):
        return 3 * x if x.dtype == np.float32 else 2 * x

    assert examined(ONE, single).fault.case.dtype == "float32"
    first = np.random.default_rng(2).standard_normal(60)[0]
    assert examined(ONE, lambda x: 0 * x if x[0] == first else 2 * x).fault.case.seed == 2


def test_a_fault_where_theory_lets_ours_fail_is_told_and_ends_nothing():
    def f(x):
        with np.errstate(over="ignore"):
            return 2 * np.sqrt(x * x) * np.sign(x) if (x > 1e18).any() else 2 * x

    found = examined(HARD, f)
    assert found.fault is None
    fault = found.excused["huge"]
    assert fault.case.sizes == {"n": 1}
    assert fault.excuse == (("library", "it overflows"),)


def test_a_fault_on_the_ordinary_problem_counts_all_the_same():
    assert examined(HARD, lambda x: 3 * x).fault.case.problem == "vector"


def test_time_ends_the_search_but_never_before_the_first_question():
    class Late(Deadline):
        def left(self):
            return 0.0

    found = Examiner(ONE, "toys", Asked(ONE, lambda x: 2 * x), Late(1.0)).examine()
    assert len(found.tried) == 1
    assert found.fault is None


def test_what_raises_is_shrunk_as_well():
    def f(x):
        if len(x) > 4:
            raise ArithmeticError("five is too much")
        return 2 * x

    fault = examined(ONE, f).fault
    assert fault.sentence == "five is too much"
    assert fault.case.sizes == {"n": 5}
    assert dict(fault.shown)["x"].startswith("[ 0.1257")
