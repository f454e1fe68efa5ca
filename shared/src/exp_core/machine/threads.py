"""The same number of threads for everybody."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType

from exp_core.machine.advice import THREADS

MLX_NOTE = "MLX gives each CPU stream one thread of its own; only the BLAS below it follows the limit"


class ThreadLimit:
    """A limit in force.  ``apply()`` it again before timing: a library loaded since has a pool of its own."""

    def __init__(self, threads: int) -> None:
        if threads < 1:
            raise ValueError(f"{threads} threads cannot compute anything")
        self.threads = threads
        self._undo = ExitStack()

    def apply(self) -> None:
        """Limit every pool that is loaded by now: BLAS and OpenMP (threadpoolctl), and Numba, up to its own maximum."""
        import threadpoolctl

        if (numba := _numba()) is not None:  # first: asking for its number loads OpenMP, which is to be limited too
            self._undo.callback(numba.set_num_threads, numba.get_num_threads())
            numba.set_num_threads(min(self.threads, numba.config.NUMBA_NUM_THREADS))
        self._undo.enter_context(threadpoolctl.threadpool_limits(self.threads))

    def lift(self) -> None:
        """Give every pool the number of threads that it had before."""
        self._undo.close()

    @property
    def notes(self) -> list[str]:
        """What the limit does not reach."""
        return [MLX_NOTE] if "mlx.core" in sys.modules else []


@contextmanager
def thread_limit(threads: int) -> Iterator[ThreadLimit]:
    """Every pool has that many threads inside the block, and as many as before after it.

    Numba's number belongs to the calling thread, so time in the thread that entered.  Raises ValueError below 1.
    Source: threadpoolctl's README; Numba's manual, "Setting the Number of Threads".
    """
    limit = ThreadLimit(threads)
    try:
        limit.apply()
        yield limit
    finally:
        limit.lift()


def verify_threads(threads: int) -> list[str]:
    """The pools that have another number of threads, one sentence each; none if all agree."""
    import threadpoolctl

    found = [
        (f"{pool['internal_api']} {pool.get('version') or ''}".strip(), pool["num_threads"])
        for pool in threadpoolctl.threadpool_info()
    ]
    if (numba := _numba()) is not None:
        found.append(("numba", numba.get_num_threads()))
    return [f"{name} has {number} threads, not {threads}" for name, number in found if number != threads]


def thread_environment(threads: int) -> dict[str, str]:
    """The same limit for a process that is to be started: variables that its libraries read when they are loaded."""
    return dict.fromkeys(THREADS, str(threads))


def _numba() -> ModuleType | None:
    """Numba if it is loaded: one that is not has no threads yet."""
    numba = sys.modules.get("numba")
    return numba if hasattr(numba, "set_num_threads") else None
