"""``history --export`` and ``--import``: the history as JSON lines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exp_core.cli.readers import STANDARD_OUTPUT
from exp_core.cli.streams import give, tell

if TYPE_CHECKING:
    from exp_core.history import Database
    from exp_core.history.filter import Filter


def export_runs(database: Database, asked: Filter, path: Path) -> None:
    """All runs asked for, those that were interrupted too."""
    from exp_core.history.queries import every
    from exp_core.history.transfer import lines
    from exp_core.report.export import write

    found = lines(every(database, replace(asked, complete=False)))
    if path == STANDARD_OUTPUT:
        for line in found:
            give(line)
        return
    text = list(found)
    try:
        write(path, "".join(text))
    except OSError as error:
        raise click.ClickException(f"{path} could not be written: {error.strerror}") from error
    tell(f"{len(text)} runs written: {path}")


def import_runs(name: str) -> None:
    """All of it or nothing, the oldest first."""
    from exp_core.history import HistoryError, store
    from exp_core.history.transfer import read_export

    try:
        runs = read_export(name)
        stored = store(sorted(runs, key=lambda run: run.created_at), measured_now=False)
    except (HistoryError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    for note in stored.notes:
        tell(note)
    click.echo(f"{len(runs) - stored.known} runs imported, {stored.known} were there already")
