"""The times of a ladder as bars on one logarithmic axis, drawn in SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from exp_core.row import Row
from exp_core.timing.intervals import tells


@dataclass(frozen=True, slots=True)
class Scale:
    """A logarithmic axis in percent of its width, from half the shortest time or limit to the longest time."""

    low: float
    high: float

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Scale:
        """The axis that holds these rows; any axis will do where nothing was timed."""
        times = [time for row in rows if row.median_s for time in (row.median_s, row.limit_s, *_whisker(row)) if time]
        times = [time for time in times if time > 0 and math.isfinite(time)] or [1.0]
        return cls(math.log(min(times) / 2), math.log(max(times)))

    def place(self, seconds: float) -> float:
        """Where a time stands."""
        if not seconds > 0:
            return 0.0
        return 100 * min(max((math.log(seconds) - self.low) / (self.high - self.low), 0.0), 1.0)


def _whisker(row: Row) -> tuple[float, float] | tuple[()]:
    """The interval of its time, where that says anything."""
    return row.ci95 if row.ci95 and tells(row.ci95) else ()


def bar(row: Row, scale: Scale) -> str:
    """The time as a bar in its rung's colour, its interval as a whisker, the hardware's limit as a tick."""
    if not row.median_s:
        return ""
    parts = [f'<rect class="exp-fill" y="20%" width="{scale.place(row.median_s):.2f}%" height="60%" rx="2"/>']
    if whisker := _whisker(row):
        low, high = map(scale.place, whisker)
        parts.append(f'<line class="exp-whisker" x1="{low:.2f}%" x2="{high:.2f}%" y1="50%" y2="50%"/>')
        parts += [
            f'<line class="exp-whisker" x1="{end:.2f}%" x2="{end:.2f}%" y1="34%" y2="66%"/>' for end in (low, high)
        ]
    if row.limit_s:
        at = scale.place(row.limit_s)
        parts.append(f'<line class="exp-tick" x1="{at:.2f}%" x2="{at:.2f}%" y1="0" y2="100%"/>')
    return f'<svg class="exp-bar {rung_class(row)}" aria-hidden="true" focusable="false">{"".join(parts)}</svg>'


def rung_class(row: Row) -> str:
    """The class that gives a row the colour of its rung."""
    return f"exp-rung-{row.rung}" if row.rung.isalpha() else ""
