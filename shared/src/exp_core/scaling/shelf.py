"""Where finished points are kept, and the key under which one is found again."""

from __future__ import annotations

import hashlib
import inspect
import json
from pathlib import Path
from typing import Protocol

from exp_core.machine import Machine
from exp_core.request import Request
from exp_core.results import Result


class Shelf(Protocol):
    """A store of results by key."""

    def find(self, key: str) -> Result | None:
        """The complete result stored under this key; None if there is none."""

    def add(self, key: str, result: Result) -> None:
        """Store a complete result."""


class Memory:
    """A shelf for as long as the program runs."""

    def __init__(self) -> None:
        self.results: dict[str, Result] = {}

    def find(self, key: str) -> Result | None:
        """The result stored under this key."""
        return self.results.get(key)

    def add(self, key: str, result: Result) -> None:
        """Store it."""
        self.results[key] = result


def key(request: Request, machine: Machine, budget_s: float, where: str = "") -> str:
    """A hash of all that determines a point: what is run, on what, with which versions, and how thoroughly.

    budget_s: of the whole sweep: who asks for a larger one wants other, better measurements; with the same one,
    nothing is measured twice.  where: a cluster's address: its machines are not known before they have answered.
    """
    plain = {
        "package": request.entry.package,
        "experiment": request.entry.name,
        "problem": request.problem.name,
        "sizes": dict(request.sizes),
        "dtype": request.dtype,
        "seed": request.seed,
        "threads": request.threads,
        "contestants": [contestant.key for contestant in request.contestants],
        "sources": sources(request),
        "versions": dict(machine.versions),
        "machine": machine.fingerprint,
        "budget": budget_s,
        "processes": request.processes,
        "cold": request.cold,
        "where": where,
    }
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def sources(request: Request) -> dict[str, str]:
    """Hashes of the experiment's file, its private siblings, each implementation's file, and the user's own."""
    own = request.entry.path
    files = {own, *own.parent.glob(f"_{own.stem}*.py")}
    for contestant in request.contestants:
        function = inspect.unwrap(contestant.implementation.function)
        code = getattr(function, "__code__", None)
        if code is not None:
            files.add(Path(code.co_filename))
    if request.user:
        files.add(request.user.path)
    return {
        (f"--with {path}:{request.user.name}" if request.user and path == request.user.path else path.name): digest(
            path
        )
        for path in sorted(files)
    }


def digest(path: Path) -> str:
    """Hash of a file's bytes; empty if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""
