"""From the command line's options to what ``exp_core.asked`` makes a request of."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from exp_core.asked import RunOptions
from exp_core.experiment import Experiment, Implementation

if TYPE_CHECKING:
    from exp_core.user import UserFunction


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


def gpus(devices: tuple[str, ...]) -> list[str]:
    """The flags of the devices that can be emulated."""
    return [f"--{name}" for name in devices if name != "cpu"]


def given_sizes(given: Mapping[str, object]) -> dict[str, float]:
    """The sizes that were given, by name."""
    return {
        key.removeprefix("size_"): value
        for key, value in given.items()
        if key.startswith("size_") and isinstance(value, (int, float))
    }


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
    """The user's function and how long a call may take.  Raises click.UsageError where it is not there."""
    from exp_core.user import find_user_function

    try:
        user = find_user_function(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    user.call_limit_s = budget
    return user
