"""One implementation over time, under one configuration, and the steps that its ratio to the library took."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from exp_core.history.queries import Measurement
from exp_core.history.run import Configuration
from exp_core.history.steps import Step, steps


@dataclass(frozen=True, slots=True)
class Mark:
    """A step, with the first run after it, and whether the implementation's source is another since then."""

    run: int
    step: Step
    source_changed: bool

    @property
    def text(self) -> str:
        """What happened: ``▲ 1.23× faster, source changed``."""
        faster = self.step.factor > 1
        factor = self.step.factor if faster else 1 / self.step.factor
        why = "its source changed" if self.source_changed else "same source"
        return f"{'▲' if faster else '▼'} {factor:.2f}× {'faster' if faster else 'slower'}, {why}"


@dataclass(frozen=True, slots=True)
class Series:
    """The measurements of one implementation, the oldest first."""

    configuration: Configuration
    name: str
    rung: str
    device: str
    points: tuple[Measurement, ...]
    marks: tuple[Mark, ...]

    def mark(self, run: int) -> Mark | None:
        """The step whose first run this is."""
        return next((mark for mark in self.marks if mark.run == run), None)


def series(found: Iterable[Measurement]) -> list[Series]:
    """The measurements by configuration (that of the newest run first) and implementation (as in its newest ladder)."""
    groups: dict[Configuration, dict[tuple[str, str], list[Measurement]]] = {}
    for measurement in found:
        by_name = groups.setdefault(measurement.configuration, {})
        by_name.setdefault((measurement.name, measurement.device), []).append(measurement)
    newest = {key: max(m.run for points in names.values() for m in points) for key, names in groups.items()}
    return [
        Series(configuration, name, points[-1].rung, device, tuple(points), _marks(points))
        for configuration in sorted(groups, key=lambda key: -newest[key])
        for (name, device), points in groups[configuration].items()
    ]


def configuration_text(configuration: Configuration) -> str:
    """``uniform   n = 1024   float64   2 threads``."""
    _, _, problem, sizes, dtype, threads = configuration
    named = ", ".join(f"{name} = {size}" for name, size in json.loads(sizes).items())
    parts = (problem, named, dtype, f"{threads} thread{'s' if threads > 1 else ''}")
    return "   ".join(part for part in parts if part)


def _marks(points: list[Measurement]) -> tuple[Mark, ...]:
    """The library is its own measure: its ratio is 1 and takes no steps."""
    timed = [point for point in points if point.ratio and point.rung != "library"]
    found = steps([point.ratio or 1.0 for point in timed], [point.machine for point in timed])
    return tuple(Mark(timed[step.at].run, step, timed[step.at].source != timed[step.at - 1].source) for step in found)
