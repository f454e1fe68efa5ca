"""Quadrature: an integral from as few looks at the function as possible.

Problem   $I = \\int_a^b f(x) dx$ for a set of functions f. Wanted: each I with an error of at most the tolerance, times
          |I| where that is above 1, and an honest word if it could not be done.
Idea      Equal steps are cheap to refine: halve them until two results agree, and extrapolate. Gauss and Chebyshev
          place points where they serve best, and smooth f cost a few of them. What is not smooth is cut up: bisect
          where the error is largest. A singular end leaves an error that shrinks like a geometric series, so its
          limit can be computed (Wynn); or a substitution takes the ends to infinity (tanh-sinh).
Look for  The evaluations: for `--problem smooth` Gauss needs a handful where the trapezoid rule needs thousands; for
          `singular` the equal steps fail, and bisection alone, compiled as it is, loses to QUADPACK: it looks 1,400
          times where extrapolation looks 250 times. `peaks`: extrapolation finds a limit in sums that grow, and
          is believed by QUADPACK; ours asks first whether they come closer to one another. `kinks`: a kink may hide
          between two points from all estimates. What a rule asks of f at once, the compiled rungs compute side by side
          in vector registers, with logarithms and cosines of their own; QUADPACK asks for one place after the other.
Source    P. Davis, P. Rabinowitz, Methods of Numerical Integration, 2nd ed. (1984).
          R. Piessens, E. de Doncker-Kapenga, C. W. Überhuber, D. K. Kahaner, QUADPACK (1983),
          doi:10.1007/978-3-642-61786-7.
          L. N. Trefethen, Is Gauss quadrature better than Clenshaw-Curtis?, SIAM Review 50 (2008), 67-87,
          doi:10.1137/060659831.
"""

from __future__ import annotations

from exp_core import Experiment, Problem
from maths_exp.calculus._quadrature_adaptive import gauss_kronrod, tanh_sinh
from maths_exp.calculus._quadrature_compiled import epsilon_compiled, gauss_kronrod_compiled
from maths_exp.calculus._quadrature_laws import LAWS, evaluations, integrator, over_set, too_fine, too_many, truth
from maths_exp.calculus._quadrature_library import as_vector, quad, quad_vec
from maths_exp.calculus._quadrature_picture import picture as draw
from maths_exp.calculus._quadrature_pointers import as_callbacks, as_panels
from maths_exp.calculus._quadrature_problems import battery, kinks, oscillating, peaks, singular, smooth
from maths_exp.calculus._quadrature_vectorised import (
    SAMPLES,
    Z,
    clenshaw_curtis,
    gauss_legendre,
    monte_carlo,
    until_two_agree,
)

COARSEST, FINEST = 8, 2**14  # intervals of the first sum that is believed, and of the last that is made


def trapezoids(f, a, b):
    """T with n = 1, 2, 4, ... intervals, and the evaluations so far: only the new points are looked at."""
    n, h = 1, b - a
    T = h * (f(a) + f(b)) / 2
    while n < FINEST:
        yield T, n + 1
        T = (T + h * sum(f(a + (i + 0.5) * h) for i in range(n))) / 2
        n, h = 2 * n, h / 2


def trapezoid(f, a, b, tolerance):
    """The area under a polygon, with ever shorter sides until two results agree: the error falls as h²."""
    return until_two_agree(((T, n) for T, n in trapezoids(f, a, b) if n > COARSEST), tolerance)


def simpson(f, a, b, tolerance):
    """Two trapezoid sums, combined so that their h² terms cancel: (4 T(h) - T(2h)) / 3, with an error of h⁴."""

    def results():
        before = 0.0
        for T, n in trapezoids(f, a, b):
            if n > COARSEST:
                yield (4 * T - before) / 3, n
            before = T

    return until_two_agree(results(), tolerance)


