"""How to run, as arguments; read and refused, in one sentence, before any work."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, SupportsFloat, TypeAlias

from exp_core.asked import RunOptions
from exp_core.experiment import RUNGS, Experiment, Problem, Size
from exp_core.own import Own
from exp_core.refusal import Refused, one_of

if TYPE_CHECKING:
    import numpy as np

    from exp_core.machine import DeviceName

Names: TypeAlias = "str | Iterable[str] | None"
DType: TypeAlias = "str | type[np.generic] | np.dtype[np.generic] | None"
LARGEST = 2**62  # beyond it no index of an array can reach


@dataclass(frozen=True)
class How:
    """The arguments of a run, as they were given; None: the experiment's first, or all."""

    problem: str | None = None
    dtype: DType = None
    only: Names = None
    rung: Names = None
    with_: Own | str | None = None
    seed: int = 0
    budget: float = 10.0
    threads: int | None = None
    processes: int = 1
    cold: bool = False
    cluster: str | None = None
    store: bool = True
    progress: bool = True
    device: Names = None
    emulate: bool = False

    def read_problem(self, experiment: Experiment) -> Problem:
        """The problem asked for; underscores for dashes are forgiven.  Raises Refused."""
        if self.problem is None:
            return experiment.problems[0]
        names = [problem.name for problem in experiment.problems]
        return experiment.problem(one_of("problem", str(self.problem).replace("_", "-"), names))

    def read_dtype(self, experiment: Experiment) -> str:
        """The element type's name.  Raises Refused."""
        if self.dtype is None:
            return experiment.dtypes[0]
        if isinstance(self.dtype, str):
            return one_of("dtype", self.dtype, experiment.dtypes)
        import numpy as np

        return one_of("dtype", np.dtype(self.dtype).name, experiment.dtypes)

    def read_only(self, experiment: Experiment) -> tuple[str, ...] | None:
        """The implementations asked for.  Raises Refused."""
        return names("implementation", self.only, [i.name for i in experiment.implementations])

    def read_run(self, devices: tuple[str, ...], emulator: str) -> RunOptions:
        """How to run.  Raises Refused."""
        chosen = names("device", self.device, devices) or ()
        if self.emulate and not set(chosen) - {"cpu"}:
            flags = " or ".join(f"--{name}" for name in devices if name != "cpu")
            raise Refused(f"--emulate needs a device to emulate: {flags}")
        chosen_devices: tuple[DeviceName, ...] = chosen  # type: ignore[assignment]
        return RunOptions(
            rung=names("rung", self.rung, RUNGS),
            seed=whole("--seed", self.seed, 0),
            budget=seconds("--budget", self.budget),
            threads=None if self.threads is None else whole("--threads", self.threads, 1),
            devices=chosen_devices,
            processes=whole("--processes", self.processes, 1),
            cold=bool(self.cold),
            store=bool(self.store),
            emulator=emulator,
            emulate=bool(self.emulate),
        )


def names(what: str, given: Names, known: Iterable[str]) -> tuple[str, ...] | None:
    """One name, several separated by commas, or several; None for all.  Raises Refused with the nearest."""
    if given is None:
        return None
    there = tuple(known)
    try:
        parts = given.split(",") if isinstance(given, str) else [str(name) for name in given]
    except TypeError:
        raise Refused(f"{what}s are named by text, such as {there[0]!r}, not by {given!r}") from None
    chosen = tuple(part.strip() for part in parts if part.strip())
    if not chosen:
        raise Refused(f"no {what} is named; there are {', '.join(there)}")
    return tuple(one_of(what, name, there) for name in chosen)


def read_sizes(problem: Problem, given: Mapping[str, object]) -> dict[str, float]:
    """The sizes that were given, as numbers of their kinds.  Raises Refused, for names of other problems too."""
    from exp_core.asked import chosen_sizes

    chosen_sizes(problem, dict.fromkeys(given, 1))  # the names
    known = {size.name: size for size in problem.sizes}
    return {name: read_size(known[name], value) for name, value in given.items()}


def read_size(size: Size, value: object) -> float:
    """A number of the size's kind; integers are at least 1.  Raises Refused."""
    if size.type is int:
        return whole(f"--{size.name}", value, 1)
    return number(f"--{size.name}", value)


def whole(label: str, value: object, least: int) -> int:
    """A whole number that is neither too small nor too large; ``1e6`` is one.  Raises Refused."""
    try:
        exact = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        exact = 0
        if (found := number(label, value)) == int(found):
            exact = int(found)
        else:
            raise Refused(f"{label} takes a whole number, not {value}") from None
    if isinstance(value, bool):
        raise Refused(f"{label} takes a whole number, not {value}")
    if not least <= exact <= LARGEST:
        raise Refused(f"{label} must be at least {least} and at most 2**62, not {value}")
    return exact


def seconds(label: str, value: object) -> float:
    """A positive, finite time.  Raises Refused."""
    if (found := number(label, value)) <= 0:
        raise Refused(f"{label} must be a positive number of seconds, not {value}")
    return found


def number(label: str, value: object) -> float:
    """A finite number.  Raises Refused for text too: Python has numbers of its own."""
    if not isinstance(value, SupportsFloat) or isinstance(value, (bool, str, bytes)):
        raise Refused(f"{label} takes a number, not {value!r}")
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise Refused(f"{label} takes a number, not {value!r}") from None
    if not math.isfinite(found):
        raise Refused(f"{label} takes a finite number, not {value}")
    return found
