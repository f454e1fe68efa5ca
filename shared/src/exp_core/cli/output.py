"""Where results go: the terminal, files, a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exp_core.cli.readers import STANDARD_OUTPUT
from exp_core.cli.streams import give, tell

if TYPE_CHECKING:
    from exp_core.request import Request
    from exp_core.results import Result
    from exp_core.scoreboard import Scoreboard


Text = Callable[[], str]


@dataclass(frozen=True)
class Outputs:
    """Where the results go."""

    json: Path | None
    csv: Path | None
    markdown: Path | None
    verbose: bool

    @property
    def to_stdout(self) -> bool:
        """Whether a program reads standard output, so that nothing else may be printed there."""
        return STANDARD_OUTPUT in (self.json, self.csv, self.markdown)

    def write(self, json: Text, csv: Text, markdown: Text) -> None:
        """Write those that were asked for.  Raises click.ClickException where one cannot be written."""
        from exp_core.report.export import write

        for path, text in ((self.json, json), (self.csv, csv), (self.markdown, markdown)):
            if path == STANDARD_OUTPUT:
                give(text())
            elif path is not None:
                try:
                    write(path, text())
                except OSError as error:
                    raise click.ClickException(f"{path} could not be written: {error.strerror}") from error


def read_outputs(given: Mapping[str, object]) -> Outputs:
    """Where the results go, out of click's dictionary."""
    return Outputs(given["json"], given["csv"], given["markdown"], bool(given["verbose"]))  # type: ignore[arg-type]


def report(results: Sequence[Result], outputs: Outputs, board: Scoreboard | None = None) -> None:
    """Print the tables, then write the files: a full disk must not take the measurements with it."""
    from exp_core.report import export
    from exp_core.report.console import console
    from exp_core.report.terminal import print_result

    if not outputs.to_stdout and board is None:
        for result in results:
            print_result(result, console(), verbose=outputs.verbose)
    if not results:
        return
    outputs.write(
        partial(export.to_json, results, board),
        partial(export.to_csv, results),
        partial(export.to_markdown, results, board),
    )


def write_json(document: object, path: Path) -> None:
    """JSON to a file or to standard output.  Raises click.ClickException where it cannot be written."""
    from exp_core.report.export import dumps, write

    if path == STANDARD_OUTPUT:
        give(dumps(document))
        return
    try:
        write(path, dumps(document))
    except OSError as error:
        raise click.ClickException(f"{path} could not be written: {error.strerror}") from error


def require_matplotlib(option: str, package: str) -> None:
    """Raises Missing before any work is done for a picture that could not be drawn."""
    from exp_core.installed import missing_modules
    from exp_core.refusal import Missing

    if absent := missing_modules(package, ("matplotlib",)):
        raise Missing(f"{option} {absent}")


def draw_result(result: Result, request: Request, path: Path) -> None:
    """Draw the experiment's picture.  Raises click.ClickException where it cannot be drawn or written."""
    from exp_core.report.figure import draw

    try:
        draw(result, request.experiment, request.inputs(), path)
    except OSError as error:
        raise click.ClickException(f"{path} could not be written: {error.strerror}") from error
    except ModuleNotFoundError as error:
        from exp_core.installed import missing_modules
        from exp_core.refusal import Missing

        absent = missing_modules(request.entry.package, (error.name or str(error),))
        raise Missing(f"the picture of {request.entry.name} {absent}") from error
    except Exception as error:  # a picture that fails must not look as if the measurements had
        raise click.ClickException(f"the picture of {request.entry.name} failed: {error}") from error
    tell(f"drawn: {path}")


def draw_result_under_roofs(result: Result, path: Path) -> None:
    """Draw the roofline.  Raises click.ClickException where there is nothing to place, or it cannot be written."""
    from exp_core.machine import peaks
    from exp_core.report.roofline import NothingToPlace, draw_roofline

    try:
        draw_roofline(result, peaks(1), path)
    except NothingToPlace as error:
        raise click.ClickException(f"--roofline: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{path} could not be written: {error.strerror}") from error
    tell(f"drawn: {path}")
