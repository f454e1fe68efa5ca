"""The scoreboard: each experiment's best implementation against the library, and the mean of them all."""

from __future__ import annotations

import math
from dataclasses import dataclass

from exp_core.plain import interval, number
from exp_core.results import Result


@dataclass(frozen=True, slots=True)
class Score:
    """One line of the scoreboard: our best implementation of an experiment against the library."""

    experiment: str
    best: str | None
    ratio: float | None
    ratio_ci95: tuple[float, float] | None
    fraction_of_limit: float | None
    wrong: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """The score as JSON writes it."""
        return {
            "experiment": self.experiment,
            "best": self.best,
            "ratio_to_library": number(self.ratio),
            "ratio_ci95": interval(self.ratio_ci95),
            "fraction_of_limit": number(self.fraction_of_limit),
            "wrong": list(self.wrong),
        }


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """Every experiment's score, and the geometric mean of the ratios."""

    scores: tuple[Score, ...]

    @property
    def geometric_mean(self) -> float | None:
        """The mean that treats twice as fast and half as fast as opposites; None if no ratio is known."""
        ratios = [score.ratio for score in self.scores if score.ratio]
        return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else None

    def to_dict(self) -> dict[str, object]:
        """The scoreboard as JSON writes it."""
        return {
            "scores": [score.to_dict() for score in self.scores],
            "geometric_mean": number(self.geometric_mean),
        }


def score(result: Result) -> Score:
    """A result's line on the scoreboard."""
    best = result.best
    wrong = tuple(row.name for row in result.rows if row.status in ("wrong", "failed"))
    if best is None:
        return Score(result.experiment, None, None, None, None, wrong)
    return Score(result.experiment, best.name, best.ratio_to_library, best.ratio_ci95, best.fraction_of_limit, wrong)
