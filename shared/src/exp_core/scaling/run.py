"""The sweep: a ladder at every point, the smallest first, each with its share of the budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Protocol

from exp_core.ladder import climb
from exp_core.machine import describe
from exp_core.refusal import Refused
from exp_core.request import Request
from exp_core.results import Result
from exp_core.run import Progress
from exp_core.scaling.result import Point, Sweep
from exp_core.scaling.shelf import Shelf, key
from exp_core.timing import Deadline

SMALLEST_WEIGHT = 0.1  # of the largest point's share: small points are timed often enough in little time
LEAST_S = 0.05  # a share is never less: a ladder cannot be climbed in no time
Climb = Callable[[Request, Progress], Result]


@dataclass(frozen=True, slots=True)
class State:
    """How far a sweep is: for a progress bar."""

    number: int
    points: int
    done: float
    left_s: float
    sizes: Mapping[str, float]
    stage: str


Watch = Callable[[State], None]


class Measure(Protocol):
    """Something that measures the points that are not on the shelf: here, or on a cluster."""

    def __call__(self, todo: Sequence[Request], note: Callable[[int, Point], None], watch: Watch) -> None:
        """Call ``note`` with the place in ``todo`` and the point, as each is finished."""


def grid(request: Request, axes: Mapping[str, Sequence[float]]) -> list[Request]:
    """A request a point, the smallest volume first."""
    requests = [
        replace(request, sizes={**request.sizes, **dict(zip(axes, values, strict=True))})
        for values in product(*axes.values())
    ]
    return sorted(requests, key=lambda r: volume(r, axes))


def volume(request: Request, axes: Mapping[str, Sequence[float]]) -> float:
    """Product of the sizes that vary: the order in which points get dearer."""
    return math.prod(abs(float(request.sizes[name])) for name in axes)


def shares(volumes: Sequence[float]) -> list[float]:
    """Weights of the budget: with the root of the volume, since large points need longer calls but fewer of them."""
    largest = max(volumes, default=1.0) or 1.0
    return [max(SMALLEST_WEIGHT, math.sqrt(volume / largest)) for volume in volumes]


def sweep(
    request: Request,
    axes: Mapping[str, Sequence[float]],
    *,
    shelf: Shelf | None = None,
    watch: Watch = lambda state: None,
    measure: Measure | None = None,
    where: str = "",
    notes: Sequence[str] = (),
) -> Sweep:
    """Climb the ladder at every point of the product of the axes; ``request.budget_s`` is for all of them together.

    shelf: finished points found there are not measured again, and those measured are put there at once.
    measure: who measures; by default this process, one point after the other.  where: its address, for the key.

    Ctrl-C ends it early with every finished point.  Raises Refused if no point could be started.
    """
    ordered = {name: tuple(sorted(values)) for name, values in axes.items()}
    requests = grid(request, ordered)
    points: dict[int, Point] = {}
    interrupted = False
    machine = describe()
    try:
        keys = [key(r, machine, request.budget_s, where) for r in requests]
        for place, name in enumerate(keys):
            if shelf is not None and (known := shelf.find(name)) is not None:
                points[place] = Point(dict(requests[place].sizes), known, reused=True)
        todo = [place for place in range(len(requests)) if place not in points]
        weights = shares([volume(r, ordered) for r in requests])
        part = [request.budget_s * weights[place] / sum(weights) for place in todo]  # what is known costs nothing

        def note(index: int, point: Point) -> None:
            place = todo[index]
            points[place] = point
            if shelf is not None and point.result is not None:
                shelf.add(keys[place], point.result)

        work = [replace(requests[place], budget_s=max(s, LEAST_S)) for place, s in zip(todo, part, strict=True)]
        (measure or measure_here)(work, note, watch)
    except KeyboardInterrupt:
        interrupted = True
    found = tuple(points[place] for place in sorted(points))
    if found and not interrupted and not any(point.result for point in found):
        raise Refused(found[0].reason)
    return Sweep(
        experiment=request.entry.name,
        package=request.entry.package,
        title=request.entry.title,
        problem=request.problem.name,
        axes=ordered,
        fixed={name: size for name, size in request.sizes.items() if name not in ordered},
        dtype=request.dtype,
        seed=request.seed,
        threads=request.threads,
        points=found,
        notes=tuple(notes),
        interrupted=interrupted,
    )


def measure_here(
    todo: Sequence[Request], note: Callable[[int, Point], None], watch: Watch, climb: Climb = climb
) -> None:
    """One point after the other in this process; what a point leaves of its share goes to those after it."""
    total = sum(request.budget_s for request in todo)
    if not todo:
        return
    deadline = Deadline(total)
    ahead = total
    for index, request in enumerate(todo):
        share = request.budget_s
        state = State(index + 1, len(todo), 1 - ahead / total, deadline.left(), request.sizes, "")
        budget = max(LEAST_S, deadline.left() * share / ahead)
        ahead -= share
        try:
            result = climb(replace(request, budget_s=budget), partial(_show, watch, state, share / total, deadline))
        except Refused as refusal:
            note(index, Point(dict(request.sizes), None, str(refusal)))
            continue
        if result.interrupted:
            raise KeyboardInterrupt
        note(index, Point(dict(request.sizes), result))


def _show(watch: Watch, state: State, part: float, deadline: Deadline, stage: str, fraction: float | None) -> None:
    """Progress of one ladder as progress of the sweep."""
    watch(replace(state, done=state.done + part * (fraction or 0.0), left_s=deadline.left(), stage=stage))
