"""What the verbs that read the history share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from exp_core.catalogue import Catalogue
from exp_core.cli.readers import one_of

if TYPE_CHECKING:
    from exp_core.history import Database


@contextmanager
def opened() -> Iterator[Database]:
    """The history, to read.  Raises click.UsageError, in one sentence, where it cannot be."""
    from exp_core.history import HistoryError, to_read

    try:
        with to_read() as database:
            yield database
    except (HistoryError, ValueError) as error:
        raise click.UsageError(str(error)) from error


def packages_of(catalogue: Catalogue) -> tuple[str, ...]:
    """Whose experiments this command shows."""
    return tuple(dict.fromkeys(topic.package for topic in catalogue.topics))


def experiment_name(catalogue: Catalogue, name: str | None) -> str:
    """The experiment, its dashes forgiven; empty for all.  Raises click.UsageError with the nearest."""
    return one_of("experiment", name.replace("-", "_"), tuple(catalogue.entries)) if name else ""
