"""The figures of a result, by name; from the result alone: its input is made again from sizes, dtype and seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exp_core.catalogue import CatalogueError, read_catalogue
from exp_core.installed import missing_modules
from exp_core.refusal import Missing, Refused, one_of
from exp_core.results import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from exp_core.experiment import Experiment, Inputs

NAMES = ("times", "picture", "roofline")


def figure_of(result: Result, what: str) -> Figure:
    """The figure.  Raises Missing without matplotlib, Refused where there is nothing to draw."""
    one_of("figure", what, NAMES)
    if absent := missing_modules(result.package, ("matplotlib",)):
        raise Missing(f"a figure {absent}")
    if what == "times":
        from exp_core.report.figure import times_figure

        return times_figure(result)
    if what == "picture":
        from exp_core.report.figure import picture_figure

        return picture_figure(result, *experiment_and_inputs(result))
    from exp_core.machine import peaks
    from exp_core.report.roofline import NothingToPlace, roofline_figure

    try:
        return roofline_figure(result, peaks(1))
    except NothingToPlace as error:
        raise Refused(str(error)) from error


def experiment_and_inputs(result: Result) -> tuple[Experiment, Inputs]:
    """What the result is of, and its input.  Raises Refused where the experiment is not here, or another one now."""
    try:
        experiment = read_catalogue(result.package).entries[result.experiment].load()
        problem = experiment.problem(result.problem)
        rng = np.random.default_rng(result.seed)
        return experiment, problem.make(**result.sizes, dtype=result.dtype, rng=rng)
    except (CatalogueError, KeyError, TypeError, ValueError) as error:
        raise Refused(f"the input of this result cannot be made again here: {error}") from error
