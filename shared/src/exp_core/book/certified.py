"""What an experiment is held against: its oracle, its published figures, its problems."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from exp_core.book.words import prose
from exp_core.experiment import Experiment, Problem, first_line


def oracle_in_words(experiment: Experiment) -> Markup:
    """Who knows the right answer, and what an error must stay under."""
    who, said = "Each result is held against what its laws demand of it", ""
    if experiment.oracle is not None:
        who = "Each result is held against an answer of higher precision or of a certified method"
        said = first_line(experiment.oracle)
    oracle = f" The oracle: {said}." if said else ""
    return prose(f"{who}; the bound is derived, and nothing is timed whose error is above it.{oracle} The laws:")


def targets_of(experiment: Experiment) -> Iterator[dict[str, str]]:
    """The published figures that its training has to reach."""
    for target in experiment.training.targets if experiment.training else ():
        sign = "≥" if target.better == "more" else "≤"
        yield {
            "figure": target.figure,
            "value": f"{sign} {target.value:g}",
            "data": ", ".join(target.data),
            "source": target.source,
        }


def problem_of(problem: Problem) -> dict[str, object]:
    """A problem, and its sizes with their defaults."""
    sizes = "; ".join(f"{size.name} = {size.default:g}, {size.help}" for size in problem.sizes)
    return {"name": problem.name, "kind": problem.kind, "title": prose(problem.title), "sizes": sizes}