def romberg(f, a, b, tolerance):
    """The same again and again: with each halving one more power of h² is cancelled (Romberg 1955)."""

    def results():
        row = []
        for T, n in trapezoids(f, a, b):
            new = [T]
            for k, before in enumerate(row, 1):
                new.append(new[-1] + (new[-1] - before) / (4**k - 1))
            row = new
            if n > COARSEST:
                yield row[-1], n

    return until_two_agree(results(), tolerance)


def picture(figure, integrands, tolerance):
    """What each method pays for its accuracy, and where bisection looks."""
    draw(figure, {"trapezoid": trapezoid, "Simpson": simpson, "Romberg": romberg}, integrands, tolerance)


INFINITE = "f is infinite at the end, where the rule looks"
SLOW = "its error falls only as a power of the evaluations, as far as f is smooth, and it has given up"
MISSED = "sums that have missed a peak agree, and are believed"
GAP = "a kink in a gap between the points is not seen: the error then lies above what is estimated"
DISTANT = "the third peak is as narrow as 1/1000: where no point falls on it, nothing tells of it"
TOO_SMALL = "what bisection cannot reach at 0 holds more than the tolerance"
GROWING = "before a narrow peak is resolved the sums grow like those of a pole, and the extrapolated limit is believed"
ROUGH = {"kinks": SLOW, "battery": SLOW, "oscillating": MISSED}
CLOSED = {"singular": INFINITE, "peaks": MISSED, **ROUGH}
OPEN = {"singular": SLOW, "peaks": SLOW, **ROUGH}
CUT = {"kinks": GAP, "battery": DISTANT}

SMALL = {"members": 8, "tolerance": 1e-5}
AWKWARD = ({"members": 1, "tolerance": 1e-12}, {"members": 7, "tolerance": 0.01})
TWO = {"prepare": as_panels}

EXPERIMENT = Experiment(
    problems=(
        Problem(smooth, small=SMALL, awkward=AWKWARD),
        Problem(singular, kind="hard", small=SMALL, awkward=AWKWARD),
        Problem(oscillating, kind="hard", small=SMALL, awkward=AWKWARD),
        Problem(peaks, kind="hard", small=SMALL, awkward=AWKWARD),
        Problem(kinks, kind="hard", small=SMALL, awkward=AWKWARD),
        Problem(battery, kind="hard", small={"tolerance": 1e-6}),
    ),
    oracle=truth,
    laws=LAWS,
    figures={"evaluations": evaluations},
    implementations=(
        integrator(over_set(trapezoid), "textbook", combining=4, skip=too_fine(1e-6), unstable=CLOSED),
        integrator(over_set(simpson), "textbook", combining=4, unstable=CLOSED),
        integrator(over_set(romberg), "textbook", combining=4, unstable=CLOSED),
        integrator(over_set(gauss_kronrod), "textbook", combining=11, unstable=CUT),
        integrator(over_set(tanh_sinh), "textbook", combining=5, memory=4e5, unstable=OPEN),
        integrator(over_set(gauss_legendre), "vectorised", combining=4, unstable=OPEN),
        integrator(over_set(clenshaw_curtis), "vectorised", combining=8, unstable=CLOSED),
        integrator(
            over_set(monte_carlo),
            "vectorised",
            combining=4,
            skip=too_many(Z),
            memory=4.0 * 8 * SAMPLES,
            unstable={"singular": "x^a with a < -1/2 has an infinite variance", "battery": MISSED, "peaks": MISSED},
        ),
        integrator(gauss_kronrod_compiled, "compiled", **TWO, combining=11, unstable=CUT),
        integrator(epsilon_compiled, "compiled", **TWO, combining=11, unstable=CUT),
        integrator(quad_vec, "library", as_vector, combining=11, unstable={"singular": TOO_SMALL, **CUT}),
        integrator(quad, "library", as_callbacks, combining=11, unstable={"peaks": GROWING, **CUT}),
    ),
    picture=picture,
    dtypes=("float64",),
)
