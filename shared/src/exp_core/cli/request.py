"""From options to a request: refused in one sentence, before any work, where they contradict each other."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from exp_core.catalogue import Entry
from exp_core.cli.errors import Missing
from exp_core.experiment import Experiment, Implementation, Problem

if TYPE_CHECKING:
    from exp_core.contestants import Contestant
    from exp_core.machine import DeviceName
    from exp_core.request import Request
    from exp_core.user import UserFunction


@dataclass(frozen=True)
class RunOptions:
    """How to run, as given on the command line."""

    rung: tuple[str, ...] | None
    seed: int
    budget: float
    threads: int | None
    devices: tuple[DeviceName, ...] = ()
    processes: int = 1
    cold: bool = False
    store: bool = True
    emulator: str = ""
    emulate: bool = False


def read_run(given: Mapping[str, object], known_devices: tuple[str, ...], emulator: str = "") -> RunOptions:
    """How to run, out of click's dictionary.  Raises click.UsageError for an emulation of nothing."""
    devices = tuple(name for name in known_devices if given[name])
    emulate = bool(given.get("emulate"))
    if emulate and not set(devices) - {"cpu"}:
        raise click.UsageError(f"--emulate needs a device to emulate: {' or '.join(gpus(known_devices))}")
    names = ("rung", "seed", "budget", "threads", "processes", "cold")
    how = {name: given[name] for name in names}
    store = not given["no_store"]
    return RunOptions(**how, devices=devices, store=store, emulator=emulator, emulate=emulate)  # type: ignore[arg-type]


def make_request(
    entry: Entry,
    experiment: Experiment,
    problem: Problem,
    sizes: Mapping[str, float],
    dtype: str,
    run: RunOptions,
    only: tuple[str, ...] | None = None,
    user: UserFunction | None = None,
) -> Request:
    """The request that the options describe.  Raises Missing or click.UsageError before any work is done."""
    from exp_core.machine import usable_cores
    from exp_core.request import Request

    cores = usable_cores()
    if run.threads is not None and run.threads > cores:
        raise click.UsageError(f"--threads {run.threads} is more than the {cores} cores that can be used here")
    return Request(
        entry=entry,
        experiment=experiment,
        problem=problem,
        sizes=sizes,
        dtype=dtype,
        contestants=choose_contestants(entry, experiment, problem, dtype, run, only, alone=user is None),
        seed=run.seed,
        budget_s=run.budget,
        threads=run.threads or cores,
        user=user,
        processes=run.processes,
        cold=run.cold,
    )


def choose_contestants(
    entry: Entry,
    experiment: Experiment,
    problem: Problem,
    dtype: str,
    run: RunOptions,
    only: tuple[str, ...] | None,
    *,
    alone: bool = True,
) -> tuple[Contestant, ...]:
    """Those asked for, on the devices asked for.  Raises Missing if not one of them could run."""
    from exp_core.contestants import Contestant, missing_modules

    if absent := missing_modules(entry.package, problem.requires):
        raise Missing(f"the problem {problem.name} {absent}")
    wanted = [
        implementation
        for implementation in experiment.implementations
        if (only is None or implementation.name in only) and (run.rung is None or implementation.rung in run.rung)
    ]
    if not wanted and alone:
        raise click.UsageError(f"--only and --rung leave nothing of {entry.name} to run")
    real = (run.devices or any(i.arrays == "mlx" for i in wanted)) and not run.emulate
    devices = devices_of(run) if real else ("cpu",)
    contestants: list[Contestant] = []
    for implementation in wanted:
        if own := implementation.devices:
            asked = run.devices if run.emulate else devices
            there = [name for name in asked if name in own]
            stand_in = run.emulator if run.emulate or not there else ""
            contestants += [Contestant(implementation, name, stand_in) for name in there]
            if not there:
                contestants.append(Contestant(implementation, emulator=stand_in))
        elif implementation.arrays == "mlx":
            contestants += [Contestant(implementation, name) for name in devices]
        else:
            contestants.append(Contestant(implementation))
    absences = [missing_modules(entry.package, contestant.implementation.modules) for contestant in contestants]
    if absences and all(absences):
        raise Missing(f"{wanted[0].name} {absences[0]}")
    return tuple(contestants)


def devices_of(run: RunOptions) -> tuple[DeviceName, ...]:
    """The devices asked for, or all that MLX has.  Raises Missing if one that was asked for is not there."""
    from exp_core.contestants import chosen_devices
    from exp_core.machine import DeviceMissing

    try:
        return chosen_devices(run.devices)
    except DeviceMissing as error:
        raise Missing(str(error)) from error


def gpus(devices: tuple[str, ...]) -> list[str]:
    """The flags of the devices that can be emulated."""
    return [f"--{name}" for name in devices if name != "cpu"]


def chosen_sizes(problem: Problem, given: Mapping[str, object], *, small: bool = False) -> dict[str, float]:
    """The sizes given, and the defaults of the others (small: those of tests).

    Raises click.UsageError for a size of another problem.
    """
    own = {size.name: size for size in problem.sizes}
    sizes = {name: size.default for name, size in own.items()} | dict(problem.small if small else {})
    for key, value in given.items():
        name = key.removeprefix("size_")
        if key == name or value is None:
            continue
        if name not in own:
            there = ", ".join(f"--{other}" for other in own)
            raise click.UsageError(f"the problem {problem.name} has no --{name}; it has {there}")
        assert isinstance(value, (int, float))
        sizes[name] = value
    return sizes


def own_body(text: str, emulator: str) -> bool:
    """Whether ``--with`` names the body of a kernel, which the package's emulator can put in place of its own."""
    return bool(emulator) and text.partition(":")[0].endswith(importlib.import_module(emulator).SUFFIXES)


def with_own_kernel(experiment: Experiment, text: str, emulator: str, run: RunOptions) -> Experiment:
    """The experiment with one implementation more: the reader's kernel.  Raises click.UsageError."""
    if run.processes > 1:
        raise click.UsageError("--with a kernel is timed in this process: leave --processes out")
    try:
        own: Implementation = importlib.import_module(emulator).own_kernel(experiment, text)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return replace(experiment, implementations=(*experiment.implementations, own))


def user_function(text: str, budget: float) -> UserFunction:

    from exp_core.user import find_user_function

    try:
        user = find_user_function(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    user.call_limit_s = budget
    return user
