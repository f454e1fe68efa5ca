"""A ladder to climb as plain values, for a process on another machine: names only, it has the experiments too."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from exp_core.catalogue import Entry
from exp_core.contestants import Contestant
from exp_core.experiment import Experiment
from exp_core.ladder import Refused, Request, climb
from exp_core.machine import DeviceName
from exp_core.user import find_user_function

Plain = Mapping[str, object]


def describe_task(request: Request) -> Plain:
    """A request in plain values."""
    entry = request.entry
    return {
        "entry": (entry.name, entry.title, entry.topic, entry.package, entry.module, str(entry.path)),
        "problem": request.problem.name,
        "sizes": dict(request.sizes),
        "dtype": request.dtype,
        "contestants": [(contestant.name, contestant.device) for contestant in request.contestants],
        "seed": request.seed,
        "budget_s": request.budget_s,
        "threads": request.threads,
        "user": f"{request.user.path}:{request.user.name}" if request.user else None,
    }


def measure_task(task: Plain) -> Plain:
    """What a worker does: climb the ladder, and send the result as JSON would have it."""
    request = read_task(task)
    try:
        return {"result": climb(request).to_dict()}
    except Refused as refusal:
        return {"refused": str(refusal)}


def read_task(task: Plain) -> Request:
    """The inverse of ``describe_task``."""
    name, title, topic, package, module, path = cast("tuple[str, ...]", task["entry"])
    experiment: Experiment = importlib.import_module(module).EXPERIMENT
    implementations = {implementation.name: implementation for implementation in experiment.implementations}
    contestants = cast("Sequence[tuple[str, DeviceName]]", task["contestants"])
    return Request(
        entry=Entry(name, title, topic, package, module, Path(path)),
        experiment=experiment,
        problem=experiment.problem(str(task["problem"])),
        sizes=cast("Mapping[str, float]", task["sizes"]),
        dtype=str(task["dtype"]),
        contestants=tuple(Contestant(implementations[name], device) for name, device in contestants),
        seed=cast("int", task["seed"]),
        budget_s=cast("float", task["budget_s"]),
        threads=cast("int", task["threads"]),
        user=find_user_function(str(task["user"])) if task["user"] else None,
    )
