"""What the index and the scoreboard say of an experiment: a page carries it, so that nobody has to make it again."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from exp_core.experiment import Experiment
from exp_core.history.run import Run
from exp_core.report.units import factor, percent
from exp_core.scoreboard import score

HEAD = 16_384  # characters of a page in which its digest and its card are found
DIGEST = re.compile(r'<meta name="book" content="([0-9a-f]*)">')
CARD = re.compile(r'<meta name="card" content="([^"]*)">')


@dataclass(frozen=True, slots=True)
class Card:
    """Our best implementation on the ordinary problem, against the library and the limit.

    verdict: faster, slower or alike.     state: what there is to say where there is no ratio.
    """

    state: str = ""
    best: str = ""
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    verdict: str = "alike"
    wrong: str = ""
    problem: str = ""
    run: int | None = None
    machine: str = ""

    @property
    def ratio_text(self) -> str:
        """The ratio as a factor; empty if there is none."""
        return "" if self.ratio is None else factor(self.ratio)

    @property
    def limit_text(self) -> str:
        """The fraction of the limit; empty if there is none."""
        return "" if self.limit is None else percent(self.limit)

    def to_json(self) -> str:
        """One line, for the page's head."""
        return json.dumps(asdict(self), ensure_ascii=False)


def card_of(experiment: Experiment, runs: Sequence[Run]) -> Card:
    """The card that follows from an experiment's ladders."""
    ordinary = experiment.problems[0].name
    run = next((run for run in runs if run.result.problem == ordinary), None)
    if run is None:
        return Card(state="not measured yet")
    found, best = score(run.result), run.result.best
    verdict = best.race.verdict if best and best.race and best.race.verdict in ("faster", "slower") else "alike"
    low, high = found.ratio_ci95 or (None, None)
    state = f"wrong: {', '.join(found.wrong)}" if found.wrong else "" if found.ratio else "no library to beat"
    return Card(
        state=state if best or found.wrong else "nothing was timed",
        best=found.best or "",
        ratio=_finite(found.ratio),
        low=_finite(low),
        high=_finite(high),
        limit=_finite(found.fraction_of_limit),
        verdict=verdict,
        wrong=", ".join(found.wrong),
        problem=run.result.problem,
        run=run.id,
        machine=run.machine,
    )


def read_head(page: Path) -> tuple[str, Card] | None:
    """A page's digest and card; None for a file that is no page of ours, or not whole."""
    try:
        with page.open(encoding="utf-8") as file:
            head = file.read(HEAD)
        digest, card = DIGEST.search(head), CARD.search(head)
        if digest is None or card is None:
            return None
        return digest[1], Card(**json.loads(html.unescape(card[1])))
    except (OSError, ValueError, TypeError):
        return None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
