"""quadrature: degrees of exactness, orders of convergence, certified integrals, and failures that own up to it."""

from __future__ import annotations

import ctypes
import math
from itertools import count

import numpy as np
import pytest
from assembly import host_width, vector_width
from counting import Counted, Tally

from maths_exp.calculus import _quadrature_integrands as families
from maths_exp.calculus import _quadrature_kahaner as battery
from maths_exp.calculus import quadrature
from maths_exp.calculus._quadrature_compiled import DEEPEST, LANES, ORDERS, adaptive_set, looks, panel, rules, wynn
from maths_exp.calculus._quadrature_integrands import INTEGRALS, Integrand
from maths_exp.calculus._quadrature_laws import FLOPS, error, truth
from maths_exp.calculus._quadrature_nodes import double_exponential, gauss, kronrod
from maths_exp.calculus._quadrature_pointers import as_panels, at_many, panel_pointer

ONE = ["trapezoid", "simpson", "romberg", "gauss_kronrod", "tanh_sinh", "gauss_legendre", "clenshaw_curtis"]


def single(name):
    """The method for one integral."""
    return getattr(quadrature, name)


@pytest.mark.parametrize("n", [1, 2, 7, 10, 30, 128])
def test_gauss_is_exact_for_degree_2n_minus_1_and_no_further(n):
    """Legendre polynomials up to that degree integrate to 0; that of degree 2n does not."""
    x, w = gauss(n)
    sums = np.polynomial.legendre.legvander(x, 2 * n).T @ w
    assert sums[0] == pytest.approx(2, abs=1e-14)
    assert np.max(abs(sums[1 : 2 * n]), initial=0) < 1e-13
    assert abs(sums[2 * n]) > 0.3 / n


@pytest.mark.parametrize("n", [1, 2, 7, 10, 15, 30])
def test_kronrod_is_exact_for_degree_3n_plus_1(n):
    """Further by one where n is odd, by symmetry; the old nodes are Gauss's, and the new ones lie between them."""
    x, w, w_gauss = kronrod(n)
    exact = 3 * n + 1 + n % 2
    sums = np.polynomial.legendre.legvander(x, exact + 1).T @ w
    assert sums[0] == pytest.approx(2, abs=1e-14)
    assert np.max(abs(sums[1 : exact + 1])) < 2e-14
    assert abs(sums[exact + 1]) > 1e-6 if n < 15 else True
    np.testing.assert_allclose(x[1::2], gauss(n)[0], rtol=0, atol=4e-16)
    np.testing.assert_array_equal(w_gauss[1::2], gauss(n)[1])
    assert np.all(w > 0) and np.all(np.diff(x) > 0) and x[0] > -1


def test_double_exponential_weights_are_a_derivative():
    """All steps together, times the step: the length of the interval, to rounding."""
    levels = double_exponential()
    h = 0.5 ** len(levels)
    assert h * (math.pi / 4 + 2 * sum(w.sum() for _, w in levels)) == pytest.approx(1, abs=1e-14)
    for d, w in levels:  # dx/dt by central differences in log d
        t = np.arcsinh(np.log1p(-d) / np.pi - np.log(d) / np.pi)
        np.testing.assert_allclose(w, np.pi * np.cosh(t) * d * (1 - d), rtol=1e-12)


@pytest.mark.parametrize(("name", "order"), [("trapezoid", 2), ("simpson", 4)])
def test_order_of_convergence(name, order):
    """A tolerance 10^order smaller needs ten times the points, within the factor 2 of halving."""
    tolerance = 1e-4 if order == 2 else 1e-8
    coarse, fine = (single(name)(math.exp, 0.0, 1.0, one) for one in (tolerance, tolerance * 10.0**-order))
    assert abs(fine[0] - math.e + 1) < tolerance * 10.0**-order
    assert 5 <= (fine[2] - 1) / (coarse[2] - 1) <= 20


@pytest.mark.parametrize("name", ONE)
def test_evaluations_are_counted_and_flops_recounted(name):
    """The number returned is the number of looks; arithmetic on counting numbers confirms the declared cost."""
    tally, calls = Tally(), count()

    def f(x):
        for _ in range(np.size(x)):
            next(calls)
        return 1 / (1 + x * x)

    value, claimed, evaluations = single(name)(f, 0.0, 1.0, 1e-6)
    assert evaluations == next(calls)
    assert abs(value - math.pi / 4) <= 1e-6
    assert claimed <= 1e-6
    if name in ("trapezoid", "simpson", "romberg"):
        declared = {i.name: i for i in quadrature.EXPERIMENT.implementations}[name]
        single(name)(lambda x: 1 / (1 + x * x), Counted(0.0, tally), Counted(1.0, tally), 1e-6)
        hill = (Integrand(families.hill, (1.0, 0.0)),)
        of_f = FLOPS[families.hill] - 3  # three operations here, five there
        declared_flops = declared.cost(hill, 1e-6).flops - evaluations * (of_f - 1)
        assert declared_flops / 1.5 <= tally.flops <= 1.5 * declared_flops


