"""``machine``: what this machine is, what it can do at best, and what slows it."""

from __future__ import annotations

from pathlib import Path

import click

from exp_core.cli.options import option
from exp_core.cli.output import write_json
from exp_core.cli.readers import STANDARD_OUTPUT, output_reader


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
    from exp_core.api.machine import view
    from exp_core.report.console import console
    from exp_core.report.machine import print_machine

    found = view(refresh=refresh)
    if json is not None:
        write_json(found.to_dict(), json)
    if json != STANDARD_OUTPUT:
        print_machine(found.machine, found.titled, found.devices, console())
