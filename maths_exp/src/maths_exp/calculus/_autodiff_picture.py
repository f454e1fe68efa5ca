"""The valley of difference quotients, and what each method pays for n variables."""

from __future__ import annotations

import numpy as np

from maths_exp.calculus._autodiff_functions import helmholtz, rosenbrock, speelpenning
from maths_exp.calculus._autodiff_laws import CENTRAL, COMPLEX, DIFFERENCES, DUAL, TAPE
from maths_exp.calculus._autodiff_network import network

NAMES = {
    rosenbrock: "Rosenbrock's valley",
    helmholtz: "Helmholtz energy",
    speelpenning: "Speelpenning's product",
    network: "a network's loss",
}
SAMPLES = 40  # of the data, enough for a picture


def picture(figure, f, x, *data):
    """Left: the error of one derivative by the step taken; right: operations over those of f."""
    errors, prices = figure.subplots(1, 2)
    if f is network:
        data = tuple(a[:SAMPLES] for a in data)
    x, *data = (a.astype(np.float64) for a in (x, *data))
    by_step(errors, f, x, data)
    by_variables(prices, f, x, data)


def by_step(axes, f, x, data):
    """For h from 1e-16 to 1e-1, the quotients' errors; the complex step goes on to the left for ever."""
    i = int(np.argmax(np.abs(g := f.gradient(x, *data))))
    h = 10.0 ** np.arange(-20, -0.9, 0.25) * max(abs(x[i]), 1e-3)

    def moved(by):
        w = x.astype(type(by))
        w[i] += by
        return f.arrays(np, w, *data)

    with np.errstate(all="ignore"):
        y = moved(0.0)
        curves = {
            "forward": [(moved(s) - y) / s for s in h],
            "central": [(moved(s) - moved(-s)) / (2 * s) for s in h],
            "complex": [moved(complex(0, s)).imag / s for s in h],
        }
        for (name, values), colour in zip(curves.items(), ("#D55E00", "#E69F00", "#0072B2"), strict=True):
            wrong = np.abs(np.array(values) / g[i] - 1)
            axes.loglog(h, np.clip(np.where(np.isfinite(wrong), wrong, 1), 1e-17, 1), color=colour, label=name)
    axes.set(xlabel="step h", ylabel=f"relative error of $\\partial f / \\partial x_{{{i}}}$")
    axes.set_title(f"{NAMES[f]}: the best h is a compromise", fontsize="medium")
    axes.legend(frameon=False, fontsize="small")


def by_variables(axes, f, x, data):
    """The costs that the ladder uses, over the function's own."""
    methods = {
        "central differences": (CENTRAL, "#E69F00"),
        "complex step": (COMPLEX, "#0072B2"),
        "dual numbers": (DUAL, "#009E73"),
        "forward differences": (DIFFERENCES, "#D55E00"),
        "tape": (TAPE, "#000000"),
    }
    total = max(f.operations(x, *data).total, 1)
    ratios = [cost(f, x, *data).flops / total for cost, _ in methods.values()]
    for place, (ratio, (_, colour)) in enumerate(zip(ratios, methods.values(), strict=True)):
        axes.barh(place, ratio, color=colour)
        words = f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"
        axes.annotate(
            words, (ratio, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize="small",
            bbox={"color": "white", "pad": 1},
        )  # fmt: skip
    axes.axvline(5, color="0.6", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(methods)), list(methods))
    axes.set_xscale("log")
    axes.set_xlim(0.5, 10 * max(ratios))
    axes.set(xlabel="operations over those of f (dashed: 5)")
    axes.set_title(f"n = {x.size}: what the gradient costs", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
