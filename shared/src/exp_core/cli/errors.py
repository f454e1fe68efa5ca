"""Why a run does not start, and the exit code that says so."""

from __future__ import annotations

import click

EXIT_RIGHT = 0
EXIT_WRONG = 1
EXIT_USAGE = 2
EXIT_MISSING = 3
EXIT_INTERRUPTED = 130


class Missing(click.ClickException):
    """A device or an extra that the run needs is not here."""

    exit_code = EXIT_MISSING
