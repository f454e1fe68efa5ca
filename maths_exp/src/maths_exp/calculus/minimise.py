"""Minimise: downhill in many dimensions, and what a memory of the slopes is worth.

Problem   $f(x)$ and its gradient $g(x)$ for each function of a set, and a start. Wanted: a point where no component of
          g is larger than the tolerance; all methods stop by this rule.
Idea      The gradient says where down is, not how far: in a valley, steepest descent goes from wall to wall.  Momentum
          evens that out.  Newton's method knows the curvature and jumps to the bottom of a parabola, which a trust
          region believes only nearby; BFGS learns the curvature from the gradients it has seen, $y = H^{-1} s$; L-BFGS
          keeps only the last ten pairs (s, y).
Look for  Evaluations: thousands, hundreds, tens.  `--problem ill-conditioned` is what descent cannot do; `collection`
          holds Moré, Garbow and Hillstrom's 35 functions; the column solved says who finds a published minimum of
          how many.  On small functions SciPy's time is the way from C to Python and back, which compiled code does
          not go.  The second derivatives come from n differences of gradients, all of them counted: Newton's steps
          are few, and dear.
Source    J. Nocedal, S. J. Wright, Numerical Optimization, 2nd ed. (2006), doi:10.1007/978-0-387-40065-5: algorithms
          3.1, 4.1, 6.1, 7.2, 7.5; ch. 3.4.  J. J. Moré, B. S. Garbow, K. E. Hillstrom, Testing unconstrained
          optimization software, ACM TOMS 7 (1981), doi:10.1145/355934.355936.  J. A. Nelder, R. Mead, A simplex method
          for function minimization, Computer Journal 7 (1965), 308-313, doi:10.1093/comjnl/7.4.308.  Y. Nesterov, A
          method of solving a convex programming problem with convergence rate O(1/k²) (1983).
"""

from __future__ import annotations

import numpy as np

from exp_core import Experiment, Problem, Skip
from maths_exp.calculus._minimise_compiled import M, lbfgs_compiled
from maths_exp.calculus._minimise_curvature import MOST, backtrack, bfgs, newton, trust_region
from maths_exp.calculus._minimise_laws import LAWS, evaluations, minimiser, over_set, solved
from maths_exp.calculus._minimise_library import as_callbacks, as_pointers, scipy_bfgs, scipy_lbfgsb, scipy_trust_exact
from maths_exp.calculus._minimise_picture import picture as draw
from maths_exp.calculus._minimise_problems import cluster, collection, ill_conditioned, valley


def gradient_descent(fg, x, tolerance):
    """Straight down, as far as it pays; the next step begins with twice the last one."""
    (f, g), alpha, calls = fg(x), 1.0, 1
    while np.max(abs(g)) > tolerance and calls < MOST:
        x, f, g_new, alpha, trials = backtrack(fg, x, f, -g @ g, -g, 2 * alpha)
        calls += trials
        if g_new is None:
            break
        g = g_new
    return x, calls


def momentum(fg, x, tolerance):
    """The same with a run-up: from beyond x, as far as the last step went (Nesterov); uphill, it starts again."""
    (f, g), alpha, calls, age = fg(x), 1.0, 1, 0
    before = x
    while np.max(abs(g)) > tolerance and calls < MOST:
        ahead = x + age / (age + 3) * (x - before)
        f_ahead, g_ahead = fg(ahead)
        calls += 1
        down = -g_ahead @ g_ahead
        # half of what the slope promises: beyond one over the steepest curvature a run-up swings
        new, value, g_new, alpha, trials = backtrack(fg, ahead, f_ahead, down, -g_ahead, 1.2 * alpha, share=0.5)
        calls += trials
        if value > f or g_new is None:
            if age == 0:
                break
            before, age, alpha = x, 0, alpha or 1.0
            continue
        before, x, f, g, age = x, new, value, g_new, age + 1
    return x, calls


