"""The work-precision diagram, each point a run, and where the system goes."""

from __future__ import annotations

import numpy as np

from maths_exp.calculus import _ode_systems as systems
from maths_exp.calculus._ode_dormand_prince import dormand_prince
from maths_exp.calculus._ode_laws import error
from maths_exp.calculus._ode_reference import exact

COMPILED, PYTHON = 10**6, 10**4  # evaluations of a long run: some 0.02 s
# f             what is drawn, and which columns of the state against which
PATHS = {
    systems.kepler: ("A planet and its sun", "x", "y", ((0, 1),)),
    systems.lorenz: ("Lorenz's butterfly", "x", "z", ((0, 2),)),
    systems.three_bodies: ("Masses 3, 4 and 5 fall towards one another", "x", "y", ((0, 1), (2, 3), (4, 5))),
}


def work_and_error(solve, form, order, f, t, y0, accuracy):
    """Evaluations and errors of runs from coarse to fine, until they take long or rounding takes over."""
    truth, points, most = exact(f, t, y0, accuracy), [], PYTHON if isinstance(form(f, t, y0)[1], list) else COMPILED
    for k in range(1, 60):
        argument = 2 ** (k // 2) * (3 if k % 2 else 2) // 2 if order else 10 ** (-k / 4)
        try:
            with np.errstate(all="ignore"):
                result = solve(*form(f, t, y0), argument)
                found = error(result, f, t, y0, accuracy, truth)
        except ArithmeticError:  # too coarse: a planet fell into its sun
            continue
        if found < 2:
            points.append((found, result[1]))
        if result[1] > most or found < 1e-11:
            break
    return np.array(points).reshape(-1, 2).T


def diagram(axes, methods, f, t, y0, accuracy):
    """What each method pays for its accuracy: on logarithmic axes the slope is 1 over the order."""
    for name, (solve, form, order) in methods.items():
        axes.loglog(*work_and_error(solve, form, order, f, t, y0, accuracy), marker="o", markersize=3, label=name)
    axes.axvline(accuracy, color="grey", linestyle=":", label="accuracy asked for")
    axes.invert_xaxis()
    axes.set(xlabel="largest relative error", ylabel="evaluations of f", title="Work and precision")
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)


def paths(axes, f, t, y0):
    """The paths up to the last output time, each with a dot where it ends."""
    title, x_name, y_name, columns = PATHS[f]
    fine = np.linspace(t[0], t[-1], 2500).tolist()
    states = dormand_prince(f, fine, y0.tolist(), 1e-6)[0]
    for x, y in columns:
        (line,) = axes.plot(states[:, x], states[:, y], linewidth=1)
        axes.plot(states[-1, x], states[-1, y], "o", color=line.get_color())
    axes.set(title=title, xlabel=x_name, ylabel=y_name)


def picture(figure, methods, f, t, y0, accuracy):
    """Left the work-precision diagram, right the paths; methods: name -> solver, form of its inputs, order."""
    left, right = figure.subplots(1, 2)
    diagram(left, methods, f, t, y0, accuracy)
    paths(right, f, t, y0)
    if f is systems.lorenz:  # the whole butterfly, far beyond where a float can foretell the place on it
        beyond = dormand_prince(f, np.linspace(0, 40, 4000).tolist(), y0.tolist(), 1e-4)[0]
        right.plot(beyond[:, 0], beyond[:, 2], color="grey", linewidth=0.3, zorder=0)
    else:
        right.set_aspect("equal", "datalim")
    if f is systems.kepler:
        right.plot(0, 0, "*", color="goldenrod", markersize=14)
        euler, form, _ = methods["Euler, order 1"]
        spiral = euler(*form(f, np.linspace(t[0], t[-1], 4001), y0), 1)[0]
        right.plot(*spiral[:, :2].T, color="grey", linewidth=0.5, zorder=0, label="Euler's method, 4000 steps")
        right.legend(fontsize="small", loc="upper left")
