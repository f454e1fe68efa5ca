"""``--sweep n=64:4096:x2``: a ladder at every size, and the laws of growth; ``--cluster`` spreads the points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exp_core.cli.readers import evaluate, one_of, size_reader, whole
from exp_core.cli.streams import tell
from exp_core.experiment import Problem, Size
from exp_core.report.bar import Bar

if TYPE_CHECKING:
    from exp_core.cli.output import Outputs
    from exp_core.request import Request
    from exp_core.scaling import Shelf, Sweep

MOST_POINTS = 10_000
EXAMPLE = "n=64:4096:x2, n=64:4096:+64 or n=10,20,50"
BAD_NUMBER = (ValueError, SyntaxError, OverflowError, MemoryError, RecursionError, ZeroDivisionError)


def sweep_options() -> list[click.Parameter]:
    """The options of a sweep."""
    return [
        click.Option(
            ["--sweep"],
            metavar="SIZE=FROM:TO:xFACTOR",
            multiple=True,
            help=f"Run at many sizes, and fit laws of growth: {EXAMPLE}; once for each axis.",
        ),
        click.Option(
            ["--cluster"],
            metavar="ADDRESS",
            help="Run distributed implementations, or the points of a sweep, on a Dask cluster; local starts one here.",
        ),
    ]


def read_axes(texts: Sequence[str], problem: Problem, given: Mapping[str, object]) -> dict[str, tuple[float, ...]]:
    """The axes of a sweep.  Raises click.UsageError, in one sentence, for any that cannot be meant."""
    sizes = {size.name: size for size in problem.sizes}
    axes: dict[str, tuple[float, ...]] = {}
    for text in (part.strip() for turn in texts for part in turn.split(";")):
        if not text:
            continue
        name, equals, values = text.partition("=")
        name = name.strip()
        if not equals:
            raise click.UsageError(f"--sweep takes {EXAMPLE}, not {text!r}")
        size = sizes[one_of(f"size of the problem {problem.name}", name, tuple(sizes))]
        if name in axes:
            raise click.UsageError(f"--sweep names {name} twice")
        if given.get(f"size_{name}") is not None:
            raise click.UsageError(f"--{name} holds {name} at one size, and --sweep {text} varies it: choose one")
        axes[name] = read_values(size, values)
        if math.prod(len(axis) for axis in axes.values()) > MOST_POINTS:
            raise click.UsageError(f"--sweep makes more than {MOST_POINTS:,} points: take larger steps")
    if not axes:
        raise click.UsageError(f"--sweep takes {EXAMPLE}")
    return axes


def read_values(size: Size, text: str) -> tuple[float, ...]:
    """The values of one axis, ascending, each once.  Raises click.UsageError."""
    label = f"--sweep {size.name}={text}"
    if ":" not in text:
        parts = text.split(",")
        if not all(part.strip() for part in parts):
            raise click.UsageError(f"{label} has an empty value: give sizes such as 10,20,50")
        return tuple(sorted({size_reader(size)(part) for part in parts}))
    parts = [part.strip() for part in text.split(":")]
    if len(parts) != 3 or not all(parts) or parts[2][0] not in "x*+":
        raise click.UsageError(f"{label} needs FROM:TO and a step, x for a factor or + for a distance: {EXAMPLE}")
    first, last = (size_reader(size)(part) for part in parts[:2])
    if first > last:
        raise click.UsageError(f"{label} is empty: {parts[0]} is larger than {parts[1]}")
    geometric = parts[2][0] in "x*"
    try:
        step = float(evaluate(parts[2][1:]))
    except BAD_NUMBER:
        raise click.UsageError(f"{label} takes a number as its step, such as x2 or +64, not {parts[2]!r}") from None
    if (geometric and (step <= 1 or first <= 0)) or (not geometric and step <= 0):
        raise click.UsageError(f"{label} never arrives: a factor must be above 1, a distance above 0")
    if not geometric and size.type is int:
        step = whole(f"the step of {label}", step, parts[2][1:], 1)
    count = (math.log(last / first) / math.log(step) if geometric else (last - first) / step) + 1 + 1e-9
    if count > MOST_POINTS + 1:
        raise click.UsageError(f"{label} makes more than {MOST_POINTS:,} points: take larger steps")
    values = [first * step**i if geometric else first + i * step for i in range(int(count))]
    return tuple(sorted({round(value) for value in values} if size.type is int else set(values)))


def run_sweep(
    request: Request,
    axes: Mapping[str, Sequence[float]],
    outputs: Outputs,
    plot: Path | None,
    *,
    cluster: str | None = None,
    shelf: Shelf | None = None,
) -> int:
    """Measure, print, write, draw; the exit code.  Raises Refused where nothing can be started."""
    found = _measured(request, axes, cluster, shelf)
    _report(found, outputs)
    if plot is not None and found.results:
        from exp_core.report.scaling_figure import draw

        try:
            draw(found, plot)
        except OSError as error:
            raise click.ClickException(f"{plot} could not be written: {error.strerror}") from error
        tell(f"drawn: {plot}")
    return found.exit_code


def _measured(request: Request, axes: Mapping[str, Sequence[float]], address: str | None, shelf: Shelf | None) -> Sweep:
    from exp_core.asked import sweep_as_asked

    with Bar(request.entry.name) as bar:
        return sweep_as_asked(request, axes, address, shelf, bar.point)


def _report(found: Sweep, outputs: Outputs) -> None:
    """Print, then write: a full disk must not take the measurements with it."""
    from exp_core.report import scaling, scaling_export
    from exp_core.report.console import console

    if not outputs.to_stdout:
        scaling.print_sweep(found, console(), verbose=outputs.verbose, all_of_it="--verbose, --json or --plot")
    outputs.write(
        partial(scaling_export.to_json, found),
        partial(scaling_export.to_csv, found),
        partial(scaling_export.to_markdown, found),
    )
