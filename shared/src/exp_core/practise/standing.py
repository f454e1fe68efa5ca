"""Where somebody stands on a ladder, in words."""

from __future__ import annotations

from exp_core.results import Result
from exp_core.row import Row


def standing(result: Result, command: str) -> list[str]:
    """How many of the others the user's row is faster than, and who is next; empty if it was not timed."""
    yours = next((row for row in result.rows if row.rung == "yours"), None)
    if yours is None or yours.median_s is None:
        return []
    others = [row for row in result.rows if row.status == "ok" and row.median_s is not None and row is not yours]
    if not others:
        return []
    floor = 1 + (result.noise_floor or 0.0)
    slower = [row for row in others if _ratio(yours, row) > floor]
    faster = sorted((row for row in others if _ratio(row, yours) > floor), key=lambda row: row.median_s or 0.0)
    alike = [row for row in others if row not in slower and row not in faster]
    said = f"faster than {len(slower)} of {len(others)}"
    if alike:
        said += f", as fast as {' and '.join(row.name for row in alike)}"
    if not faster:
        return [f"{said}: nobody here is faster"]
    lines = [said]
    ours = next((row for row in faster if row.rung != "library"), faster[0])
    for row in (ours,) if ours is faster[-1] else (faster[-1], ours):
        lines.append(f"{row.name} ({row.rung}) is {_times(_ratio(row, yours))} faster: what does it do differently?")
        lines.append(f"  {command} {result.experiment} --source {row.name}")
    return lines


def _ratio(one: Row, other: Row) -> float:
    """How many times faster one is than the other."""
    assert one.median_s and other.median_s
    return other.median_s / one.median_s


def _times(ratio: float) -> str:
    return f"{ratio:.0f} times" if ratio >= 10 else f"{ratio:.1f} times" if ratio >= 1.5 else f"{ratio:.2f} times"
