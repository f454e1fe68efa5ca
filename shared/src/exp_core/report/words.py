"""A row and a result in one line of words."""

from __future__ import annotations

from collections import Counter

from exp_core.raced import Raced
from exp_core.report.units import duration, factor, percent, percents, scientific
from exp_core.results import Result
from exp_core.row import Row

WORDS = {"ok": "right", "impossible": "faster than its limit"}


def row_words(row: Row) -> str:
    """``householder: right, 1.05 s, 0.035× the library, error 2.6e-15 ≤ 5.3e-11, 0.33% of the limit``."""
    said = [WORDS.get(row.status, row.status)]
    if row.median_s is not None:
        said.append(duration(row.median_s))
    if row.ratio_to_library is not None:
        said.append(f"{factor(row.ratio_to_library)} the library")
    if worst := row.worst:
        said.append(f"error {scientific(worst.error)} {'≤' if worst.holds else '>'} {scientific(worst.bound)}")
    if row.fraction_of_limit is not None:
        interval = f" ({percents(row.fraction_ci95)})" if row.fraction_ci95 else ""
        said.append(f"{percent(row.fraction_of_limit)}{interval} of the limit")
    device = "" if row.device == "cpu" else f" on {row.device}"
    reason = f" ({row.reason})" if row.reason else ""
    return f"{row.name}{device}: {', '.join(said)}{reason}"


def result_words(result: Result) -> str:
    """``qr, gaussian, rows = 512, cols = 32, float64: 9 right, 1 skipped; best: tsqr, 1.1 ms, 4.4× the library``."""
    counts = Counter(WORDS.get(row.status, row.status) for row in result.rows)
    told = f"{', '.join(f'{count} {word}' for word, count in counts.items())}"
    if best := result.best:
        told += f"; best: {best.name}, {duration(best.median_s)}"
        if best.ratio_to_library is not None:
            told += f", {factor(best.ratio_to_library)} the library"
    if result.interrupted:
        told += "; interrupted"
    about = ", ".join(filter(None, (result.experiment, result.problem, result.sizes_text, result.dtype)))
    return f"{about}: {told}"


def how_timed(row: Row, race: Raced) -> str:
    """How a time came about, in words: for who wants to know."""
    outliers = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in race.outliers.items() if count)
    said = [
        f"{race.verdict} than the library" if race.verdict in ("faster", "slower") else race.verdict or "",
        f"{len(race.samples)} samples of {_calls(race.calls)} after {_calls(race.warm_up_calls)} of warm-up",
        f"outliers: {outliers}" if outliers else "no outliers",
        f"{duration(race.isolated_s)} alone" if race.isolated_s else "",
        f"{race.busy_cores:.1f} cores busy" if race.busy_cores is not None else "",
        f"pays off after {_calls(race.pays_off_after)} against {race.pays_off_against}" if race.pays_off_after else "",
        f"memory of {row.memory_seen}" if row.memory_seen else "",
    ]
    return "; ".join(filter(None, said))


def noise_told(result: Result) -> str:
    """How small a gap ranks nobody; empty where nothing was timed."""
    if not any(row.median_s for row in result.rows):
        return ""
    if result.noise_floor is None:
        return "too few rounds to rank anybody; a longer budget would tell"
    return f"gaps under {result.noise_floor:.1%} are noise here and rank nobody"


def _calls(count: float | None) -> str:
    return "–" if count is None else f"{count:,.0f} call{'' if count == 1 else 's'}"
