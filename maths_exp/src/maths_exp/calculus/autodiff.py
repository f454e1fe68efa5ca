"""Automatic differentiation: the derivatives of a program, exact to rounding, for the price of a few runs.

Problem   A program computes $y = f(x)$, where $f: \\mathbb{R}^n \\to \\mathbb{R}$.  Find $\\nabla f(x)$, shape (n,).
Idea      A difference quotient has to choose between the error of its formula and that of rounding.  But a program is
          a chain of + - * / and elementary functions, and the chain rule needs only their derivatives.  Multiplied
          from x to y (dual numbers) it costs a run for each variable; from y to x (a tape, read backwards) it gives
          all n derivatives for at most five times the operations of f: the cheap gradient principle.
Look for  The error is in units of what rounding permits: differences lose a third or half of all digits, the others
          a few units in the last.  A complex step $\\mathrm{Im} f(x + ih)/h$ subtracts nothing: h may be $10^{-200}$.
          An operation on a tape costs Python microseconds, whatever its size; a compiled tape of numbers two to four
          nanoseconds, and one of arrays a loop over vectors.  What is five times?  Over its own run without the way
          back the compiled tape takes 2.0 to 2.2 times as long, that of arrays 2.1 to 2.8; over f in NumPy that of
          arrays takes 0.5 (zero-factor) to 1.3 times (tumours), all on one machine (docs/cheap_gradient.md).  Beside
          JAX it is 1.2 (valley) to 4 times as fast: a call of XLA's code takes 6 microseconds, and here all fits into
          the cache.  The scalar tape loses on tumours: a matrix product is 340,000 instructions to it, one by one.
          Why the library wins on longer vectors (JAX, valleys of 10,000 by 1.7 and of a million by 22): XLA makes one
          loop of the whole gradient, which reads x once; the tape writes ten arrays to memory and reads them again.
Source    A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. (2008), doi:10.1137/1.9780898717761, chapters 3 and
          4.  W. Baur, V. Strassen, The complexity of partial derivatives, Theoretical Computer Science 22 (1983),
          317-330, doi:10.1016/0304-3975(83)90110-X.  W. Squire, G. Trapp, Using complex variables to estimate
          derivatives of real functions, SIAM Review 40 (1998), 110-112, doi:10.1137/S003614459631241X.
"""

from __future__ import annotations

import cmath
import math
import types

import numpy as np

from exp_core import Experiment, Implementation, Problem
from exp_core.tensor import namespace
from maths_exp.calculus._autodiff_dual import Dual, Tangents
from maths_exp.calculus._autodiff_instructions import listed
from maths_exp.calculus._autodiff_laws import (
    ARRAYS,
    CENTRAL,
    CENTRAL_H,
    COMPLEX,
    DIFFERENCES,
    DUAL,
    FORWARD_H,
    LISTED,
    REPLAY,
    TANGENTS,
    TAPE,
    error,
    exact,
    quotient,
    rounding,
    step,
)
from maths_exp.calculus._autodiff_machine import compiled_tensor_tape
from maths_exp.calculus._autodiff_picture import picture
from maths_exp.calculus._autodiff_problems import dense_gas, gas, tumours, valley, zero_factor
from maths_exp.calculus._autodiff_replay import compiled_tape, recorded, too_long
from maths_exp.calculus._autodiff_tape import Tape

TINY = 2.0**-664  # about 1e-200: its square is zero in float64, and nothing is subtracted


def with_changed(x, i, value):
    """x with another number in place i."""
    return [*x[:i], value, *x[i + 1 :]]


def forward_differences(f, x, *data):
    """$(f(x + h e_i) - f(x)) / h$ for each axis: the textbook's limit, stopped early."""
    h = step(x.astype(np.float64), FORWARD_H).tolist()
    x_, *data = (a.tolist() for a in (x, *data))
    y = f.loops(math, x_, *data)
    g = [(f.loops(math, with_changed(x_, i, x_[i] + h[i]), *data) - y) / h[i] for i in range(len(x_))]
    return np.array(g, x.dtype)


def central_differences(f, x, *data):
    """Step to both sides: the errors of even order cancel, and h may be larger."""
    h = step(x.astype(np.float64), CENTRAL_H).tolist()
    x_, *data = (a.tolist() for a in (x, *data))
    g = []
    for i in range(len(x_)):
        up, down = (f.loops(math, with_changed(x_, i, x_[i] + move), *data) for move in (h[i], -h[i]))
        g.append((up - down) / (2 * h[i]))
    return np.array(g, x.dtype)


def complex_step(f, x, *data):
    """Step off the real line: the imaginary part is $h \\, \\partial f / \\partial x_i$, and nothing cancels."""
    x_, *data = (a.tolist() for a in (x, *data))
    g = [f.loops(cmath, with_changed(x_, i, complex(x_[i], TINY)), *data).imag / TINY for i in range(len(x_))]
    return np.array(g, x.dtype)


