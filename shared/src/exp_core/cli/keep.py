"""Storing what was measured, and saying on standard error what was in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exp_core.cli.streams import tell

if TYPE_CHECKING:
    from exp_core.request import Request
    from exp_core.results import Result


def keep(request: Request, result: Result) -> None:
    """Store a result; whatever is in the way is one sentence on standard error."""
    from exp_core.history import keep as history

    say(history.keep(request, result))


def say(notes: tuple[str, ...] | list[str]) -> None:
    """Each once."""
    for note in dict.fromkeys(notes):
        tell(note)
