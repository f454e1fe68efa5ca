"""Least squares: NIST's certified digits by rational arithmetic, all of them by refinement, and checks that bite."""

import re
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from assembly import assembly

from exp_core.machine import thread_limit
from maths_exp.linear_algebra import _least_squares_laws as laws
from maths_exp.linear_algebra import _least_squares_nist as nist
from maths_exp.linear_algebra import _least_squares_problems as problems
from maths_exp.linear_algebra import _least_squares_refined as twofold
from maths_exp.linear_algebra import least_squares as ls

ROWS = {row.name: row for row in ls.EXPERIMENT.implementations}
LIBRARY = [name for name, row in ROWS.items() if row.rung == "library"]


def run(name, inputs):
    row = ROWS[name]
    for module in row.modules:
        pytest.importorskip(module)
    return row.function(*row.prepare(*inputs) if row.prepare else inputs)


def solved_exactly(name):
    """The normal equations in fractions, by Gauss and Jordan: independent of the experiment's own oracle."""
    rows, b = nist.exact(name)
    n = len(rows[0])
    C = [
        [sum(row[i] * row[j] for row in rows) for j in range(n)]
        + [sum(row[i] * y for row, y in zip(rows, b, strict=True))]
        for i in range(n)
    ]
    for k in range(n):
        C[k] = [c / C[k][k] for c in C[k]]
        for i in range(n):
            if i != k:
                C[i] = [c - C[i][k] * d for c, d in zip(C[i], C[k], strict=True)]
    return [row[-1] for row in C]


def printed(value, like):
    """A fraction rounded to as many significant digits as another number has."""
    digits = max(len(Decimal(like).as_tuple().digits), 1)
    with localcontext(prec=60):
        exact = Decimal(value.numerator) / Decimal(value.denominator)
    with localcontext(prec=digits, rounding=ROUND_HALF_EVEN):
        return +exact


@pytest.mark.parametrize("name", nist.CERTIFIED)
def test_certified_digits_are_those_of_rational_arithmetic(name):
    """Every published digit: a wrong one among the data, or in a coefficient, would show."""
    found = solved_exactly(name)
    for value, text in zip(found, nist.CERTIFIED[name].split(), strict=True):
        assert printed(value, text) == Decimal(text)


@pytest.mark.parametrize("name", nist.CERTIFIED)
def test_two_numbers_hold_the_data_to_twice_the_digits(name):
    A, b, A_low, b_low = problems.decimals(name)
    rows, right = nist.exact(name)
    for exact, high, low in ((rows, A, A_low), (right, b, b_low)):
        for value, h, l in zip(np.ravel(np.array(exact, object)), high.ravel(), low.ravel(), strict=True):
            assert abs(value - Fraction(float(h)) - Fraction(float(l))) <= abs(value) * Fraction(1, 2**105)


@pytest.mark.parametrize("name", nist.CERTIFIED)
def test_refinement_keeps_every_certified_digit_and_no_library_more(name):
    inputs = problems.decimals(name)
    truth = np.array([float(value) for value in solved_exactly(name)])
    x = run("refined", inputs)
    assert laws.right_digits(x, *inputs, truth) == 15.0
    assert np.all(np.abs(x - truth) <= 2 * np.spacing(np.abs(truth)))
    for library in LIBRARY:
        assert laws.right_digits(run(library, inputs), *inputs, truth) <= 15.0


def test_libraries_lose_what_theory_says():
    """On filip and wampler5 half of the digits and more: so there is something to win."""
    for name in ("filip", "wampler5"):
        inputs = problems.decimals(name)
        truth = laws.exact_solution(*inputs)
        assert all(laws.right_digits(run(library, inputs), *inputs, truth) < 10 for library in LIBRARY)


@pytest.mark.parametrize("name", nist.CERTIFIED)
def test_the_oracle_is_the_other_exact_solution(name):
    """Whole numbers without fractions against fractions: the data in two numbers are off by u^2 kappa at the most."""
    truth = np.array([float(value) for value in solved_exactly(name)])
    np.testing.assert_allclose(laws.exact_solution(*problems.decimals(name)), truth, rtol=4e-16)


def test_the_oracle_has_no_answer_where_there_is_none():
    A = np.ones((4, 2))
    assert np.all(np.isnan(laws.exact_solution(A, A[:, 0], 0 * A, 0 * A[:, 0])))


