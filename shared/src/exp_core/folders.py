"""The user's own folders; a user who has none, or none that can be named, is served as well as can be."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


class NoHomeError(Exception):
    """The user has no home folder."""


def data_folder() -> Path:
    """Where what must be kept is.  Raises NoHomeError."""
    import platformdirs

    return _absolute(platformdirs.user_data_dir)


def cache_folder() -> Path:
    """Where what can be made again is.

    Without a home it lies beneath the null device: there nothing is found, and every write raises OSError, as in a
    folder that is read-only; who can do without a cache does.
    """
    import platformdirs

    try:
        return _absolute(platformdirs.user_cache_dir)
    except NoHomeError:
        return Path(os.devnull) / "exp_core"


def _absolute(find: Callable[..., str]) -> Path:
    """The folder of this project.  Raises NoHomeError where the system knows none, or HOME is relative to nowhere."""
    try:
        folder = Path(find("exp_core", appauthor=False))
    except RuntimeError as error:  # neither HOME nor an entry in the list of users
        raise NoHomeError from error
    if not folder.is_absolute():
        raise NoHomeError
    return folder
