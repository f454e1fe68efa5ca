"""Storing what was measured: after it was shown, and never at its expense."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exp_core.history.shelf import HistoryShelf
    from exp_core.request import Request
    from exp_core.results import Result


def keep(request: Request, result: Result) -> tuple[str, ...]:
    """Store a result; whatever is in the way is one sentence of those returned."""
    from exp_core.history import Run, store

    try:
        return tuple(store([Run.of(request, result)]).notes)
    except Exception as error:  # whatever it is: the measurements stand, and so does what the run came to
        return (f"not stored: {' '.join(str(error).split())}",)


def history_shelf(request: Request) -> HistoryShelf:
    """Where the finished points of a sweep are kept, and found again."""
    from exp_core.history.run import Run
    from exp_core.history.shelf import HistoryShelf

    return HistoryShelf(partial(Run.of, request))
