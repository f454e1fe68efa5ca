"""A case: which input to make.  Plain values, so that another process can make the same one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from exp_core.experiment import Experiment, Inputs


@dataclass(frozen=True)
class Case:
    """One input of an experiment: the same values make the same arrays, in any process."""

    problem: str
    sizes: Mapping[str, float]
    dtype: str
    seed: int = 0

    def inputs(self, experiment: Experiment) -> Inputs:
        """The input itself.  Raises ValueError where the problem does not allow these sizes."""
        rng = np.random.default_rng(self.seed)
        return experiment.problem(self.problem).make(**self.sizes, dtype=self.dtype, rng=rng)

    def to_json(self) -> str:
        """One line, for a process that makes the same input."""
        plain = {"problem": self.problem, "sizes": dict(self.sizes), "dtype": self.dtype, "seed": self.seed}
        return json.dumps({"case": plain})

    def __str__(self) -> str:
        sizes = ", ".join(f"{name} = {value:g}" for name, value in self.sizes.items())
        return "   ".join(filter(None, (self.problem, sizes, self.dtype, f"seed {self.seed}")))
