"""What a user waits for and cannot see: who does it tells it, and the ladder's bar shows it.

A problem's generator trains something first, Numba compiles: no argument leads from there to the bar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_HEARD: list[Callable[[str], None]] = []


def tell(doing: str) -> None:
    """Say what is being done, such as ``"training a GPT, this once: step 20 of 400"``, to whoever listens."""
    for hear in _HEARD:
        hear(doing)


@contextmanager
def told_of_waiting(hear: Callable[[str], None]) -> Iterator[None]:
    """Inside, ``hear(doing)`` is called with whatever is told."""
    _HEARD.append(hear)
    try:
        yield
    finally:
        _HEARD.remove(hear)
