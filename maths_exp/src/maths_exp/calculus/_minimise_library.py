"""scipy.optimize.minimize with the objective and its gradient as one compiled callback."""

from __future__ import annotations

import ctypes

import numpy as np

from maths_exp.calculus._minimise_compiled import STEPS, pointer
from maths_exp.calculus._minimise_curvature import MOST, hessian, reach

KIND = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)


def as_pointers(tasks, tolerance):
    """For compiled code: addresses, starts, tolerance."""
    return [pointer(task.f) for task in tasks], [np.array(task.start) for task in tasks], tolerance


def as_callbacks(tasks, tolerance):
    """For SciPy: each objective as a function of an array that returns value and gradient."""

    def callback(address):
        function = KIND(address)

        def value_and_gradient(x):
            g = np.empty(x.size)
            return function(x.ctypes.data, g.ctypes.data, x.size), g

        return value_and_gradient

    addresses, starts, _ = as_pointers(tasks, tolerance)
    return [callback(address) for address in addresses], starts, tolerance


def scipy_minimize(functions, starts, method, options):
    """All minimisers in one array, and the evaluations."""
    from scipy.optimize import minimize

    results = [minimize(f, x, jac=True, method=method, options=options) for f, x in zip(functions, starts, strict=True)]
    return np.concatenate([one.x for one in results]), sum(int(one.nfev) for one in results)


def scipy_lbfgsb(functions, starts, tolerance):
    """scipy.optimize.minimize, L-BFGS-B in C: it returns to Python for each evaluation and each step."""
    options = {"gtol": tolerance, "ftol": 0.0, "maxiter": STEPS, "maxfun": 10 * STEPS}
    return scipy_minimize(functions, starts, "L-BFGS-B", options)


def scipy_bfgs(functions, starts, tolerance):
    """scipy.optimize.minimize, BFGS: the matrix and the line search in NumPy and Python."""
    return scipy_minimize(functions, starts, "BFGS", {"gtol": tolerance, "maxiter": STEPS})


def scipy_trust_exact(functions, starts, tolerance):
    """scipy.optimize.minimize, trust-exact: Newton in a sphere, its matrix from differences of gradients as in ours."""
    from scipy.optimize import minimize

    results, calls = [], 0
    for f, x in zip(functions, starts, strict=True):

        def matrix(x, f=f):
            return hessian(f, x, f(x)[1])

        sphere = {"initial_trust_radius": reach(x), "max_trust_radius": 1e10}  # by default, no step above 1000
        options = {"gtol": tolerance, "maxiter": MOST // (x.size + 2)} | sphere
        try:
            one = minimize(f, x, jac=True, hess=matrix, method="trust-exact", options=options)
        except ValueError:  # after a step so wild that its matrix overflows
            results.append(x)
            continue
        results.append(one.x)
        calls += int(one.nfev) + int(one.nhev) * (x.size + 1)
    return np.concatenate(results), calls
