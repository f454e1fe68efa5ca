"""What a user waits for and cannot see: who does it tells it, and the ladder's bar shows it.

A problem loads something first, Numba compiles: no argument leads from there to the bar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Hear = Callable[[str, float | None], None]

_HEARD: list[Hear] = []


def tell(doing: str, done: float | None = None) -> None:
    """Say what is being done, such as ``"training a GPT, this once"``, to whoever listens.

    done: which part of it is over, from 0 to 1, where that is known; whoever tells it can be stopped there, by whatever
        a listener raises: Refused, where no time is left for the rest.
    """
    for hear in _HEARD:
        hear(doing, done)


@contextmanager
def told_of_waiting(hear: Hear) -> Iterator[None]:
    """Inside, ``hear(doing, done)`` is called with whatever is told."""
    _HEARD.append(hear)
    try:
        yield
    finally:
        _HEARD.remove(hear)
