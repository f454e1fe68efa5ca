"""``history``: what was measured before, over time; and carried from one machine to another."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exp_core.catalogue import Catalogue
from exp_core.cli.options import option, plot_option
from exp_core.cli.output import require_matplotlib, write_json
from exp_core.cli.readers import STANDARD_OUTPUT, evaluate, output_reader, whole_reader
from exp_core.cli.stored import experiment_name, opened, packages_of
from exp_core.cli.streams import tell

if TYPE_CHECKING:
    from exp_core.history.filter import Filter
    from exp_core.history.series import Series


def history_command(catalogue: Catalogue) -> click.Command:
    """The verb."""
    return click.Command(
        "history",
        params=[
            click.Argument(["name"], required=False, metavar="[NAME]"),
            click.Option(["--problem"], metavar="NAME", default="", help="Only this problem."),
            click.Option(["--size", "sizes"], metavar="SIZE=NUMBER", multiple=True, help="Only this size: n=1e6."),
            click.Option(["--dtype"], metavar="NAME", default="", help="Only this element type."),
            option("--threads", whole_reader("--threads", 1), "NUMBER", "Only with so many threads."),
            click.Option(["--device"], metavar="NAME", default="", help="Only on this device."),
            click.Option(["--only"], metavar="NAMES", default="", help="Only these implementations."),
            option("--limit", whole_reader("--limit", 1), "NUMBER", "Runs in each table, the newest.", "10"),
            plot_option("history", "the ratios to the library, run by run"),
            option("--json", output_reader("--json"), "FILE", "Write JSON to a file, or to standard output with -."),
            option(
                "--export", output_reader("--export"), "FILE", "Write the runs as JSON lines; - for standard output."
            ),
            click.Option(["--import", "import_"], metavar="FILE", help="Take over the runs of an export, each once."),
        ],
        callback=partial(_run, catalogue),
        help="What was measured before: an experiment over time, or without a name what is stored.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )


def _run(
    catalogue: Catalogue,
    name: str | None,
    problem: str,
    sizes: tuple[str, ...],
    dtype: str,
    threads: int | None,
    device: str,
    only: str,
    limit: int,
    plot: Path | None,
    json: Path | None,
    export: Path | None,
    import_: str | None,
) -> None:
    from exp_core.history.filter import Filter

    if import_ is not None:
        if name or export or json or plot:
            raise click.UsageError("--import stands alone: ask for the history afterwards")
        from exp_core.cli.transfer import import_runs

        import_runs(import_)
        return
    asked = Filter(
        packages_of(catalogue),
        experiment_name(catalogue, name),
        problem,
        dict(_read_size(text) for text in sizes),
        dtype,
        threads,
        device,
        _names(only),
    )
    if export is not None:
        from exp_core.cli.transfer import export_runs

        with opened() as database:
            export_runs(database, asked, export)
    elif asked.experiment:
        _show(catalogue, asked, limit, plot, json)
    elif plot is not None:
        raise click.UsageError("--plot draws one experiment: name it")
    else:
        _summary(asked, json)


def _summary(asked: Filter, json: Path | None) -> None:
    from dataclasses import asdict

    from exp_core.history.queries import held
    from exp_core.report.console import console
    from exp_core.report.history import print_held

    with opened() as database:
        found = held(database, asked.packages)
    if json is not None:
        write_json([asdict(each) for each in found], json)
    if json == STANDARD_OUTPUT:
        return
    if not found:
        click.echo("nothing is stored yet: every run is, unless --no-store keeps it out")
        return
    print_held(found, console())


def _show(catalogue: Catalogue, asked: Filter, limit: int, plot: Path | None, json: Path | None) -> None:
    from exp_core.history.queries import measurements
    from exp_core.history.series import series
    from exp_core.report.console import console
    from exp_core.report.history import print_history

    entry = catalogue.entries[asked.experiment]
    if plot is not None:
        require_matplotlib("--plot", entry.package)
    with opened() as database:
        found = series(measurements(database, asked))
    if not found:
        raise click.UsageError(f"nothing is stored of {entry.name} that fits: run it first")
    if json != STANDARD_OUTPUT:
        print_history(found, limit, console(), "--limit {runs} shows all")
    if json is not None:
        write_json([_plain(one) for one in found], json)
    if plot is not None:
        from exp_core.report.history_figure import draw

        try:
            draw(f"{entry.name} over time", found, plot)
        except OSError as error:
            raise click.ClickException(f"{plot} could not be written: {error.strerror}") from error
        tell(f"drawn: {plot}")


def _plain(one: Series) -> dict[str, object]:
    from dataclasses import asdict

    plain = asdict(one)
    plain["configuration"] = dict(
        zip(("package", "experiment", "problem", "sizes", "dtype", "threads"), one.configuration, strict=True)
    )
    for point in plain["points"]:
        del point["configuration"]
    return plain


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _read_size(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    try:
        if not equals:
            raise ValueError
        return name.strip(), evaluate(value)
    except (ValueError, SyntaxError, OverflowError, MemoryError, RecursionError):
        raise click.UsageError(f"--size takes a name and a number, such as n=1e6, not {text!r}") from None
