"""A run as asked for; as plain values too, for another process that has the same experiments."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from exp_core.case import Case
from exp_core.catalogue import Entry
from exp_core.cluster import Cluster
from exp_core.contestants import Contestant
from exp_core.experiment import Experiment, Inputs, Problem
from exp_core.machine import MEMORY_SHARE, DeviceName, available_memory
from exp_core.user import Assignment, UserFunction
from exp_core.user_file import find_user_function

Plain = Mapping[str, object]


@dataclass(frozen=True)
class Request:
    """Everything that a ladder needs to know.

    processes: how many fresh processes time; 1: the one that checks.     cold: time with cold caches as well.
    cluster: where ``distributed`` implementations are computed; None: here.
    """

    entry: Entry
    experiment: Experiment
    problem: Problem
    sizes: Mapping[str, float]
    dtype: str
    contestants: tuple[Contestant, ...]
    seed: int = 0
    budget_s: float = 10.0
    threads: int = 1
    user: UserFunction | None = None
    processes: int = 1
    cold: bool = False
    cluster: Cluster | None = None

    def inputs(self, sizes: Mapping[str, float] | None = None) -> Inputs:
        """The problem's input: the same for the same request."""
        rng = np.random.default_rng(self.seed)
        return self.problem.make(**(self.sizes if sizes is None else sizes), dtype=self.dtype, rng=rng)

    def load(self) -> None:
        """What the problem needs whatever its size, for ``inputs`` to find."""
        if self.problem.load:
            self.problem.load(**self.sizes, dtype=self.dtype, rng=np.random.default_rng(self.seed))

    @property
    def has_own(self) -> bool:
        """Whether functions of the asker run in this process."""
        return any(contestant.yours for contestant in self.contestants)

    def threads_of(self, contestant: Contestant) -> int:
        """How many threads one contestant has: all the same, but those of the cluster's workers."""
        return self.cluster.threads if self.cluster and contestant.rung == "distributed" else self.threads


def describe_request(request: Request) -> Plain:
    """A request in plain values: names only."""
    entry = request.entry
    return {
        "entry": (entry.name, entry.title, entry.topic, entry.package, entry.module, str(entry.path)),
        "problem": request.problem.name,
        "sizes": dict(request.sizes),
        "dtype": request.dtype,
        "contestants": [(c.name, c.device) for c in request.contestants if not c.emulated],
        "seed": request.seed,
        "budget_s": request.budget_s,
        "threads": request.threads,
        "user": f"{request.user.path}:{request.user.name}" if request.user else None,
        "processes": request.processes,
        "cold": request.cold,
    }


def read_request(plain: Plain) -> Request:
    """The inverse of ``describe_request``."""
    name, title, topic, package, module, path = cast("tuple[str, ...]", plain["entry"])
    experiment: Experiment = importlib.import_module(module).EXPERIMENT
    implementations = {implementation.name: implementation for implementation in experiment.implementations}
    contestants = cast("Sequence[tuple[str, DeviceName]]", plain["contestants"])
    return Request(
        entry=Entry(name, title, topic, package, module, Path(path)),
        experiment=experiment,
        problem=experiment.problem(str(plain["problem"])),
        sizes=cast("Mapping[str, float]", plain["sizes"]),
        dtype=str(plain["dtype"]),
        contestants=tuple(Contestant(implementations[name], device) for name, device in contestants),
        seed=cast("int", plain["seed"]),
        budget_s=cast("float", plain["budget_s"]),
        threads=cast("int", plain["threads"]),
        user=find_user_function(str(plain["user"])) if plain["user"] else None,
        processes=cast("int", plain["processes"]),
        cold=cast("bool", plain["cold"]),
    )


def case(request: Request) -> Case:
    """Which input the ladder has."""
    return Case(request.problem.name, dict(request.sizes), request.dtype, request.seed)


def assignment(request: Request) -> Assignment:
    """What the process of the user's function is told."""
    assert request.user is not None
    return Assignment(
        file=str(request.user.path),
        function=request.user.name,
        module=request.entry.module,
        threads=request.threads,
        memory_bytes=int(MEMORY_SHARE * available_memory()),
    )