@pytest.mark.parametrize("name", [name for name in ROWS if name != "refined"])
def test_errors_grow_with_the_condition_number(name):
    """By one digit a digit for QR and SVD, by two for the normal equations: the slope on logarithmic scales."""
    rng = np.random.default_rng(1)
    U, V = np.linalg.qr(rng.standard_normal((60, 6)))[0], np.linalg.qr(rng.standard_normal((6, 6)))[0]
    kappas, errors = 10.0 ** np.arange(1, 8), []
    for kappa in kappas:
        A = (U * np.geomspace(1, 1 / kappa, 6)) @ V
        worst = 0.0
        for _ in range(5):
            x = rng.standard_normal(6)
            inputs = A, A @ x, np.zeros_like(A), np.zeros(60)
            worst = max(worst, laws.error(run(name, inputs), *inputs, laws.exact_solution(*inputs)))
        errors.append(worst)
    slope = np.polyfit(np.log(kappas), np.log(errors), 1)[0]
    assert abs(slope - (2 if name.endswith("normal_equations") else 1)) < 0.4


def test_refinement_does_not_care_until_qr_has_no_digit_left():
    for degree in (3, 6, 9, 11):
        inputs = problems.polynomial(40, degree, dtype="float64", rng=np.random.default_rng(2))
        truth = laws.exact_solution(*inputs)
        assert laws.error(run("refined", inputs), *inputs, truth) <= laws.refined_bound(*inputs) < 1e-14


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_not_a_number_is_never_right(name, poison):
    inputs = problems.gaussian(20, 3, dtype="float64", rng=np.random.default_rng(3))
    truth = laws.exact_solution(*inputs)
    A = inputs[0].copy()
    A[7, 1] = poison
    with np.errstate(all="ignore"):
        try:
            x = run(name, (A, *inputs[1:]))
        except (np.linalg.LinAlgError, ValueError):
            return  # refused
        assert not laws.error(x, *inputs, truth) <= ROWS[name].bound(*inputs)


@pytest.mark.parametrize("name", ROWS)
def test_a_lost_equation_is_caught(name):
    inputs = problems.gaussian(50, 4, dtype="float64", rng=np.random.default_rng(4))
    truth = laws.exact_solution(*inputs)
    bound = ROWS[name].bound(*inputs)
    assert laws.error(run(name, inputs), *inputs, truth) <= bound
    assert laws.error(run(name, tuple(y[1:] for y in inputs)), *inputs, truth) > 1e3 * bound


def test_refinement_without_the_low_parts_is_no_better_than_the_data():
    """What rounding the data takes, nothing can bring back: filip's low parts are worth half of the digits."""
    A, b, A_low, b_low = problems.decimals("filip")
    truth = laws.exact_solution(A, b, A_low, b_low)
    x = run("refined", (A, b, 0 * A_low, 0 * b_low))
    assert laws.right_digits(x, A, b, A_low, b_low, truth) < 11


def test_products_and_sums_lose_nothing():
    rng = np.random.default_rng(5)
    for a, b in rng.standard_normal((50, 2)) * 10.0 ** rng.integers(-9, 9, (50, 2)):
        for exact, (high, low) in (
            (Fraction(a) + Fraction(b), twofold.two_sum.py_func(a, b)),
            (Fraction(a) * Fraction(b), twofold.two_product.py_func(a, b)),
        ):
            assert Fraction(float(high)) + Fraction(float(low)) == exact


def test_threads_do_not_change_a_bit():
    pytest.importorskip("numba")
    inputs = problems.gaussian(5003, 7, dtype="float64", rng=np.random.default_rng(6))
    x = np.arange(1.0, 8)
    results = []
    for threads in (1, 2):
        with thread_limit(threads):
            results.append(twofold.residuals(*inputs[:1], inputs[2], inputs[1], inputs[3], x, x * 0, *inputs[1:4:2]))
    assert all(map(np.array_equal, *results))


def test_too_few_equations_are_refused():
    with pytest.raises(ValueError, match="--rows 5"):
        problems.gaussian(4, 5, dtype="float64", rng=np.random.default_rng(7))


def test_the_compiler_fuses_nothing():
    """What rounding takes from a product is found by Dekker's formulas; a fused multiply-add in them would be wrong."""
    numba = pytest.importorskip("numba")
    text = assembly(twofold.minus_product, 6 * (numba.float64,))
    subtractions = re.findall(r"^\s+v?subsd|^\s+fsub\s", text, re.MULTILINE)
    assert len(subtractions) >= 11, "Dekker's seven and Knuth's four are all there"
    assert not re.search(r"vfn?m(add|sub)\d|^\s+fn?m(add|sub)\s", text, re.MULTILINE)