def dual_numbers(f, x, *data):
    """Carry the derivative beside each number, $a + b \\varepsilon$ with $\\varepsilon^2 = 0$: no step at all."""
    x_, *data = (a.tolist() for a in (x, *data))
    x_ = [Dual(v) for v in x_]
    g = [f.loops(Dual, with_changed(x_, i, Dual(x_[i].a, 1.0)), *data).b for i in range(len(x_))]
    return np.array(g, x.dtype)


def scalar_tape(f, x, *data):
    """Write each operation on a tape and read it backwards: all derivatives in one go."""
    x_, *data = (a.tolist() for a in (x, *data))
    tape = Tape(math)
    variables = [tape.variable(v) for v in x_]
    return np.array(tape.gradients(f.loops(tape, variables, *data), variables), x.dtype)


def dual_arrays(f, x, *data):
    """Dual numbers in arrays: f runs once, with n directions beside every number."""
    return f.arrays(Tangents, Tangents(x, np.eye(x.size, dtype=x.dtype)), *data).b


def tensor_tape(f, x, *data):
    """The tape of the scalar one, with arrays as its numbers: a dozen entries instead of thousands."""
    return gradient_on(np, f, x, data)


def tensor_tape_mlx(f, x, *data):
    """The same on MLX's arrays; nothing is computed before the gradient is asked for."""
    from exp_core.tensor.special import exp

    mx = namespace(x)
    ours = {"exp": exp}  # MLX's own loses digits on the CPU
    names = ("log", "tanh", "sum", "broadcast_to", "zeros_like")
    return gradient_on(types.SimpleNamespace(**{name: getattr(mx, name) for name in names}, **ours), f, x, data)


def gradient_on(xp, f, x, data):
    """The gradient by a tape whose numbers are arrays of the library xp."""
    tape = Tape(xp)
    w = tape.variable(x)
    return tape.gradients(f.arrays(tape, w, *data), [w])[0]


def autograd(f, x, *data):
    """autograd: NumPy's functions wrapped, a graph instead of a tape."""
    import autograd
    import autograd.numpy as anp

    return autograd.grad(lambda w: f.arrays(anp, w, *data))(x)


def jax_jit(f, x, *data):
    """JAX: the gradient traced once and compiled by XLA, outside of the timing; waited for, as NumPy's array."""
    return np.asarray(f(x, *data))


def traced(f, x, *data):
    """The compiled gradient in the dtype of x, and its arguments on JAX's device."""
    import jax

    with jax.enable_x64(x.dtype == np.float64):  # here only: outside of this block JAX is as its user has it
        arguments = [jax.numpy.asarray(a) for a in (x, *data)]
        gradient = jax.jit(jax.grad(lambda w, *rest: f.arrays(jax.numpy, w, *rest)))
        return gradient.lower(*arguments).compile(), *arguments


AWKWARD = ({"n": 1}, {"n": 2}, {"n": 13})

EXPERIMENT = Experiment(
    problems=(
        Problem(valley, small={"n": 10}, awkward=({"n": 2}, {"n": 13})),
        Problem(gas, small={"n": 8}, awkward=AWKWARD),
        Problem(dense_gas, kind="hard", small={"n": 8}, awkward=AWKWARD),
        Problem(zero_factor, kind="hard", small={"n": 10}, awkward=AWKWARD),
        Problem(
            tumours,
            kind="real",
            small={"hidden": 1, "every": 60},
            thins=("every",),
            awkward=({"hidden": 2, "every": 569},),
            requires=("sklearn",),
        ),
    ),
    oracle=exact,
    laws={"error over rounding's": error},
    implementations=(
        Implementation(forward_differences, "textbook", cost=DIFFERENCES, bound=quotient(FORWARD_H, central=False)),
        Implementation(central_differences, "textbook", cost=CENTRAL, bound=quotient(CENTRAL_H, central=True)),
        Implementation(complex_step, "textbook", cost=COMPLEX, bound=rounding),
        Implementation(dual_numbers, "textbook", cost=DUAL, bound=rounding),
        Implementation(scalar_tape, "textbook", cost=TAPE, bound=rounding),
        Implementation(dual_arrays, "vectorised", cost=TANGENTS, bound=rounding),
        Implementation(tensor_tape, "vectorised", cost=ARRAYS, bound=rounding),
        Implementation(tensor_tape_mlx, "vectorised", cost=ARRAYS, bound=rounding, arrays="mlx"),
        Implementation(compiled_tape, "compiled", cost=REPLAY, bound=rounding, prepare=recorded, skip=too_long),
        Implementation(compiled_tensor_tape, "compiled", cost=LISTED, bound=rounding, prepare=listed),
        Implementation(autograd, "library", cost=ARRAYS, bound=rounding, requires=("autograd",)),
        Implementation(jax_jit, "library", cost=ARRAYS, bound=rounding, prepare=traced, requires=("jax",)),
    ),
    picture=picture,
)
