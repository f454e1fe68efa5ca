r"""Two runs held against each other: what became faster, slower, or wrong.

The runs were made at different times, so nothing is paired: the ratio of medians must be judged from an interval of
each.  On logarithms it is a difference $\theta = a - b$, and from $(l_a, u_a)$ and $(l_b, u_b)$ follows

$$ \theta - \sqrt{(a - l_a)^2 + (u_b - b)^2} \le \log ratio \le \theta + \sqrt{(u_a - a)^2 + (b - l_b)^2}. $$

All implementations of a run are judged together at 95%: for m of them the reaches are stretched by the ratio of the
normal quantiles at $1 - 0.05/m$ and at 95%.  On one machine the times are compared.  On two, the times say what the
machines are; then the ratios to the library, each measured beside it in the same rounds, are compared instead.

A **regression** is one of ours (or the user's) that is certainly slower, by more than both runs' noise floors together
and by more than ``WITHIN``; or one that was right and is wrong now, or fails.  5% is what the place of a process's code
and data in memory may do to it for as long as it lives (``timing.hierarchy``), which the interval of a single process
cannot know.  A library that is slower is nobody's regression: then it was the machine, and the report says so.

Sources: Donner, Zou, Closed-form confidence intervals for functions of the normal mean and standard deviation, Stat.
Methods Med. Res. 21 (2012), for the interval; Dunn (1961) for the correction, as in ``timing.verdict``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

from exp_core.plain import interval, number
from exp_core.results import Result
from exp_core.row import Row
from exp_core.timing.verdict import Verdict, judge

WITHIN = 0.05
LEVEL = 0.95
WRONG = ("wrong", "failed")


@dataclass(frozen=True, slots=True)
class Change:
    """One implementation then and now: ratio > 1 means that it is faster now.  None: not known."""

    name: str
    device: str
    rung: str
    before: Row
    after: Row
    verdict: Verdict
    ratio: float | None = None
    ci95: tuple[float, float] | None = None
    reason: str = ""

    @property
    def regression(self) -> bool:
        """Slower, and not a library; or right before and wrong now."""
        broken = self.before.status == "ok" and self.after.status in WRONG
        return broken or (self.verdict == "slower" and self.rung != "library")

    def to_dict(self) -> dict[str, object]:
        """The change as JSON writes it."""
        return {
            "name": self.name,
            "device": self.device,
            "verdict": self.verdict,
            "regression": self.regression,
            "ratio": number(self.ratio),
            "ci95": interval(self.ci95),
            "before_s": number(self.before.median_s),
            "after_s": number(self.after.median_s),
            "reason": self.reason or None,
        }


@dataclass(frozen=True, slots=True)
class Changes:
    """Two runs of one configuration."""

    before: Result
    after: Result
    by: str
    rows: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    @property
    def regressions(self) -> list[Change]:
        """Those that count."""
        return [change for change in self.rows if change.regression]

    def to_dict(self) -> dict[str, object]:
        """The comparison as JSON writes it."""
        result = self.after
        return {
            "experiment": result.experiment,
            "problem": result.problem,
            "sizes": dict(result.sizes),
            "dtype": result.dtype,
            "by": self.by,
            "implementations": [change.to_dict() for change in self.rows],
            "notes": list(self.notes),
        }


def changes(before: Result, after: Result, within: float = WITHIN) -> Changes:
    """What changed between two runs, for every implementation that both have."""
    machines = {str(result.machine.get("fingerprint", "")) for result in (before, after)}
    by = "time" if len(machines) == 1 else "ratio to library"
    earlier = {(row.name, row.device): row for row in before.rows}
    pairs = [(earlier[key], row) for row in after.rows if (key := (row.name, row.device)) in earlier]
    floors = (before.noise_floor, after.noise_floor)
    floor = None if None in floors else math.prod(1 + (f or 0.0) for f in floors) - 1
    count = sum(_values(a, by) is not None and _values(b, by) is not None for a, b in pairs)
    rows = tuple(_change(a, b, by, count, floor, within) for a, b in pairs)
    return Changes(before, after, by, rows, _notes(before, after, by, rows))


def ratio_of(
    a: tuple[float, float, float], b: tuple[float, float, float], stretch: float
) -> tuple[float, float, float]:
    """The ratio a/b of two positive (value, low, high), and its interval; stretch: of the reach of both."""
    (m, low, high), (m2, low2, high2) = (tuple(map(math.log, values)) for values in (a, b))
    down, up = math.hypot(m - low, high2 - m2), math.hypot(high - m, m2 - low2)
    return math.exp(m - m2), math.exp(m - m2 - stretch * down), math.exp(m - m2 + stretch * up)


def _change(before: Row, after: Row, by: str, count: int, floor: float | None, within: float) -> Change:
    what = (after.name, after.device, after.rung, before, after)
    if before.status == "ok" and after.status in WRONG:
        return Change(*what, "undecided", reason=f"was right, and is {after.status} now: {after.reason}")
    then, now = _values(before, by), _values(after, by)
    if then is None or now is None:
        missing = "its time" if by == "time" else "its ratio to a library, and the machines differ"
        return Change(*what, "undecided", reason=f"one of the runs does not know {missing}")
    normal = NormalDist()
    stretch = normal.inv_cdf(1 - (1 - LEVEL) / (2 * count)) / normal.inv_cdf((1 + LEVEL) / 2)
    found = ratio_of(then, now, stretch) if by == "time" else ratio_of(now, then, stretch)
    verdict = judge(found, None if floor is None else max(floor, within), within, 2)
    return Change(*what, verdict, found[0], found[1:])


def _values(row: Row, by: str) -> tuple[float, float, float] | None:
    """What is compared, with its interval; None where it is not known or no positive number."""
    value, ends = (row.median_s, row.ci95) if by == "time" else (row.ratio_to_library, row.ratio_ci95)
    if not value or not ends or not 0 < ends[0] <= value <= ends[1] < math.inf:
        return None
    return value, *ends


def _notes(before: Result, after: Result, by: str, rows: tuple[Change, ...]) -> tuple[str, ...]:
    """What a reader must know before believing the verdicts."""
    notes: list[str] = []
    if by != "time":
        notes.append("the runs are of two machines: ratios to the library are compared, not times")
    elif slow := [change.name for change in rows if change.rung == "library" and change.verdict == "slower"]:
        names = " and ".join(slow)
        notes.append(f"{names}, which is not ours, took longer too: look at the machine before the code")
    then, now = (_versions(result) for result in (before, after))
    differ = [f"{name} {then[name]} → {now[name]}" for name in then if name in now and then[name] != now[name]]
    if differ:
        notes.append(f"other versions: {', '.join(differ)}")
    return tuple(notes)


def _versions(result: Result) -> Mapping[str, object]:
    found = result.machine.get("versions")
    return found if isinstance(found, Mapping) else {}
