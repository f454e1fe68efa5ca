"""A trial: one implementation on one device, on one input of a problem; and what it must hold."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from exp_core.case import Case
from exp_core.checksum import checksum
from exp_core.contestants import Call, Contestant
from exp_core.contract.sabotage import leaves, poisoned, shaken, with_leaf
from exp_core.experiment import Experiment, Implementation, Inputs, Problem
from exp_core.machine import DeviceName
from exp_core.nests import as_numpy

SABOTAGE = 64  # times the bound: a result that far off must be caught
CONDITION = 1e15  # the largest condition number of a hard problem: there a result may have to be that much worse
MEMORY_SLACK = 200_000  # bytes that Python itself takes


class Broken(AssertionError):
    """The contract does not hold; one sentence."""


@dataclass(frozen=True)
class Trial:
    """An implementation, where it runs, and on what.  emulator: the module that stands in for a GPU."""

    experiment: Experiment
    implementation: Implementation
    problem: Problem
    dtype: str
    sizes: tuple[tuple[str, float], ...]
    device: DeviceName = "cpu"
    emulator: str = ""

    def __str__(self) -> str:
        sizes = ",".join(f"{name}={value:g}" for name, value in self.sizes)
        where = f"@{self.device}" if self.implementation.devices else ""
        return "-".join(filter(None, (self.problem.name, self.dtype, sizes, self.implementation.name + where)))

    @property
    def inputs(self) -> Inputs:
        """The input, made once for all trials on it."""
        return made(self.experiment, Case(self.problem.name, Frozen(self.sizes), self.dtype))[0]

    @property
    def truth(self) -> object:
        """The oracle's answer, likewise."""
        return made(self.experiment, Case(self.problem.name, Frozen(self.sizes), self.dtype))[1]

    @property
    def unstable(self) -> bool:
        """Whether theory lets it fail on this problem."""
        return self.problem.name in self.implementation.unstable

    def ready(self) -> Call | None:
        """A call on the input; None where it is not made for it, and says so."""
        contestant = Contestant(self.implementation, self.device, self.emulator if self.implementation.devices else "")
        if skip := contestant.unsuited(self.inputs):
            require(bool(skip.reason), f"{self.implementation.name} skips without a reason")
            return None
        return contestant.ready(self.inputs)

    def bounds(self) -> dict[str, float]:
        """The bound of each law."""
        return self.experiment.bounds(self.implementation, self.inputs)

    def broken(self, result: object) -> list[str]:
        """The laws that a result breaks; a result that no law can measure breaks them all."""
        bounds = self.bounds()
        try:
            errors = self.experiment.errors(result, self.inputs, self.truth)
        except (ValueError, TypeError, IndexError):
            return list(bounds)
        return [law for law, error in errors.items() if not error <= bounds[law]]


class Frozen(dict[str, float]):
    """Sizes that can be a key of what is remembered."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))


MADE: dict[tuple[int, Case], tuple[Experiment, Inputs, object]] = {}  # the last few, by identity
KEPT = 8


def made(experiment: Experiment, case: Case) -> tuple[Inputs, object]:
    """The input of a case, and the oracle's answer: made once for all trials on it."""
    key = (id(experiment), case)
    if key not in MADE:
        inputs = case.inputs(experiment)
        while len(MADE) >= KEPT:
            del MADE[next(iter(MADE))]
        MADE[key] = (experiment, inputs, experiment.oracle(*inputs) if experiment.oracle else None)
    return MADE[key][1:]


def trials(experiment: Experiment, sizes_of: str, emulator: str = "") -> Iterator[Trial]:
    """Every implementation, problem and dtype, on the ``small`` sizes, or ``everywhere``: on the awkward ones too."""
    for problem in experiment.problems:
        for dtype in problem.dtypes or experiment.dtypes:
            for sizes in (problem.small,) if sizes_of == "small" else (problem.small, *problem.awkward):
                yield from _on(experiment, problem, dtype, sizes, emulator)


def _on(
    experiment: Experiment, problem: Problem, dtype: str, sizes: Mapping[str, float], emulator: str
) -> Iterator[Trial]:
    for implementation in experiment.implementations:
        if dtype in (implementation.dtypes or experiment.dtypes):
            devices: Iterable[str] = implementation.devices or ("cpu",)
            for device in devices if emulator or not implementation.devices else ():
                place = (problem, dtype, tuple(sizes.items()), device, emulator)
                yield Trial(experiment, implementation, *place)  # type: ignore[arg-type]


def right_deterministic_and_gentle(trial: Trial) -> None:
    """Every law holds within its bound, twice with the same bits, and the input is as it was."""
    before = checksum(trial.inputs)
    if (call := trial.ready()) is None:
        return
    result, again = as_numpy(call()), as_numpy(call())
    require(checksum(trial.inputs) == before, "it changed its input")
    if not trial.unstable and (wrong := trial.broken(result)):
        errors, bounds = trial.experiment.errors(result, trial.inputs, trial.truth), trial.bounds()
        said = ", ".join(f"{law}: error {errors[law]:.3g}, bound {bounds[law]:.3g}" for law in wrong)
        raise Broken(f"{trial.implementation.name} is wrong: {said}")
    for one, other in zip(leaves(result), leaves(again), strict=True):
        require(np.asarray(one).tobytes() == np.asarray(other).tobytes(), "two calls, two answers")


def sabotage_is_caught(trial: Trial) -> None:
    """Each array of the result in turn: every entry off by some multiple of the bound, or a single one not a number."""
    if trial.unstable:
        return  # already outside of its bounds here, as it says
    if (call := trial.ready()) is None:
        return
    result, bounds = as_numpy(call()), trial.bounds()
    require(all(map(math.isfinite, bounds.values())), f"a bound that nothing can break: {bounds}")
    conditions = (1.0, 1e5, 1e10, CONDITION) if trial.problem.kind == "hard" else (1.0,)
    sizes = [SABOTAGE * max(bounds.values()) * condition for condition in conditions]
    for place, leaf in enumerate(leaves(result)):
        for how in (shaken, poisoned):
            spoilt = [with_leaf(result, place, changed) for size in sizes if (changed := how(leaf, size)) is not None]
            caught = [trial.broken(one) for one in spoilt]
            require(any(caught) or not spoilt, f"{how.__name__} in array {place} goes unseen")


def cost_is_sane_and_memory_within_it(trial: Trial) -> None:
    """Finite, at least reading what is read once; what NumPy allocates stays within what the cost admits."""
    cost = trial.implementation.cost(*trial.inputs)
    require(math.isfinite(cost.flops + cost.bytes + cost.memory), f"the cost is not finite: {cost}")
    require(cost.bytes > 0, "the cost moves no bytes: every input is read once")
    if trial.implementation.rung not in ("textbook", "vectorised") or trial.implementation.arrays == "mlx":
        return
    if (call := trial.ready()) is None:
        return
    call()
    tracemalloc.start()
    try:
        result = call()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    results = sum(np.asarray(leaf).nbytes for leaf in leaves(as_numpy(result)))
    admitted = 2 * (cost.memory + results) + MEMORY_SLACK
    require(peak <= admitted, f"{peak} bytes at the peak, {cost.memory} in the cost")


def require(holds: bool, sentence: str) -> None:
    """Raise Broken unless it holds."""
    if not holds:
        raise Broken(sentence)
