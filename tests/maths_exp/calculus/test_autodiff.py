"""Automatic differentiation: the rules, the cheap gradient, and bounds that hold and can be broken."""

import importlib.util
import math
from fractions import Fraction

import numpy as np
import pytest
from autodiff_problems import PROBLEMS, every_problem, given
from counting import Counted, Tally

from exp_core.installed import missing_modules
from maths_exp.calculus import autodiff as ad
from maths_exp.calculus._autodiff_functions import speelpenning
from maths_exp.calculus._autodiff_laws import error, exact, quotient
from maths_exp.calculus._autodiff_replay import recorded, run
from maths_exp.calculus._autodiff_rounding import Rounded
from maths_exp.calculus._autodiff_tape import RULES, Tape

OURS = [ad.complex_step, ad.dual_numbers, ad.scalar_tape, ad.dual_arrays, ad.tensor_tape]


def wrong(result, inputs):
    return error(result, *inputs, exact(*inputs))


@every_problem
def test_the_hand_agrees_with_a_complex_step_to_the_last_digits(name):
    """The oracle is no AD tool; here another method confirms it in extended precision."""
    f, x, *data = given(name)
    data = [a.astype(np.longdouble) for a in data]
    h = np.sqrt(np.finfo(np.longdouble).tiny)
    g = f.gradient(x.astype(np.longdouble), *data)
    for i in range(x.size):
        w = x.astype(np.clongdouble)
        w[i] += 1j * h
        stepped = f.arrays(np, w, *data).imag / h
        # constants such as the root of 8 are float64 in f
        assert abs(stepped - g[i]) <= 1e-12 * np.abs(g).max() + 1e-18


@every_problem
def test_loops_and_arrays_are_one_function(name):
    f, x, *data = given(name)
    assert f.loops(math, x.tolist(), *(a.tolist() for a in data)) == pytest.approx(f.arrays(np, x, *data), rel=1e-12)


# operation    a function that uses nothing else, with broadcasting where there can be some
SINGLE = {
    "add":     lambda xp, x: xp.sum((x + x[:1]) * (2.0 + x)),
    "sub":     lambda xp, x: xp.sum((x - x[:1]) * (1.0 - x)),
    "mul":     lambda xp, x: xp.sum(x * x[:1] * 3.0),
    "div":     lambda xp, x: xp.sum(x / x[1:2]) / xp.sum(x) + xp.sum(2.0 / x),
    "neg":     lambda xp, x: xp.sum(-x * x),
    "exp":     lambda xp, x: xp.sum(xp.exp(x)),
    "log":     lambda xp, x: xp.sum(xp.log(x)),
    "tanh":    lambda xp, x: xp.sum(xp.tanh(x)),
    "sum":     lambda xp, x: xp.sum(x) * xp.sum(x * x),
    "matmul":  lambda xp, x: xp.sum(xp.matmul(xp.reshape(x, (2, 3)), xp.reshape(x * x, (3, 2)))),
    "reshape": lambda xp, x: xp.sum(xp.reshape(x, (3, 2)) * np.arange(6.0).reshape(3, 2)),
    "read":    lambda xp, x: xp.sum(x[1:] * x[:-1]),
}  # fmt: skip


def test_every_rule_is_tried():
    assert set(SINGLE) == set(RULES)


@pytest.mark.parametrize("operation", SINGLE)
@pytest.mark.parametrize("mode", ["tape", "tangents", "instructions"])
def test_each_rule_against_a_complex_step(operation, mode):
    f, x = SINGLE[operation], np.array([0.5, 1.25, 2.0, 0.75, 1.5, 3.0])
    if mode == "tape":
        g = ad.gradient_on(np, type("F", (), {"arrays": staticmethod(f)}), x, ())
    elif mode == "tangents":
        g = f(ad.Tangents, ad.Tangents(x, np.eye(6))).b
    else:
        pytest.importorskip("numba", reason="compiled code needs numba")
        g = ad.compiled_tensor_tape(*ad.listed(type("F", (), {"arrays": staticmethod(f)}), x))
    for i in range(6):
        w = x.astype(complex)
        w[i] += 1e-200j
        assert g[i] == pytest.approx(f(np, w).imag / 1e-200, rel=1e-13)


@pytest.mark.parametrize("operation", ["add", "mul", "div", "exp", "log", "tanh", "matmul", "read"])
def test_a_wrong_rule_is_noticed(operation, monkeypatch):
    """Each rule in turn a thousandth off: some problem shows it."""
    forward, *pullbacks = RULES[operation]
    spoilt = [lambda xp, *a, p=p: 1.001 * p(xp, *a) for p in pullbacks]
    inputs = [given(name) for name in PROBLEMS]
    truths = [exact(*each) for each in inputs]
    monkeypatch.setitem(RULES, operation, (forward, *spoilt))
    assert any(error(ad.tensor_tape(*i), *i, t) > 1 for i, t in zip(inputs, truths, strict=True))


class Priced(Counted):
    """A counting number that knows the elementary functions, at one operation each; itself the xp of its kind."""

    def _count(self, value):
        self.tally.flops += 1
        return Priced(value, self.tally)

    def __neg__(self):
        return Priced(-self.value, self.tally)

    def exp(self):
        return self._count(math.exp(self.value))

    def log(self):
        return self._count(math.log(self.value))

    def tanh(self):
        return self._count(math.tanh(self.value))