@pytest.mark.parametrize("n", [2, 4, 8])
def test_wynn_finds_the_limit_behind_geometric_terms(n):
    """n/2 geometric terms need n + 1 partial results, and no fewer."""
    k = np.arange(n + 1)
    ratios = 0.9 / 2.0 ** np.arange(n // 2)
    sums = 1 + sum(ratio**k for ratio in ratios)
    e, limits = np.empty(DEEPEST + 1), []
    for i, s in enumerate(sums):
        e[i] = s
        limits.append(wynn.py_func(e, i))
    assert abs(limits[n] - 1) < 1e-8
    assert abs(limits[n - 2] - 1) > 1e-6


def test_an_unresolved_peak_is_not_extrapolated_away():
    """QUADPACK is told 1/x² by a Lorentz peak of width 1e-6, and takes its finite part; sums that grow are no proof."""
    one = (Integrand(families.lorentz, (1e-6, 0.3)),)
    values, claims, _ = quadrature.epsilon_compiled(*as_panels(one, 1e-8))
    assert abs(values[0] - truth(one, 1e-8)[0]) < 1e-8
    assert claims[0] < 1e-8 * math.pi
    fooled, claim, _ = quadrature.quad(*quadrature.as_callbacks(one, 1e-8))
    assert abs(fooled[0] - math.pi) > 3
    assert claim[0] < 1e-6


def test_extrapolation_reaches_what_bisection_cannot():
    """x^-0.9: what is left at 0 after fifty halvings is still a thirtieth of the integral; a few show the limit."""
    one = (Integrand(families.power, (-0.9, 0.0)),)
    for method, few in ((quadrature.epsilon_compiled, True), (quadrature.gauss_kronrod_compiled, False)):
        values, claims, calls = method(*as_panels(one, 1e-10))
        assert abs(values[0] - 10) < 1e-9
        assert claims[0] < 1e-9
        assert (calls < 300) == few
        assert (calls > 9000) != few


@pytest.mark.parametrize("name", ["gauss_kronrod_compiled", "epsilon_compiled"])
def test_what_is_not_a_number_ends_and_is_owned_up_to(name):
    """NaN everywhere, and 1/x, whose integral is infinite: no loop, no claim."""
    ones = (Integrand(families.power, (math.nan, 0.0)), Integrand(families.power, (-1.0, 0.0)))
    values, claims, _ = getattr(quadrature, name)(*as_panels(ones, 1e-8))
    assert not claims[0] <= 1e-8
    assert not claims[1] <= 1e-8 * max(1, abs(values[1]))


def test_forms_of_one_method_agree():
    """Plain Python and compiled code bisect the same intervals where f does not oscillate."""
    inputs = quadrature.smooth(16, 1e-9, dtype="float64", rng=np.random.default_rng(5))
    slow = quadrature.EXPERIMENT.implementations[3].function(*inputs)
    fast = quadrature.gauss_kronrod_compiled(*as_panels(*inputs))
    np.testing.assert_allclose(slow[0], fast[0], rtol=1e-14)
    assert slow[2] == fast[2]


def test_integrals_in_closed_form_are_right(monkeypatch):
    """To 25 digits by mpmath, cut where they are not smooth; and the published values of Kahaner's battery."""
    mpmath = pytest.importorskip("mpmath", reason="checks the closed forms to 25 digits")

    class Digits:
        """mpmath's functions under NumPy's names."""

        def __getattr__(self, name):
            return getattr(mpmath, name)

    monkeypatch.setattr(families, "np", Digits())
    monkeypatch.setattr(battery, "np", Digits())
    parameters = {families.soliton: (0.25, 0.25), families.lorentz: (0.125, 0.25), families.power: (-0.75, 0.0)}
    with mpmath.workdps(25):
        for f, formula in INTEGRALS.items():
            p = parameters.get(f, (0.5 if f is families.power_log else 3.0, 0.25))
            places = [mpmath.mpf(x) ** 0.25 for x in (0, 0.0625, 0.25, 0.5, 1)]  # x = s⁴ takes the singularity away
            exact = mpmath.quad(lambda s, f=f, p=p: 4 * s**3 * f(s**4, p), places)
            assert abs(exact - formula(*p)) < 1e-15 * max(1, abs(exact)), f.__name__
        for one, value in battery.PUBLISHED.items():
            a, b = (mpmath.mpf(str(end)) if end != math.pi else +mpmath.pi for end in (one.a, one.b))
            inside = [a + (b - a) * k / 30 for k in range(31)] + [mpmath.mpf(0.3)]
            if one.f is battery.half_bell or one.f is battery.steep or one.f is battery.cauchy:
                inside += [a + (b - a) * mpmath.mpf(2) ** -k for k in range(3, 14)]
            if one.f is battery.three_peaks:
                inside += [mpmath.mpf(3) / 5 + mpmath.mpf(k) / 1000 for k in range(-9, 10)]
            places = sorted({x for x in inside if a <= x <= b})
            exact = mpmath.quad(lambda x, one=one: one.f(x, one.p), places)
            assert abs(exact - value) < 3e-16 * max(1, abs(value)), one.f.__name__


@pytest.mark.parametrize("tolerance", [0.0, 1e-14, 1.0, math.nan])
def test_a_tolerance_without_meaning_is_refused(tolerance):
    with pytest.raises(ValueError, match="tolerance lies from"):
        quadrature.smooth(2, tolerance, dtype="float64", rng=np.random.default_rng(0))


def test_a_sabotaged_rule_is_caught():
    """One weight of Kronrod's off by 1e-6: the law sees it."""
    inputs = quadrature.smooth(4, 1e-9, dtype="float64", rng=np.random.default_rng(2))
    right, long = rules()
    wrong = right.copy()
    wrong[1, 4] *= 1 + 1e-6
    for short, caught in ((right, False), (wrong, True)):
        result = adaptive_set(*as_panels(*inputs), True, short, long)
        assert (error(result, *inputs, truth(*inputs)) > 1e-9) == caught


def test_places_that_only_fill_a_vector_weigh_nothing_and_are_not_counted():
    for n, rule in zip(ORDERS, rules(), strict=True):
        assert rule.shape[1] % LANES == 0
        assert looks(rule) == 2 * n + 1
        np.testing.assert_array_equal(rule[:, : 2 * n + 1], kronrod(n))
        assert not rule[1:, 2 * n + 1 :].any()


def evaluated(f, p, x):
    """f at all x by the machine code for many places; the first argument of the C function moves and scales x."""
    numbers = ctypes.POINTER(ctypes.c_double)
    kind = ctypes.CFUNCTYPE(None, ctypes.c_double, ctypes.c_double, numbers, numbers, numbers, ctypes.c_int64)
    p, y = np.array(p, float), np.empty(x.size)
    kind(panel_pointer(f))(0.0, 1.0, *(a.ctypes.data_as(numbers) for a in (x, p, y)), x.size)
    return y


@pytest.mark.parametrize("f", FLOPS, ids=lambda f: f.__name__)
def test_an_integrand_at_many_places_is_the_one_that_is_written(f):
    """What is called errs by 2.5 units of rounding; a sixth power, or the cosine of a sum, makes it 8 times that."""
    p, unit = (0.75, 0.25), 2.5 * 2.0**-52
    for size in (0, 1, 7, 16, 61):
        x = np.linspace(0.01, 1, size)
        expected = np.array([f(x_i, p) for x_i in x])
        np.testing.assert_allclose(evaluated(f, p, x), expected, rtol=8 * unit, atol=8 * unit)


def test_a_function_that_only_numpy_has_stays_its_own():
    def arc(x, p):
        return np.arctan(p[0] * x)

    x = np.linspace(-1, 1, 16)
    np.testing.assert_allclose(evaluated(arc, (3.0, 0.0), x), np.arctan(3 * x), rtol=4e-16)


@pytest.mark.parametrize("a", [-0.9, -0.1, 0.5, 1.5])
def test_powers_err_by_what_they_promise(a):
    mpmath = pytest.importorskip("mpmath", reason="knows powers to 30 digits")
    x = np.concatenate([2.0 ** -np.arange(60.0), np.random.default_rng(1).random(500)])
    with mpmath.workdps(30):
        exact = [mpmath.mpf(x_i) ** mpmath.mpf(a) for x_i in x.tolist()]
        found = evaluated(families.power, (a, 0.0), x).tolist()
        errors = np.array([float(abs(y / e - 1)) for y, e in zip(found, exact, strict=True)])
    promised = (2 + abs(a * np.log(x))) * 2.0**-52
    assert (errors <= promised).all()
    assert (errors > promised / 20).any(), "a promise that says something"


def test_an_integrand_at_many_places_is_made_of_vectors():
    numba = pytest.importorskip("numba")
    numbers = numba.types.CPointer(numba.float64)
    signature = (numba.float64, numba.float64, numbers, numbers, numbers, numba.int64)
    for f in (families.wave, families.power_log, families.soliton):
        assert vector_width(at_many(f), signature) >= host_width(), f.__name__


def test_the_sums_of_a_panel_are_made_of_vectors():
    numba = pytest.importorskip("numba")
    numbers, rule = numba.float64[::1], numba.float64[:, ::1]
    signature = (numba.int64, numbers, numba.float64, numba.float64, rule, numbers)
    assert vector_width(panel, signature) >= host_width()
