"""Where training runs are kept: beside the history, in the folder that EXP_CORE_DATA names or the platform's own."""

from __future__ import annotations

from pathlib import Path

from exp_core.history.database import database_path
from exp_core.history.errors import HistoryError
from exp_core.training.checkpoint import CheckpointError


def training_folder(experiment: str) -> Path:
    """The folder of an experiment's run.  Raises CheckpointError where the user has no home."""
    try:
        return database_path().parent / "training" / experiment
    except HistoryError as error:
        raise CheckpointError(str(error)) from error
