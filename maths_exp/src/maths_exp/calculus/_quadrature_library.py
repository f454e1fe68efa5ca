"""SciPy's integrators, each given the integrands in the form in which it calls them fastest."""

from __future__ import annotations

import numpy as np

from exp_core.compiled import FUSE, njit
from maths_exp.calculus._quadrature_compiled import LIMIT
from maths_exp.calculus._quadrature_pointers import as_pointers, call


def quad(callbacks, tolerance):
    """scipy.integrate.quad: QUADPACK's QAGS in C, which calls the compiled integrand directly; one at a time."""
    from scipy.integrate import quad

    options = {"epsabs": tolerance, "epsrel": tolerance, "limit": LIMIT, "full_output": 1}
    results = [quad(f, a, b, **options)[:3] for f, a, b, _ in callbacks]
    values, errors, facts = zip(*results, strict=True)
    return np.array(values), np.array(errors), sum(one["neval"] for one in facts)


@njit(fastmath=FUSE)
def all_at(addresses, parameters, ends, t):
    """Every integrand at the same place t of its interval, times the length of that."""
    y = np.empty(addresses.size)
    for i in range(addresses.size):
        a, b = ends[i]
        y[i] = (b - a) * call(addresses[i], a + (b - a) * t, parameters[i])
    return y


def as_vector(integrands, tolerance):
    """For quad_vec: one compiled function from [0, 1] to all values."""
    addresses, parameters, ends, _ = as_pointers(integrands, tolerance)
    return (lambda t: all_at(addresses, parameters, ends, t)), len(integrands), tolerance


def quad_vec(f, size, tolerance):
    """scipy.integrate.quad_vec: all integrands as one vector, bisected together where any of them needs it."""
    from scipy.integrate import quad_vec

    values, error, facts = quad_vec(
        f, 0.0, 1.0, epsabs=tolerance, epsrel=tolerance, norm="max", limit=LIMIT, quadrature="gk21", full_output=True
    )
    return values, np.full(size, error), facts.neval * size
