"""Numbers for people: times, sizes, rates, factors and fractions, in as many digits as say something."""

from __future__ import annotations

import math

from exp_core.row import Row
from exp_core.timing.intervals import tells


def duration(seconds: float | None) -> str:
    """Three digits and a unit that fits; a dash for what is not known."""
    from exp_core.timing import seconds_text  # NumPy comes with it, and the list must not wait for that

    return "–" if seconds is None else seconds_text(seconds)


def size(count: float | None) -> str:
    """Bytes with a decimal unit."""
    if count is None:
        return "–"
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count:.0f} B"


def rate(row: Row) -> str:
    """Work a second: flops where there are more flops than bytes, else bytes."""
    if not row.median_s or row.flops is None or row.bytes is None or max(row.flops, row.bytes) == 0:
        return "–"
    if row.flops >= row.bytes:
        return speed(row.flops / row.median_s, "flop/s")
    return speed(row.bytes / row.median_s, "B/s")


def speed(value: float, unit: str) -> str:
    """Three digits in billions a second, so that a column has one unit; from a thousand of them on in trillions."""
    return f"{value / 1e12:.3g} T{unit}" if value >= 999.5e9 else f"{value / 1e9:.3g} G{unit}"


def factor(ratio: float | None) -> str:
    """A ratio as a factor."""
    if ratio is None or not math.isfinite(ratio):
        return "–"
    return f"{ratio:.2g}×" if ratio < 0.1 else f"{ratio:.2f}×" if ratio < 10 else f"{ratio:.0f}×"


def spread(interval: tuple[float, float] | None) -> str:
    """Both ends of a ratio's interval, if it says anything."""
    return "–" if interval is None else f"{interval[0]:.3g}–{interval[1]:.3g}" if tells(interval) else "unknown"


def percent(fraction: float | None) -> str:
    """A fraction of the limit: two digits where it is small."""
    if fraction is None:
        return "–"
    return f"{fraction:.0%}" if fraction >= 0.095 else f"{100 * fraction:.2g} %".replace(" ", "")


def percents(interval: tuple[float, float] | None) -> str:
    """Both ends of the interval of a fraction, if it says anything."""
    if interval is None:
        return "–"
    return f"{percent(interval[0]).removesuffix('%')}–{percent(interval[1])}" if tells(interval) else "unknown"


def scientific(value: float) -> str:
    """Two digits; zero is 0."""
    return "0" if value == 0 else f"{value:.1e}"
