"""Which commit the sources are at: asked of git once a process, since the code that runs was read when it began."""

from __future__ import annotations

import functools
import subprocess
from dataclasses import dataclass
from pathlib import Path

import exp_core

PATIENCE_S = 2.0  # a huge checkout on a slow disk must not hold up a run
INSTALLED = frozenset({"site-packages", "dist-packages"})  # a copy there belongs to no checkout, whatever lies above it


@dataclass(frozen=True, slots=True)
class State:
    """A commit, and whether the sources differ from it; None: not known."""

    revision: str | None = None
    dirty: bool | None = None


def revision_of(file: Path) -> State:
    """The state of the checkout that holds this source file; nothing is known of an installed copy or without git."""
    root = checkout(file)
    return State() if root is None else _state(root, file.resolve().parents[1])


def checkout(file: Path) -> Path | None:
    """The root of the checkout that a file lies in."""
    file = file.resolve()
    if INSTALLED & set(file.parts):
        return None
    return next((folder for folder in file.parents if (folder / ".git").exists()), None)


def resolve(name: str, root: Path) -> str | None:
    """The commit that git knows under a name such as ``main`` or ``HEAD~3``; None if there is none."""
    text = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return text.strip() or None if text is not None else None


@functools.cache
def _state(root: Path, package: Path) -> State:
    """Only a change in the package's folder or in the core counts: notes and tests are not what was run."""
    core = Path(exp_core.__file__).resolve().parent
    folders = [str(folder) for folder in (package, core) if folder.is_relative_to(root)]
    text = _git(root, "status", "--porcelain=v2", "--branch", "--", *folders)
    if text is None:
        return State()
    lines = text.splitlines()
    commit = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), "(initial)")
    if commit == "(initial)":
        return State()
    return State(commit, any(not line.startswith("#") for line in lines))


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints; None where it is missing, fails, or takes too long."""
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return None
    return done.stdout if done.returncode == 0 else None
