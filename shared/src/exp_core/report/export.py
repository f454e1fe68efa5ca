"""A result as JSON, CSV or Markdown.  Files are written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from exp_core.catalogue import printable
from exp_core.report import units
from exp_core.results import Result
from exp_core.row import Row
from exp_core.scoreboard import Scoreboard

COLUMNS = (
    "experiment", "package", "problem", "sizes", "dtype", "seed", "noise_floor", "name", "rung", "device", "threads",
    "status", "reason", "error", "bound", "first_call_s", "median_s", "ci95_low", "ci95_high", "ratio_to_library",
    "ratio_low", "ratio_high", "flops", "bytes", "limit_s", "fraction_of_limit", "fraction_low", "fraction_high",
    "peak_memory_bytes",
    "memory_seen", "verdict", "pays_off_after", "samples", "calls", "warm_up_calls", "outliers", "isolated_s",
    "busy_cores", "in_flight_s", "cold_s", "processes", "foreign_cores",
)  # fmt: skip


def schema() -> dict[str, object]:
    """The JSON schema of what ``--json`` writes: one result, or a list of them and the scoreboard."""
    loaded: dict[str, object] = json.loads(files("exp_core.report").joinpath("schema.json").read_text(encoding="utf-8"))
    return loaded


def to_json(results: Sequence[Result], board: Scoreboard | None = None) -> str:
    """One result as an object; with a scoreboard, a list of results whose last item is ``{"scoreboard": {...}}``."""
    document: object = results[0].to_dict() if board is None else None
    if board is not None:
        document = [*(result.to_dict() for result in results), {"scoreboard": board.to_dict()}]
    return dumps(document)


def dumps(document: object) -> str:
    """JSON as all reports write it; NaN and infinity, which JSON does not have, raise ValueError."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if _encodable(text):
        return text
    return json.dumps(document, indent=2, allow_nan=False) + "\n"  # a file's name may hold bytes that are no text


def to_csv(results: Sequence[Result]) -> str:
    """One line a row, one header; unknown values are empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for result in results:
        for row in result.rows:
            cells = record(result, row)
            writer.writerow({name: printable(cell) if isinstance(cell, str) else cell for name, cell in cells.items()})
    return text.getvalue()


def record(result: Result, row: Row) -> dict[str, object]:
    """A row with what is said of its run: one plain value for each of COLUMNS, None where it is not known."""
    found = result.to_dict() | row.to_dict() | (row.race.to_dict() if row.race else {})
    found["sizes"] = result.sizes_text
    if row.race:
        found |= {"samples": len(row.race.samples), "outliers": sum(row.race.outliers.values())}
    found["ci95_low"], found["ci95_high"] = row.ci95 or (None, None)
    found["ratio_low"], found["ratio_high"] = row.ratio_ci95 or (None, None)
    found["fraction_low"], found["fraction_high"] = row.fraction_ci95 or (None, None)
    return {name: found.get(name) for name in COLUMNS}


def to_markdown(results: Sequence[Result], board: Scoreboard | None = None) -> str:
    """A heading and a table a result; the scoreboard last."""
    parts = [_markdown(result) for result in results]
    if board is not None:
        lines = ["## Scoreboard", "", "| experiment | our best | × library | of limit |", "|---|---|--:|--:|"]
        for score in board.scores:
            cells = (
                _cell(score.experiment),
                _cell(score.best or "–"),
                units.factor(score.ratio),
                units.percent(score.fraction_of_limit),
            )
            lines.append(f"| {' | '.join(cells)} |")
        mean = units.factor(board.geometric_mean)
        parts.append("\n".join([*lines, "", f"Geometric mean: {mean} the library.", ""]))
    return "\n".join(parts)


def write(path: Path, content: str | bytes) -> None:
    """Write a file through a temporary neighbour: a full disk or a kill leaves no half of it.  Raises OSError.

    What is there and is no ordinary file (a device, a named pipe) is written to as it stands.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name[:40], suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _markdown(result: Result) -> str:
    lines = [
        f"## {_cell(result.title)}",
        "",
        _cell(f"`{result.experiment}` on {result.problem} ({result.sizes_text}), {result.dtype}, seed {result.seed}"),
        "",
        "| implementation | rung | device | status | time | × library | error | bound | of limit |",
        "|---|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for row in result.rows:
        worst = row.worst
        cells = (
            f"`{_cell(row.name)}`",
            row.rung,
            row.device,
            row.status if not row.reason else f"{row.status}: {_cell(row.reason)}",
            units.duration(row.median_s),
            units.factor(row.ratio_to_library),
            units.scientific(worst.error) if worst else "–",
            units.scientific(worst.bound) if worst else "–",
            units.percent(row.fraction_of_limit),
        )
        lines.append(f"| {' | '.join(cells)} |")
    said = [line for note in result.notes for line in ("", _cell(note))]
    return "\n".join([*lines, *said, ""])


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _cell(text: str) -> str:
    """Text of others that can neither break out of a table's cell nor be taken for HTML."""
    return (
        printable(text)
        .replace("&", "&amp;")
        .replace("\\", "\\\\")
        .replace("|", "\\|")
        .replace("<", "&lt;")
        .replace("\n", " ")
    )
