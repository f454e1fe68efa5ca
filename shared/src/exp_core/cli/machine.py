"""``machine``: what this machine is, what it can do at best, and what slows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from exp_core.cli.options import STANDARD_OUTPUT, option, output_reader
from exp_core.cli.output import write_json

if TYPE_CHECKING:
    from exp_core.machine import DeviceName, Peaks


def machine_command() -> click.Command:
    """The verb."""
    return click.Command(
        "machine",
        params=[
            option("--json", output_reader("--json"), "FILE", "Write JSON to a file, or to standard output with -."),
            click.Option(["--refresh"], is_flag=True, help="Measure the peaks again."),
        ],
        callback=_run,
        help="What this machine is, what it can do at best (measured), and what slows it.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _run(json: Path | None, refresh: bool) -> None:
    from exp_core.machine import describe, device_peaks, devices, limits, peaks, usable_cores
    from exp_core.report.machine import print_machine
    from exp_core.report.terminal import console

    counts = sorted({1, usable_cores()})
    if refresh:
        for threads in counts:
            peaks(threads, refresh=True)
    found = {threads: limits(threads) for threads in counts}
    on_devices: dict[DeviceName, Peaks] = {
        device.name: measured
        for device in devices()
        if device.name != "cpu" and (measured := device_peaks(device.name, refresh=refresh))
    }
    machine = describe(found[1].peaks.clock_hz)
    document = machine.to_dict() | {
        "peaks": {str(threads): limit.peaks.to_dict() for threads, limit in found.items()},
        "drift": {str(threads): dict(limit.drift) for threads, limit in found.items()},
        "device_peaks": {name: measured.to_dict() for name, measured in on_devices.items()},
    }
    if json is not None:
        write_json(document, json)
    if json == STANDARD_OUTPUT:
        return
    titles = {f"with {threads} thread{'s' if threads > 1 else ''}": limit for threads, limit in found.items()}
    print_machine(machine, titles, on_devices, console())