def nelder_mead(fg, x, tolerance):
    """Without a gradient: a simplex tumbles down, mirrored, stretched and shrunk at its worst corner."""
    n, calls = x.size, x.size + 1
    corners = np.vstack([x, x + np.diag(np.where(x == 0, 0.25, 0.05 * abs(x)))])
    values = np.array([fg(corner)[0] for corner in corners])
    step = 0
    while calls < MOST:
        order = np.argsort(values, kind="stable")
        corners, values = corners[order], values[order]
        step += 1
        if step % (5 * n) == 0:  # the common rule to stop needs a gradient, which nothing else here looks at
            calls += 1
            if np.max(abs(fg(corners[0])[1])) <= tolerance:
                break
        centre = corners[:-1].mean(axis=0)

        def at(t, centre=centre, worst=corners[-1]):
            point = centre + t * (worst - centre)
            return point, fg(point)[0]

        new, value = at(-1.0)
        calls += 1
        if value < values[0]:
            further, best = at(-2.0)
            calls += 1
            if best < value:
                new, value = further, best
        elif value >= values[-2]:
            new, value = at(-0.5 if value < values[-1] else 0.5)
            calls += 1
            if value >= values[-1]:
                corners = corners[0] + (corners - corners[0]) / 2
                values[1:] = [fg(corner)[0] for corner in corners[1:]]
                calls += n
                continue
        corners[-1], values[-1] = new, value
    return corners[np.argmin(values)], calls


def picture(figure, tasks, tolerance):
    """Where each method looks, and how fast it finds the bottom."""
    methods = {"gradient descent": gradient_descent, "momentum": momentum, "Nelder-Mead": nelder_mead}
    draw(figure, methods | {"Newton": newton, "trust region": trust_region, "BFGS": bfgs}, tasks, tolerance)


CROSSING = "it goes from wall to wall of a narrow valley, and has given up"
BLIND = "without a gradient its simplex goes flat, or rounding of f hides the way"
FLOWN = "where the energy curves down, a step may drive the atoms apart for ever: the slope vanishes there too"
RUNAWAY = "its run-up swings for ever where the atoms' curvature changes, and has given up"
LOST = "no. 3 and 10 are so badly scaled that the curvature along their valleys is lost in rounding"


def up_to(most):
    """Skip whatever has more variables."""

    def skip(tasks, tolerance):
        if min(len(task.start) for task in tasks) > most:
            return Skip(
                f"for {most} variables at most: it would take many thousand evaluations", "choose a smaller size"
            )
        return None

    return skip


EXPERIMENT = Experiment(
    problems=(
        Problem(valley, small={"n": 4}, awkward=({"n": 2, "tolerance": 1e-4},)),
        Problem(ill_conditioned, kind="hard", small={"n": 5}, awkward=({"n": 1},)),
        Problem(collection, kind="hard", small={"functions": 2}, awkward=({"functions": 1},)),
        Problem(cluster, kind="real", small={"atoms": 2}, awkward=({"atoms": 5},)),
    ),
    laws=LAWS,
    figures={"evaluations": evaluations, "solved": solved},
    implementations=(
        minimiser(
            over_set(gradient_descent),
            "textbook",
            combining=lambda n: 6 * n,
            skip=up_to(40),
            unstable=dict.fromkeys(("valley", "ill-conditioned", "collection"), CROSSING),
        ),
        minimiser(
            over_set(momentum),
            "textbook",
            combining=lambda n: 8 * n,
            unstable={"collection": CROSSING, "cluster": RUNAWAY},
        ),
        minimiser(
            over_set(nelder_mead),
            "textbook",
            combining=lambda n: 4 * n,
            skip=up_to(6),
            unstable={"collection": BLIND},
        ),
        minimiser(
            over_set(newton),
            "vectorised",
            combining=lambda n: 9 * n * n,
            unstable={"collection": LOST, "cluster": FLOWN},
        ),
        minimiser(over_set(trust_region), "vectorised", combining=lambda n: 4 * n * n, unstable={"collection": LOST}),
        minimiser(over_set(bfgs), "vectorised", combining=lambda n: 12 * n * n),
        minimiser(lbfgs_compiled, "compiled", as_pointers, combining=lambda n: 8 * M * n),
        minimiser(
            scipy_trust_exact,
            "library",
            as_callbacks,
            combining=lambda n: 4 * n * n,
            unstable={"collection": LOST + ", and a step of no. 17 overflows"},
        ),
        minimiser(
            scipy_bfgs,
            "library",
            as_callbacks,
            combining=lambda n: 12 * n * n,
            unstable={"collection": "below a tolerance of 1e-6 it gives up"},
        ),
        minimiser(
            scipy_lbfgsb,
            "library",
            as_callbacks,
            combining=lambda n: 8 * M * n,
            unstable={
                "collection": "where a step of no. 6 overflows, it goes back, sees the same f again and stops",
                "cluster": "two equal values of f in a row are enough for it to stop",
            },
        ),
    ),
    picture=picture,
    dtypes=("float64",),
)