@every_problem
def test_the_gradient_is_cheap(name):
    """Baur and Strassen (1983): at most five times the operations of f.  And the costs say what was counted."""
    f, x, *data = given(name)
    data = [a.tolist() for a in data]
    tally = Tally()
    f.loops(Priced, [Priced(v, tally) for v in x], *data)
    once = tally.flops
    # the counting numbers cannot see products of constants, nor the first term of a sum that starts from zero
    assert once == pytest.approx(f.operations(x, *given(name)[2:]).total, rel=0.15)
    tally = Tally()
    tape = Tape(Priced)
    variables = [tape.variable(Priced(v, tally)) for v in x]
    tape.gradients(f.loops(tape, variables, *data), variables)
    assert tally.flops <= 5 * once


def test_one_zero_factor_leaves_one_derivative():
    f, x = given("zero_factor")
    others = math.prod(Fraction(v) for v in x.tolist() if v)
    for gradient in OURS:
        g = gradient(f, x)
        assert np.flatnonzero(g).tolist() == [x.size // 2]
        assert g.max() == pytest.approx(float(others), rel=1e-14)


@pytest.mark.parametrize("gradient", OURS)
def test_eulers_identity_for_a_homogeneous_function(gradient):
    x = np.random.default_rng(3).uniform(0.5, 2, 11)
    assert x @ gradient(speelpenning, x) == pytest.approx(11 * np.prod(x), rel=1e-14)


@every_problem
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rounding_stays_within_its_bound_and_the_bound_says_something(name, dtype, seed):
    inputs = given(name, dtype, seed)
    g, permitted = exact(*inputs)
    assert wrong(ad.tensor_tape(*inputs), inputs) <= 1
    assert wrong(ad.dual_arrays(*inputs), inputs) <= 1
    u = np.finfo(dtype).eps / 2
    assert permitted.max() <= 1e6 * u * np.abs(g).max()


def test_rounded_numbers_enclose_what_happens():
    """A chain of every operation in float32, against the same in float64, and the claimed error."""
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(0.5, 2, (4, 4)).astype(np.float32) for _ in range(2))

    def chain(xp, a, b):
        return xp.sum(xp.tanh(xp.log(xp.exp(xp.matmul(a, b)) / (a * b + 1.0)) - b))

    true = chain(Rounded, Rounded(a.astype(np.longdouble), 2.0**-24), Rounded(b.astype(np.longdouble), 2.0**-24))
    assert 0 < abs(chain(np, a, b) - true.v) <= true.e < 1e-2


@pytest.mark.parametrize(("gradient", "order"), [(ad.forward_differences, 1), (ad.central_differences, 2)])
def test_the_order_of_a_difference_quotient(gradient, order, monkeypatch):
    inputs = given("gas")
    off = []
    for h in (2.0**-6, 2.0**-8):
        monkeypatch.setattr(ad, "FORWARD_H", h)
        monkeypatch.setattr(ad, "CENTRAL_H", h)
        off.append(np.abs(gradient(*inputs) - exact(*inputs)[0]).max())
    assert math.log(off[0] / off[1], 4) == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize(("gradient", "central"), [(ad.forward_differences, False), (ad.central_differences, True)])
def test_a_bad_step_breaks_the_bound(gradient, central, monkeypatch):
    inputs = given("gas")
    bound = quotient(ad.CENTRAL_H if central else ad.FORWARD_H, central)(*inputs)
    assert 1 < wrong(gradient(*inputs), inputs) <= bound
    for h in (2.0**-4, 2.0**-50):
        monkeypatch.setattr(ad, "CENTRAL_H" if central else "FORWARD_H", h)
        assert wrong(gradient(*inputs), inputs) > bound


def test_a_recorded_tape_is_good_for_other_points():
    pytest.importorskip("numba", reason="compiled code needs numba")
    f, x, *data = given("gas")
    *program, x = recorded(f, x, *data)
    other = x * 0.9
    assert wrong(run(*program, other), (f, other, *data)) <= 1


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@every_problem
def test_every_implementation_answers_in_the_dtype_of_x(name, dtype):
    inputs = given(name, dtype)
    for row in ad.EXPERIMENT.implementations:
        if row.arrays == "numpy" and all(importlib.util.find_spec(module) for module in row.modules):
            result = row.function(*(row.prepare(*inputs) if row.prepare else inputs))
            assert (row.name, result.dtype) == (row.name, dtype)
            assert result.shape == inputs[1].shape


def test_jax_is_left_as_its_user_has_it():
    jax = pytest.importorskip("jax", reason="another library, where it is installed")
    before = jax.config.jax_enable_x64
    inputs = given("gas")
    assert wrong(ad.jax_jit(*ad.traced(*inputs)), inputs) <= 1  # nothing less than float64 passes
    assert jax.config.jax_enable_x64 == before
    assert jax.numpy.ones(1).dtype == ("float64" if before else "float32")


def test_without_mlx_its_row_names_the_remedy(monkeypatch):
    (row,) = (i for i in ad.EXPERIMENT.implementations if i.arrays == "mlx")
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "mlx" else found(name))
    assert str(missing_modules("maths_exp", row.modules)) == "needs mlx; pip install mlx"


@pytest.mark.parametrize(("name", "sizes"), [("valley", {"n": 1}), ("dense_gas", {"left": 0.0})])
def test_what_is_no_problem_is_refused(name, sizes):
    with pytest.raises(ValueError, match="choose --"):
        given(name, **sizes)
