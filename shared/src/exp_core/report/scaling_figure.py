"""A sweep as a figure: times by size on logarithmic axes, with intervals, laws, breaks and crossovers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from exp_core.report.figure import save, titled_figure
from exp_core.scaling import Curve, Fit, Slice, Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito's colours, and greys; with the markers, 30 curves can be told apart without relying on colour alone.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#999999")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "h", "p")
STYLES = ("-", "--", ":")  # of lines whose markers say something else
MOST_COLUMNS = 3
MOST_PANELS = 12
MOST_CROSSINGS = 6  # marked in a panel: those where the fastest of all changes, never more


def draw(sweep: Sweep, path: Path) -> None:
    """Write the figure.  Raises OSError."""
    save(sweep_figure(sweep), path)


def sweep_figure(sweep: Sweep) -> Figure:
    """The figure: a panel for each slice."""
    slices = [part for part in sweep.slices if any(curve.sizes for curve in part.curves)][:MOST_PANELS]
    columns = max(1, min(MOST_COLUMNS, len(slices)))
    rows = max(1, math.ceil(len(slices) / columns))
    alone = len(slices) <= 1
    figure = titled_figure(sweep.title, (11, 6.6) if alone else (5.2 * columns, 4.2 * rows + 1.6))
    panels = figure.subplots(rows, columns, squeeze=False)
    names = list(dict.fromkeys(curve.name for part in slices for curve in part.curves if curve.sizes))
    for axes, part in zip(panels.flat, slices, strict=False):
        draw_slice(axes, part, names, legend=alone)
        title = ", ".join(f"{name} = {size_text(size)}" for name, size in {**sweep.fixed, **part.fixed}.items())
        axes.set_title("   ".join(word for word in (sweep.problem, title, sweep.dtype) if word), fontsize="medium")
    for axes in panels.flat[len(slices) :]:
        axes.set_axis_off()
    if not alone:
        handles = {h.get_label(): h for axes in panels.flat for h in axes.get_legend_handles_labels()[0]}
        figure.legend(
            handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False, fontsize="small"
        )
    return figure


def draw_slice(axes: Axes, part: Slice, names: list[str], *, legend: bool) -> None:
    """Points with their intervals, the law of each regime through them, breaks and crossovers."""
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    curves = [curve for curve in part.curves if curve.sizes]
    for curve in curves:
        place = names.index(curve.name)
        colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
        draw_curve(axes, curve, colour, marker, label=described(curve) if legend else curve.name)
    draw_crossovers(axes, part)
    sizes = sorted({n for curve in curves for n in curve.sizes})
    if len(sizes) <= 14:
        axes.set_xticks(sizes, [size_text(n) for n in sizes], rotation=0 if len(sizes) <= 8 else 35)
        axes.minorticks_off()
    axes.set_xlabel(part.axis)
    axes.set_ylabel("seconds a call")
    axes.grid(True, which="major", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if legend and curves:
        ordered = sorted(curves, key=lambda curve: -curve.median_s[-1])
        handles = dict(zip((c.name for c in curves), axes.get_legend_handles_labels()[0], strict=True))
        axes.legend(
            [handles[c.name] for c in ordered],
            [described(c) for c in ordered],
            loc="center left",
            bbox_to_anchor=(1.01, 0.5),
            frameon=False,
            fontsize="small",
            labelspacing=0.9,
        )


def draw_curve(axes: Axes, curve: Curve, colour: str, marker: str, label: str) -> None:
    """The measured points, and a line for each regime's law: full where it is decided, dashed where it is not."""
    t = np.array(curve.median_s)
    spread = np.array([[m - low, high - m] for m, (low, high) in zip(curve.median_s, curve.ci95, strict=True)]).T
    axes.errorbar(
        curve.sizes,
        t,
        yerr=np.maximum(spread, 0.0),
        fmt=marker,
        color=colour,
        markersize=4.5,
        markeredgecolor="white",
        markeredgewidth=0.5,
        elinewidth=1,
        label=label,
    )
    if not any(curve.growth.fits):  # too few sizes for a law: what belongs together is joined
        axes.plot(curve.sizes, t, color=colour, linewidth=0.8, linestyle=":")
    for fit in curve.growth.fits:
        if fit is not None:
            n = np.geomspace(*fit.sizes, 200)
            seconds = fit.best(n)
            style = "-" if settled(fit) else (0, (4, 2))
            axes.plot(
                n, np.where(seconds > 0, seconds, np.nan), color=colour, linewidth=1.3, linestyle=style, alpha=0.85
            )
    for change in curve.growth.breaks:
        at = float(np.exp(np.interp(np.log(change.at), np.log(curve.sizes), np.log(t))))
        axes.plot([change.at] * 2, [at / 1.6, at * 1.6], color=colour, linewidth=1, linestyle=":")
        axes.annotate(
            f"leaves {change.cause}" if change.cause else "break",
            (change.at, at / 1.6),
            xytext=(0, -2),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize="x-small",
            color=colour,
        )


def draw_crossovers(axes: Axes, part: Slice) -> None:
    """A ring where the fastest of all changes, and its interval as a bar."""
    for crossing in [c for c in part.crossovers if c.overall][:MOST_CROSSINGS]:
        curve = next(curve for curve in part.curves if curve.name == crossing.faster)
        at = float(np.exp(np.interp(np.log(crossing.at), np.log(curve.sizes), np.log(curve.median_s))))
        axes.plot(crossing.ci95, [at, at], color="#444444", linewidth=3, alpha=0.35, solid_capstyle="butt", zorder=4)
        axes.plot([crossing.at], [at], "o", color="#444444", markerfacecolor="none", markersize=11, zorder=5)
        text = f"{part.axis} = {crossing.at:.3g}"
        axes.annotate(
            text,
            (crossing.at, at),
            xytext=(0, -12),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize="small",
        )


def size_text(n: float) -> str:
    """As the command line takes it: a whole number has all of its digits."""
    return f"{n:.0f}" if float(n).is_integer() and abs(n) < 1e12 else f"{n:g}"


def settled(fit: Fit) -> bool:
    """Whether one law alone is left, or no growth was seen."""
    return fit.constant or len(fit.laws) == 1


def described(curve: Curve) -> str:
    """The legend's two lines: the name, and the law of the largest sizes."""
    fit = curve.growth.last
    if fit is None:
        return curve.name
    low, high = fit.p_ci95
    verdict = "no growth seen" if fit.constant else " or ".join(fit.laws[:3]) + (", …" if len(fit.laws) > 3 else "")
    law = f"n^{fit.p:.2f}" if fit.laws == ("n^p",) else verdict
    return f"{curve.name}\n   {law}" + ("" if fit.constant else f"   (p {low:.2f}–{high:.2f})")
