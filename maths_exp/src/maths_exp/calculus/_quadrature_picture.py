"""The work-precision diagram, each point a run over the set, and where an adaptive method looks."""

from __future__ import annotations

import numpy as np

from maths_exp.calculus._quadrature_adaptive import gauss_kronrod, tanh_sinh
from maths_exp.calculus._quadrature_laws import error, over_set, truth
from maths_exp.calculus._quadrature_vectorised import clenshaw_curtis, gauss_legendre

DRAWN = 4  # integrands
LONG = 2000  # evaluations an integral after which no finer tolerance is tried


def looks(one, tolerance):
    """Where Gauss-Kronrod's bisection looks at an integrand, and what it sees."""
    places = []

    def f(x):
        places.append(x)
        return one.f(x, one.p)

    gauss_kronrod(f, one.a, one.b, tolerance)
    x = np.sort(np.array(places))
    return x, one.f(x, one.p)


def picture(figure, methods, integrands, tolerance):
    """Left what each method pays for its accuracy, right some integrands with the places where they were looked at."""
    left, right = figure.subplots(1, 2)
    some = integrands[:DRAWN]
    exact = truth(some, tolerance)
    with np.errstate(all="ignore"):
        for name, method in (methods | METHODS).items():
            points = []
            for digits in range(1, 13):
                result = over_set(method)(some, 10.0**-digits)
                found = error(result, some, tolerance, exact)
                if np.isfinite(found):
                    points.append((max(found, 1e-17), result[2] / len(some)))
                if result[2] > LONG * len(some):
                    break
            if points:
                left.loglog(*np.array(points).T, "o-", markersize=3, label=name)
        for number, one in enumerate(some):
            x, y = looks(one, max(tolerance, 1e-6))
            y = y / np.quantile(abs(y), 0.9) if np.any(y) else y
            (line,) = right.plot(x, y, linewidth=0.8)
            right.plot(x, np.full(x.size, -2.2 - 0.2 * number), "|", color=line.get_color(), markersize=7)
    left.axvline(tolerance, color="grey", linestyle=":", label="tolerance")
    left.invert_xaxis()
    left.set(xlabel="largest error", ylabel="evaluations an integral", title="Work and precision")
    left.legend(fontsize="small")
    left.grid(alpha=0.3)
    right.set(xlabel="x", ylabel="f, scaled", ylim=(-3, 3), title="Where bisection looks (ticks)")


METHODS = {
    "Gauss-Kronrod, bisected": gauss_kronrod,
    "tanh-sinh": tanh_sinh,
    "Gauss-Legendre": gauss_legendre,
    "Clenshaw-Curtis": clenshaw_curtis,
}
