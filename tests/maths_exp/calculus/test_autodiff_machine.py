"""The machine for tapes of arrays: every instruction, alone and wrong, and what it refuses to record."""

import math

import numpy as np
import pytest
from assembly import host_width, vector_width
from autodiff_problems import every_problem, given

from maths_exp.calculus import _autodiff_instructions as code
from maths_exp.calculus import _autodiff_machine as machine
from maths_exp.calculus import _autodiff_machine_back as way_back
from maths_exp.calculus import _autodiff_replay as scalar
from maths_exp.calculus._autodiff_functions import Function
from maths_exp.calculus._autodiff_instructions import listed
from maths_exp.calculus._autodiff_laws import LISTED, error, exact
from maths_exp.calculus._autodiff_tape import RULES

pytest.importorskip("numba", reason="compiled code needs numba")

X = np.array([0.5, 1.25, 2.0, 0.75, 1.5, 3.0])


def wrong(result, inputs):
    return error(result, *inputs, exact(*inputs))


def function(arrays):
    """A function that has nothing but its form in arrays."""
    return Function(loops=None, arrays=arrays, gradient=None, operations=None)


def gradient_of(arrays, x=X):
    return machine.compiled_tensor_tape(*listed(function(arrays), x))


# what broadcasting and reading can do to an array
REPEATED = {
    "a number":          lambda xp, x: xp.sum(xp.sum(x) * x),
    "a row":             lambda xp, x: xp.sum(xp.exp(xp.reshape(x, (3, 2)) * x[1:3])),
    "a column":          lambda xp, x: xp.sum(xp.exp(xp.reshape(x, (3, 2)) / xp.reshape(x[:3], (3, 1)))),
    "in the middle":     lambda xp, x: xp.sum(xp.exp(xp.reshape(x[:3], (3, 1)) * np.ones((2, 3, 5)))),
    "rows of a matrix":  lambda xp, x: xp.sum(xp.log(xp.reshape(x, (3, 2))[1:] * xp.reshape(x, (3, 2))[:-1])),
    "of a result":       lambda xp, x: xp.sum((x * x)[2:] / (x * x)[:-2]),
    "of what was read":  lambda xp, x: xp.sum(x[1:][1:] * x[:-1][:-1] * x[2:]),
    "nothing of it":     lambda xp, x: xp.sum(x[6:] * xp.sum(x)) + xp.sum(x * x),
    "only a variable":   lambda xp, x: x[2:3],
    "two matrices":      lambda xp, x: xp.sum(xp.matmul(xp.tanh(xp.reshape(x, (3, 2))), xp.reshape(x, (2, 3)))),
    "constant matrices": lambda xp, x: xp.sum(xp.exp(xp.matmul(np.eye(3) + 1, xp.reshape(x, (3, 2))))),
    "constants left":    lambda xp, x: xp.sum(2.0 - x) + xp.sum(2.0 / x) - xp.sum(3.0 * x),
}  # fmt: skip


@pytest.mark.parametrize("name", REPEATED)
def test_what_is_repeated_or_read_against_a_complex_step(name):
    f = REPEATED[name]
    g = gradient_of(f)
    for i in range(6):
        w = X.astype(complex)
        w[i] += 1e-200j
        assert g[i] == pytest.approx(np.sum(f(np, w)).imag / 1e-200, rel=1e-13, abs=1e-15)


def test_there_is_an_instruction_for_each_rule():
    """But for those that leave numbers where they are; test_autodiff tries each rule alone, here as well."""
    assert {*code.NAMES} - {"spread"} == {*RULES} - {"reshape", "read"}


@every_problem
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_it_is_right_at_points_that_it_was_not_recorded_at_and_leaves_no_adjoint(name, dtype):
    f, x, *data = given(name, dtype)
    program = listed(f, x, *data)
    other = (x * 0.9).astype(dtype)
    for at in (x, other, x):
        g = machine.compiled_tensor_tape(*program[:-1], at)
        assert wrong(g, (f, at, *data)) <= 1
        assert not program[2].any()
    spoilt = np.full_like(x, np.nan)
    machine.compiled_tensor_tape(*program[:-1], spoilt)
    assert wrong(machine.compiled_tensor_tape(*program), (f, x, *data)) <= 1


@every_problem
def test_both_compiled_tapes_know_the_function_itself(name):
    f, x, *data = given(name)
    y = f.loops(math, x.tolist(), *(a.tolist() for a in data))
    assert machine.function_alone(*listed(f, x, *data)) == pytest.approx(y, rel=1e-12)
    assert scalar.function_alone(*scalar.recorded(f, x, *data)) == pytest.approx(y, rel=1e-12)


@every_problem
@pytest.mark.parametrize(("fault", "column"), [("not handed on", 7), ("a neighbour's number", 2)])
def test_a_wrong_instruction_is_noticed(name, fault, column):
    """Each instruction in turn takes another operand, or hands its adjoint to nobody."""
    inputs = given(name)
    inputs[1][inputs[1] == 0] = 1.5  # else most derivatives are zero anyway
    instructions, v, adjoint, *rest = listed(*inputs)
    truth = exact(*inputs)
    of_two = np.isin(instructions[:, 0], (code.ADD, code.SUB, code.MUL, code.DIV, code.MATMUL))  # others always hand on
    for i in np.flatnonzero(of_two) if column == 7 else range(len(instructions)):
        spoilt = instructions.copy()
        spoilt[i, column] = spoilt[i, column] + 1 if column == 2 else 0
        g = machine.compiled_tensor_tape(spoilt, v.copy(), adjoint.copy(), *rest)
        assert not error(g, *inputs, truth) <= 1, (code.NAMES[spoilt[i, 0]], i)


@every_problem
def test_its_memory_is_within_its_cost(name):
    inputs = given(name)
    _, v, adjoint, *_ = listed(*inputs)
    assert v.nbytes + adjoint.nbytes <= LISTED(*inputs).memory


def test_the_loops_are_vector_instructions():
    import numba

    whole, some = numba.int64, numba.float64[::1]
    assert vector_width(machine.arithmetic, (whole, some, some, some)) >= host_width()
    assert vector_width(machine.elementary, (whole, some, some)) >= host_width()
    assert vector_width(way_back.gain_left, (whole, some, some, some)) >= host_width()
    assert vector_width(way_back.total, (some,)) >= host_width()


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        (lambda xp, x: xp.sum(x[::2]), "neighbouring rows"),
        (lambda xp, x: x[3], "neighbouring rows"),
        (lambda xp, x: xp.sum(xp.reshape(x[:4], (2, 1, 2)) * np.ones((2, 3, 2))), "reshape it first"),
    ],
)
def test_what_it_cannot_record_is_refused(arrays, sentence):
    with pytest.raises(ValueError, match=sentence):
        listed(function(arrays), X)
