"""Why something that was asked for is not started: one sentence with the remedy, before any work is done."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST_SHOWN = 60  # characters of what was typed in a sentence about it


class Refused(ValueError):
    """What cannot be started as asked; the message is one sentence with the remedy."""


class Missing(Refused):
    """A device or an extra that it needs is not here; the message says how to get it."""


def one_of(what: str, name: str, names: Iterable[str]) -> str:
    """The name if it is one of these.  Raises Refused with the nearest, or with all of them."""
    known = tuple(names)
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    raise Refused(f"no {what} is called {name!r}; {hint}")


def shortened(text: str) -> str:
    """What was typed, as far as a sentence has room for it."""
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
