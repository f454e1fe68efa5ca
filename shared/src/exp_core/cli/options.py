"""The options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click

from exp_core.cli.readers import names_reader, output_reader, seconds_reader, whole_reader
from exp_core.experiment import RUNGS
from exp_core.report.figure import FORMATS


def option(name: str, reader: Callable[[str], object], metavar: str, text: str, default: object = None) -> click.Option:
    """An option with a value; its default stands in the help."""
    shown = default is not None
    return click.Option([name], type=reader, metavar=metavar, help=text, default=default, show_default=shown)


def names_option(name: str, what: str, names: Iterable[str], text: str) -> click.Option:
    """An option that takes names, separated by commas or in several turns; nothing given is None."""

    def gather(context: click.Context, parameter: click.Parameter, turns: tuple[tuple[str, ...], ...]) -> object:
        return tuple(name for turn in turns for name in turn) or None

    reader = names_reader(what, names)
    return click.Option([name], type=reader, metavar="NAMES", help=text, multiple=True, callback=gather)


def run_options() -> list[click.Parameter]:
    """How to run: rungs, seed, budget, threads, processes, caches; and whether the history hears of it."""
    return [
        names_option("--rung", "rung", RUNGS, f"Only these rungs: {', '.join(RUNGS)}."),
        option("--seed", whole_reader("--seed", 0), "NUMBER", "Seed of the input.", "0"),
        option("--budget", seconds_reader("--budget"), "SECONDS", "For the race; all before it has as much.", "10"),
        option("--threads", whole_reader("--threads", 1), "NUMBER", "Threads for everybody.  [default: all cores]"),
        option("--processes", whole_reader("--processes", 1), "NUMBER", "Share the timing among fresh processes.", "1"),
        click.Option(["--cold"], is_flag=True, help="Time with cold caches as well: flushed before each call."),
        click.Option(["--no-store"], is_flag=True, help="Keep it out of the history, and take nothing from there."),
    ]


def output_options() -> list[click.Parameter]:
    """Where results go."""
    return [
        option("--json", output_reader("--json"), "FILE", "Write JSON to a file, or to standard output with -."),
        option("--csv", output_reader("--csv"), "FILE", "Write CSV, a line a row."),
        option("--markdown", output_reader("--markdown"), "FILE", "Write a Markdown table."),
        click.Option(["--verbose", "-v"], is_flag=True, help="Every column, and every law's error and bound."),
    ]


def device_options(devices: tuple[str, ...]) -> list[click.Parameter]:
    """A flag a device, where the command has devices."""
    titles = {"cpu": "Run on the CPU.", "metal": "Run on the Apple GPU.", "cuda": "Run on the NVIDIA GPU."}
    return [click.Option([f"--{name}"], is_flag=True, help=titles[name]) for name in devices]


def emulate_options(devices: tuple[str, ...], emulator: str) -> list[click.Parameter]:
    """``--emulate``, where the package has an emulator."""
    flags = " or ".join(f"--{name}" for name in devices if name != "cpu")
    text = f"With {flags}: check its kernels on an emulated GPU, at small sizes and without timing them."
    return [click.Option(["--emulate"], is_flag=True, help=text)] if emulator else []


def roofline_option(name: str) -> click.Option:
    """``--roofline [FILE]``."""
    file = f"{name}-roofline.png"
    reader = output_reader("--roofline", dash=False, suffixes=FORMATS)
    text = f"Draw every implementation under this machine's limits.  [default file: {file}]"
    return click.Option(["--roofline"], type=reader, metavar="[FILE]", is_flag=False, flag_value=file, help=text)


def plot_option(name: str, what: str) -> click.Option:
    """``--plot [FILE]``.  what: is drawn."""
    reader = output_reader("--plot", dash=False, suffixes=FORMATS)
    text = f"Draw {what}.  [default file: {name}.png]"
    return click.Option(["--plot"], type=reader, metavar="[FILE]", is_flag=False, flag_value=f"{name}.png", help=text)
