"""SciPy's solvers, each given f in the form in which it is called fastest."""

from __future__ import annotations

import functools
import importlib.util
import warnings

import numpy as np

from exp_core.compiled import njit
from maths_exp.calculus._ode_systems import FLOPS

LEAST = 2.3e-14  # SciPy refuses a relative tolerance of less than 100 u


@functools.cache
def quickest(f):
    """f for a solver that calls it from Python: compiled if it is long; a short one costs less in plain Python.

    A call of compiled code with arrays takes as long as some thirty operations on Python's floats.
    """
    if FLOPS.get(f, 0) < 30 or not importlib.util.find_spec("numba"):
        return lambda t, y: f(t, y.tolist())
    right_hand_side = njit(f)

    def as_array(t, y):
        derivatives = right_hand_side(t, y)
        out = np.empty(y.size)
        for i in range(y.size):
            out[i] = derivatives[i]
        return out

    as_array.__qualname__ = f"{f.__module__}.{f.__qualname__}_as_array"
    return njit(as_array).dispatcher


def solve_ivp(f, t, y0, tolerance, method):
    """The states at t, and the evaluations of f."""
    from scipy.integrate import solve_ivp

    if t[-1] == t[0]:  # SciPy's solvers have no solution to give over an empty span
        return np.tile(y0, (len(t), 1)), 0
    solution = solve_ivp(f, (t[0], t[-1]), y0, method, t_eval=t, rtol=max(tolerance, LEAST), atol=tolerance)
    if not solution.success:
        raise ArithmeticError(solution.message)
    return solution.y.T, solution.nfev


def solve_ivp_rk45(f, t, y0, tolerance):
    """scipy.integrate.solve_ivp, its default method: Dormand and Prince's 5(4), each step in NumPy."""
    return solve_ivp(f, t, y0, tolerance, "RK45")


def solve_ivp_dop853(f, t, y0, tolerance):
    """solve_ivp with its method of order 8: the best one of it for these accuracies."""
    return solve_ivp(f, t, y0, tolerance, "DOP853")


def odeint_lsoda(f, t, y0, tolerance):
    """scipy.integrate.odeint: the Adams methods of LSODA (Hindmarsh, Petzold), compiled but for f."""
    from scipy.integrate import ODEintWarning, odeint

    if t[-1] == t[0]:
        return np.tile(y0, (len(t), 1)), 0
    options = {"rtol": max(tolerance, LEAST), "atol": tolerance, "mxstep": 10**6}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ODEintWarning)  # the message is looked at instead
        states, info = odeint(f, y0, t, tfirst=True, full_output=True, **options)
    if "successful" not in info["message"]:
        raise ArithmeticError(info["message"])
    return states, int(info["nfe"][-1])
