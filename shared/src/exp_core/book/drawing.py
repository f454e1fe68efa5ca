"""The figures of a page: what the algorithm does, how near it comes to the limits, how it grows, how it changed."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from exp_core.book import svg
from exp_core.catalogue import printable
from exp_core.experiment import Experiment
from exp_core.report.docstring import readable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from exp_core.history.queries import Measurement
    from exp_core.history.run import Configuration
    from exp_core.results import Result
    from exp_core.scaling import Sweep

SEED = 0  # of the picture's input
LONGEST_ALT = 400
LEAST_RUNS = 2


@dataclass(frozen=True, slots=True)
class Illustration:
    """A figure's markup, or why there is none.  failed: something went wrong that may go well the next time."""

    markup: str | Markup = ""
    reason: str = ""
    failed: bool = False


def picture(experiment: Experiment, title: str) -> Illustration:
    """What the algorithm does, on the ordinary problem at its default sizes."""
    import numpy as np

    problem = experiment.problems[0]
    sizes = {size.name: size.default for size in problem.sizes}

    def draw(figure: Figure) -> None:
        inputs = problem.make(**sizes, dtype=experiment.dtypes[0], rng=np.random.default_rng(SEED))
        experiment.picture(figure, *inputs)

    return drawn("picture", title, (9, 5), draw)


def roofline(result: Result) -> Illustration:
    """The ladder under the machine's roofs."""
    from exp_core.report.roofline import draw_under_roofs

    title = f"roofline of {result.experiment}"
    return drawn("roofline", title, (9, 4.8), lambda figure: draw_under_roofs(figure.subplots(), result))


def scaling(sweep: Sweep) -> Illustration:
    """Time by size, with the laws that fit."""
    from exp_core.report.scaling_figure import draw_slice

    part = sweep.slices[0]
    names = [curve.name for curve in part.curves if curve.sizes]
    title = f"time of {sweep.experiment} by {part.axis}"
    return drawn("scaling", title, (9, 4.8), lambda figure: draw_slice(figure.subplots(), part, names, legend=True))


def over_time(points: Sequence[Measurement], name: str, shown: Configuration | None = None) -> Illustration:
    """The ratio to the library, run by run: of the ladder that is shown, or else of what was run most often."""
    from exp_core.history.series import configuration_text, series
    from exp_core.report.history_figure import draw_panel

    found = [one for one in series(points) if one.rung != "library" and any(point.ratio for point in one.points)]
    runs: dict[Configuration, int] = {}
    for one in found:
        runs[one.configuration] = max(runs.get(one.configuration, 0), sum(bool(point.ratio) for point in one.points))
    if max(runs.values(), default=0) < LEAST_RUNS:
        return Illustration(reason="there are fewer than two runs of one configuration to hold against each other")
    often = max(runs, key=lambda each: runs[each])  # of several the first: that of the newest run
    configuration = shown if shown is not None and runs.get(shown, 0) >= LEAST_RUNS else often
    here = [one for one in found if one.configuration == configuration]
    machines = list(dict.fromkeys(point.machine for one in here for point in one.points))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        draw_panel(axes, here, machines)
        axes.set_title(configuration_text(configuration))

    return drawn("time", f"{name} against the library over time", (9, 4), draw)


def drawn(prefix: str, title: str, inches: tuple[float, float], draw: Callable[[Figure], None]) -> Illustration:
    """A figure as markup.  A drawing that fails is one sentence in its place: the page stands."""
    from matplotlib.figure import Figure

    from exp_core.report.roofline import NothingToPlace

    try:
        with svg.style(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a legend too large for its figure is seen on the page
            figure = Figure(figsize=inches, layout="constrained")
            draw(figure)
            return Illustration(Markup(svg.to_svg(figure, in_words(figure, title), prefix)))
    except NothingToPlace as error:
        return Illustration(reason=str(error))
    except Exception as error:  # an experiment's own code draws
        return Illustration(reason=f"{type(error).__name__}: {printable(' '.join(str(error).split()))}", failed=True)


def in_words(figure: Figure, title: str) -> str:
    """What there is to see, from the titles and the names of the axes."""
    parts = [title]
    for axes in figure.axes:
        across, up = axes.get_xlabel(), axes.get_ylabel()
        named = f"{up} by {across}" if across and up else up or across
        said = ": ".join(word for word in (axes.get_title(), named) if word)
        legend = axes.get_legend()
        names = [str(text.get_text()) for text in legend.get_texts()] if legend else []
        parts.append(f"{said} ({', '.join(names)})" if said and names else said)
    words = ". ".join(readable(part) for part in dict.fromkeys(parts) if part)
    return textwrap.shorten(printable(words), LONGEST_ALT, placeholder=" …")
