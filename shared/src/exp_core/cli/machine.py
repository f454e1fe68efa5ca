"""``machine``: what this machine is, what it can do at best, and what slows it."""

from __future__ import annotations

from pathlib import Path

import click

from exp_core.cli.options import STANDARD_OUTPUT, option, output_reader


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
    from exp_core.machine import describe, peaks
    from exp_core.report import export
    from exp_core.report.terminal import console, print_facts

    machine = describe()
    measured = {threads: peaks(threads, refresh=refresh) for threads in sorted({1, machine.usable_cores})}
    document = machine.to_dict() | {"peaks": {str(threads): peak.to_dict() for threads, peak in measured.items()}}
    text = export.dumps(document)
    if json == STANDARD_OUTPUT:
        click.echo(text, nl=False)
        return
    if json is not None:
        export.write(json, text)
    out = console()
    print_facts(machine.facts(), out)
    for threads, peak in measured.items():
        out.print(f"\nAt best, with {threads} thread{'s' if threads > 1 else ''} (measured)", style="bold")
        print_facts(peak.facts(), out)
    for warning in machine.warnings:
        out.print(f"! {warning}", style="yellow", soft_wrap=True)
