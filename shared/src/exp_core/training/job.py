"""A training run: what is to be done, how it stands, how it has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exp_core.training.checkpoint import Checkpoint, Identity
from exp_core.training.group import ALONE, Group
from exp_core.training.log import Line
from exp_core.training.plan import Engine, State, Target, Training


@dataclass(frozen=True)
class Job:
    """A training run as asked for.

    folder: where its checkpoints and its log are.     save_every: steps between two checkpoints; None: half a minute.
    group: the processes that share each batch.
    """

    experiment: str
    training: Training
    engine: Engine
    shape: object
    data: object
    data_name: str
    seed: int
    batch: int
    steps: int
    folder: Path
    save_every: int | None = None
    group: Group = ALONE

    @property
    def identity(self) -> Identity:
        """What a checkpoint of this run says about itself."""
        return Identity(self.experiment, repr(self.shape), self.data_name, self.seed, self.batch, self.engine.name)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What to reach on these data."""
        return tuple(target for target in self.training.targets if not target.data or self.data_name in target.data)

    def beginning(self) -> Checkpoint:
        """Before the first step."""
        return Checkpoint(
            self.identity, 0, self.training.start(self.shape, np.random.default_rng(self.seed)), self.steps
        )


@dataclass(frozen=True)
class Moment:
    """How a run stands, for who watches it.  rate: units a second; left_s: seconds to go; both None at first."""

    step: int
    steps: int
    loss: float
    rate: float | None
    left_s: float | None
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """How a run has ended."""

    step: int
    state: State
    lines: tuple[Line, ...]
    figures: Mapping[str, float]
    rate: float | None
    interrupted: bool = False
