"""Ladders with a bar on the terminal; nothing where standard error is no terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exp_core import asked
from exp_core.report.bar import Bar

if TYPE_CHECKING:
    from exp_core.request import Request
    from exp_core.results import Result


def climb_with_progress(request: Request) -> Result:
    """Climb, with a bar on the terminal.  Raises Refused where the ladder does."""
    from exp_core.ladder import climb

    with Bar(request.entry.name) as bar:
        return climb(request, bar.stage)


def climb_on_cluster(request: Request, address: str) -> Result:
    """The same, the ``distributed`` implementations on a Dask cluster.  Raises Missing where it cannot be reached."""
    with Bar(request.entry.name) as bar:
        return asked.climb_on_cluster(request, address, bar.stage)
