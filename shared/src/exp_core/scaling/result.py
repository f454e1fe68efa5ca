"""What a sweep leaves behind: its points, and what they say about growth along each axis.  Frozen values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

from exp_core.refusal import Missing
from exp_core.results import Result
from exp_core.scaling.crossover import Crossover, Times, crossovers
from exp_core.scaling.regimes import Growth, cache_sizes, grow

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


@dataclass(frozen=True, slots=True)
class Point:
    """One ladder of a sweep; without a result, the reason says why.

    reused: taken from the shelf, not measured in this run.  host: the worker's address; empty without a cluster.
    """

    sizes: Mapping[str, float]
    result: Result | None
    reason: str = ""
    reused: bool = False
    host: str = ""

    @property
    def machine(self) -> str:
        """Fingerprint of the machine that measured it."""
        return str(self.result.machine.get("fingerprint", "")) if self.result else ""


@dataclass(frozen=True, slots=True)
class Curve:
    """One implementation along one axis: times and 95% intervals in seconds at the sizes where it ran."""

    name: str
    rung: str
    device: str
    sizes: tuple[float, ...]
    median_s: tuple[float, ...]
    ci95: tuple[tuple[float, float], ...]
    growth: Growth


@dataclass(frozen=True, slots=True)
class Slice:
    """All implementations along one axis, the other axes held at ``fixed``.

    note: said where points of several machines meet: only those of one of them are fitted.
    """

    axis: str
    fixed: Mapping[str, float]
    curves: tuple[Curve, ...]
    crossovers: tuple[Crossover, ...]
    note: str = ""

    @property
    def title(self) -> str:
        """``n``, or ``rows at cols = 64``."""
        held = ", ".join(f"{name} = {size:g}" for name, size in self.fixed.items())
        return f"{self.axis} at {held}" if held else self.axis


@dataclass(frozen=True, repr=False)
class Sweep:
    """A ladder at every point of a grid.

        print(s)                         times by size, laws of growth, who overtakes whom; a notebook shows it
        s.figure()  s.to_pandas()        times by size on logarithmic axes; all rows at all points as a data frame

    axes: the sizes that vary, each with its values in ascending order.
    fixed: the other sizes of the problem.
    """

    experiment: str
    package: str
    title: str
    problem: str
    axes: Mapping[str, tuple[float, ...]]
    fixed: Mapping[str, float]
    dtype: str
    seed: int
    threads: int
    points: tuple[Point, ...]
    notes: tuple[str, ...] = field(default=())
    interrupted: bool = False

    def __repr__(self) -> str:
        axes = ", ".join(f"{name} = {values[0]:g} to {values[-1]:g}" for name, values in self.axes.items())
        about = ", ".join(filter(None, (self.experiment, self.problem, axes, self.dtype)))
        return (
            f"{about}: {len(self.results)} of {len(self.points)} points{' (interrupted)' if self.interrupted else ''}"
        )

    def __str__(self) -> str:
        from exp_core.report.console import as_text
        from exp_core.report.scaling import print_sweep

        return as_text(lambda out: print_sweep(self, out))

    def _repr_html_(self) -> str:
        from exp_core.report.scaling_html import sweep_html

        return sweep_html(self)

    def figure(self) -> Figure:
        """A matplotlib figure, which a notebook shows: times by size.  Raises Missing without matplotlib."""
        from exp_core.installed import missing_modules
        from exp_core.report.scaling_figure import sweep_figure

        if absent := missing_modules(self.package, ("matplotlib",)):
            raise Missing(f"a figure {absent}")
        return sweep_figure(self)

    def to_pandas(self) -> DataFrame:  # type: ignore[no-any-unimported]
        """A pandas.DataFrame: a line a row at each point.  Raises Missing without pandas."""
        from exp_core.report.frame import data_frame

        return data_frame(self.results)

    def to_dict(self) -> dict[str, object]:
        """The sweep as JSON writes it: see report/sweep_schema.json."""
        from exp_core.report.scaling_export import to_dict

        return to_dict(self)

    @property
    def results(self) -> list[Result]:
        """Those of the points that have one, in order."""
        return [point.result for point in self.points if point.result is not None]

    @property
    def exit_code(self) -> int:
        """0 right, 1 an implementation was wrong or failed at some size, 130 interrupted."""
        return 130 if self.interrupted else max((result.exit_code for result in self.results), default=0)

    @cached_property
    def slices(self) -> tuple[Slice, ...]:
        """The growth along each axis, for every choice of the other axes' values; computed once."""
        return tuple(
            self._slice(axis, dict(zip(others, held, strict=True)))
            for axis in self.axes
            for others in [[name for name in self.axes if name != axis]]
            for held in product(*(self.axes[name] for name in others))
        )

    def _slice(self, axis: str, held: Mapping[str, float]) -> Slice:
        here = [p for p in self.points if p.result and all(p.sizes[name] == size for name, size in held.items())]
        here.sort(key=lambda point: point.sizes[axis])
        machines = Counter(point.machine for point in here)
        home = max(machines, key=lambda name: machines[name], default="")
        note = ""
        if len(machines) > 1:
            note = f"measured on {len(machines)} kinds of machine: the fits use the {machines[home]} points of {home}"
        at_home = [point for point in here if point.machine == home]
        curves = tuple(self._curves(axis, at_home))
        floors = {p.sizes[axis]: p.result.noise_floor for p in at_home if p.result and p.result.noise_floor}
        times = [
            Times(c.name, dict(zip(c.sizes, c.median_s, strict=True)), dict(zip(c.sizes, c.ci95, strict=True)))
            for c in curves
        ]
        return Slice(axis, dict(held), curves, crossovers(times, floors, self.seed), note)

    def _curves(self, axis: str, points: list[Point]) -> Iterator[Curve]:
        """One for every implementation and device; no growth without times."""
        caches = cache_sizes(points[0].result.machine) if points and points[0].result else {}
        for name, (rung, device) in labels(points).items():
            found = [
                (p.sizes[axis], row) for p in points if p.result for row in p.result.rows if p.result.label(row) == name
            ]
            timed = [(n, row) for n, row in found if row.median_s]
            sizes = tuple(n for n, _ in timed)
            medians = tuple(float(row.median_s or math.nan) for _, row in timed)
            traffic = [row.bytes or 0.0 for _, row in timed]
            growth = grow(sizes, medians, traffic, caches, self.seed)
            ci95 = tuple(row.ci95 or (m, m) for (_, row), m in zip(timed, medians, strict=True))
            yield Curve(name, rung, device, sizes, medians, ci95, growth)


def labels(points: list[Point]) -> dict[str, tuple[str, str]]:
    """Rung and device of every row of the points, in the ladder's order."""
    return {p.result.label(row): (row.rung, row.device) for p in points if p.result for row in p.result.rows}
