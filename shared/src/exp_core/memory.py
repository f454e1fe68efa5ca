"""The memory that one call needs at its peak: what was there before it, its set-up included, does not count.

Two views, and the larger one is right.  Python's ``tracemalloc`` counts each byte that Python, NumPy and Numba
allocate, but is blind to what other native code takes for itself.  Linux counts the pages that the process really has,
whoever asked for them, and its record of the most can be reset: proc(5), clear_refs 5 and VmHWM.  But a page that an
earlier call has freed may still be held by the C library, and would be used again unseen: so malloc_trim(3) gives all
of them back before, and ``exp_core.reused`` lets go of what it keeps.  Pages of files do not count: a system short of
memory drops those of code, and the call only reads them again.  Pages are counted in batches, one a core: below that
resolution the first view decides alone.

MLX allocates from a pool of its own, on every device, and keeps its own record of the most.
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, cast, get_args

from exp_core import reused

Call = Callable[[], object]
Seen = Literal["all", "Python and NumPy", "MLX"]  # whose allocations; "all" is those of this process, native ones too
SEEN: tuple[Seen, ...] = get_args(Seen)

PROC = Path("/proc/self")
BATCH = 64  # pages that a core may count for itself before it tells the process: at most max(32, 2 cores), both ways


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes at the peak of one call above what was there before, and whose they are."""

    bytes: float
    seen: Seen


def peak_memory(call: Call) -> Memory:
    """Call it twice, once under each view.  It must have been called before: loaded code is no working storage."""
    traced, resident = traced_peak(call), resident_peak(call)
    if resident is None:
        return Memory(traced, "Python and NumPy")
    return Memory(resident if resident > traced + resolution() else traced, "all")


@contextmanager
def collected_once() -> Iterator[None]:
    """While entered, the collector leaves alone what is there already: to look through all of it takes 0.1 s."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def traced_peak(call: Call) -> float:
    """Bytes that Python and NumPy allocate; the result is among them."""
    gc.collect()
    reused.forget()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        call()
        return float(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()


def resident_peak(call: Call, proc: Path = PROC) -> float | None:
    """Bytes of pages; None where the system does not tell, or its record cannot be reset."""
    gc.collect()
    reused.forget()
    _trim()
    try:
        (proc / "clear_refs").write_text("5")
        before = _pages(proc)
        if before.most > before.now + resolution():  # it was not reset
            return None
        call()
        after = _pages(proc)
        return max(after.most - before.now - max(after.of_files - before.of_files, 0.0), 0.0)
    except (OSError, ValueError):
        return None


def resolution() -> float:
    """Bytes by which Linux's count of a process's pages may be off."""
    cores = os.cpu_count() or 1
    return float(max(BATCH, 4 * cores) * cores * os.sysconf("SC_PAGE_SIZE"))


class MlxMemory(Protocol):
    """What is used of ``mlx.core``."""

    def clear_cache(self) -> None: ...
    def reset_peak_memory(self) -> None: ...
    def get_active_memory(self) -> int: ...
    def get_peak_memory(self) -> int: ...


def mlx_peak(call: Call) -> Memory:
    """Bytes of MLX's pool, on whichever device it computes; the call must wait for its result."""
    mx = cast("MlxMemory", sys.modules["mlx.core"])
    mx.clear_cache()
    mx.reset_peak_memory()
    before = mx.get_active_memory()
    call()
    return Memory(float(max(mx.get_peak_memory() - before, 0)), "MLX")


class _Pages(NamedTuple):
    """Resident bytes: the most since the last reset, those now, and those among them that a file holds as well."""

    most: float
    now: float
    of_files: float


def _pages(proc: Path) -> _Pages:
    """The process's pages.  Raises ValueError if they are not told."""
    found = dict(re.findall(r"^(VmHWM|VmRSS|RssFile):\s+(\d+) kB", (proc / "status").read_text(), re.MULTILINE))
    try:
        return _Pages(*(1024.0 * int(found[name]) for name in ("VmHWM", "VmRSS", "RssFile")))
    except KeyError as error:
        raise ValueError(f"no {error}") from error


def _trim() -> None:
    """Give what the C library holds, but nobody uses, back to the system: glibc's alone has a function for it."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
