"""Peaks that were measured before, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from exp_core.folders import cache_folder
from exp_core.machine.apple import nominal
from exp_core.machine.description import fingerprint
from exp_core.machine.devices import DeviceName, require
from exp_core.machine.libraries import versions
from exp_core.machine.measure import measure, measure_again
from exp_core.machine.measure_device import measure_device
from exp_core.machine.processor import read_processor
from exp_core.machine.roofline import Bandwidth, Peaks
from exp_core.timing import epoch

SCHEMA = 4
EXPIRES_S = 7 * 24 * 3600
LOOK_EXPIRES_S = 600

_known: dict[Path, tuple[float, Peaks]] = {}  # of this process: where nothing can be written, nothing is measured twice


def peaks(threads: int, *, refresh: bool = False) -> Peaks:
    """What this machine can do at best with that many threads: from the cache, or measured now (about two seconds).

    refresh: measure even if the cache knows.  A cache that cannot be read or written is done without.
    Raises ValueError below one thread.
    """
    if threads < 1:
        raise ValueError(f"{threads} threads cannot compute anything")
    path = cache_path(str(threads), ("numpy", "numba", "llvmlite"))
    return _remembered(path, partial(measure, threads), EXPIRES_S, refresh)


def look(known: Peaks) -> Peaks:
    """The same peaks as they are now: seen in the last ten minutes, or looked at again in about 0.2 s."""
    path = cache_path(f"look {known.threads}", ("numpy", "numba", "llvmlite"))
    return _remembered(path, partial(measure_again, known), LOOK_EXPIRES_S)


def device_peaks(name: DeviceName, *, refresh: bool = False) -> Peaks | None:
    """The same for a device of MLX; its maker's figures where it cannot be measured, None where there are none."""
    title = require(name).title
    try:
        path = cache_path(f"{name} {title}", ("mlx",))
        return _remembered(path, partial(measure_device, name), EXPIRES_S, refresh)
    except RuntimeError:  # of MLX: the memory may be in use, or an operation missing
        return nominal_peaks(title)


def nominal_peaks(title: str) -> Peaks | None:
    """What the maker says of a device; None where he says nothing of use."""
    figures = nominal(title)
    if figures is None:
        return None
    flops = {} if figures.flops is None else {"float32": figures.flops}
    return Peaks(0, flops, (Bandwidth(0.0, copy=figures.bytes),), "nominal")


def cache_path(what: str, packages: tuple[str, ...]) -> Path:
    """A file of its own for each machine, number of threads or device, and set of versions that it depends on."""
    key = json.dumps([SCHEMA, fingerprint(read_processor()), what, versions(packages)])
    name = f"peaks-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    return cache_folder() / name


def load(path: Path, now: float, expires_s: float = EXPIRES_S) -> tuple[float, Peaks] | None:
    """When a file's peaks were measured, and what they are; None if it is unreadable, too old or of the future."""
    try:
        document: object = json.loads(path.read_text())
        if not isinstance(document, Mapping) or not 0 <= now - float(document["measured_at"]) <= expires_s:
            return None
        return float(document["measured_at"]), Peaks.from_dict(document["peaks"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def store(path: Path, found: Peaks, now: float) -> None:
    """Write beside the place and move there in one step: whoever reads sees the old file or the new one, never half."""
    text = json.dumps({"measured_at": now, "peaks": found.to_dict()})
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise


def _remembered(path: Path, find: Callable[[], Peaks], expires_s: float, refresh: bool = False) -> Peaks:
    """From this process's memory, from the file, or found now and stored."""
    now = epoch()
    known = None if refresh else _known.get(path) or load(path, now, expires_s)
    if known is None or not 0 <= now - known[0] <= expires_s:
        known = epoch(), find()
        store(path, known[1], known[0])
    _known[path] = known
    return known[1]
