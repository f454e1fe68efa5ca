"""From the command line's options to what ``exp_core.asked`` makes a request of."""

from __future__ import annotations

from collections.abc import Mapping

import click

from exp_core.asked import RunOptions


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
