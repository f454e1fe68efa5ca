"""A result as a table for people; plain text where no terminal is."""

from __future__ import annotations

import io
import math
import shutil
from collections.abc import Callable, Iterable
from typing import Literal

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from exp_core.catalogue import printable
from exp_core.raced import Raced
from exp_core.results import Result, Row, Scoreboard
from exp_core.timing.intervals import tells

PLAIN_WIDTH = 200  # columns where the output is no terminal: nothing is folded, nothing is cut
MARKS = {
    "ok": ("✓", "green"),
    "wrong": ("✗", "bold red"),
    "unstable": ("~", "yellow"),
    "failed": ("!", "bold red"),
    "impossible": ("?", "bold magenta"),
}
VERDICTS = {"faster": "bold green", "slower": "red"}
CONDITIONS = ("in flight", "cold")  # that were not asked for, or make no sense here, in most runs
Justify = Literal["left", "right"]


class Output(Console):
    """A console for words of others: no markup and no control character in them is obeyed, whoever prints them."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is printed, its control characters blanks; rich's own (colours, the cursor) are no part of the text."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)

    def on_broken_pipe(self) -> None:
        """Nobody reads any more: the command line says what that means."""
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console that neither folds nor colours what is piped."""
    out = Output(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not out.is_terminal:
        out = Output(stderr=stderr, highlight=False, markup=False, emoji=False, width=PLAIN_WIDTH, no_color=True)
    return out


def as_text(show: Callable[[Console], None]) -> str:
    """What is printed, as plain text as wide as the terminal."""
    out = io.StringIO()
    width = shutil.get_terminal_size((110, 24)).columns
    show(Output(file=out, highlight=False, no_color=True, width=width, force_terminal=False, force_jupyter=False))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def print_result(result: Result, out: Console, *, verbose: bool = False) -> None:
    """The ladder's table, and under it a line for every row that needs words."""
    out.print(_text(result.title, "bold"), soft_wrap=True)
    given = (result.problem, result.sizes_text, result.dtype, f"seed {result.seed}", result.cluster)
    out.print("   ".join(filter(None, given)), style="dim", soft_wrap=True)
    out.print(_ladder_table(result, out.width, verbose))
    for row in result.rows:
        if row.reason:
            mark, style = _mark(row)
            sentence, *lines = row.reason.splitlines()
            out.print(Text(f" {mark} ", style=style) + _text(f"{result.label(row)}: {sentence}"), soft_wrap=True)
            for line in lines:  # of the asker's own, which it speaks of
                out.print(_text(f"   {line}"), soft_wrap=True)
    if verbose:
        for row in result.rows:
            for check in row.checks:
                law = f"   {result.label(row)}, {check.law}: {check.error:.3g} ≤ {check.bound:.3g}"
                out.print(_text(law.replace("≤", "≤" if check.holds else ">"), "dim"), soft_wrap=True)
        for row in result.rows:
            if row.race:
                out.print(_text(f"   {result.label(row)}: {_how(row, row.race)}", "dim"), soft_wrap=True)
    for note in result.notes:
        out.print(_text(f" {note}", "yellow"), soft_wrap=True)
    if floor := noise_told(result):
        out.print(f" {floor}", style="dim", soft_wrap=True)
    for note in result.limit_notes:
        out.print(_text(f" {note}", "yellow"), soft_wrap=True)
    if result.interrupted:
        out.print(" interrupted: the table holds what was known by then", style="yellow", soft_wrap=True)


def print_scoreboard(board: Scoreboard, out: Console) -> None:
    """Per experiment, our best against the library; the geometric mean last."""
    table = _table()
    table.add_column("experiment")
    table.add_column("our best")
    for title in ("× library", "95 %", "of limit"):
        table.add_column(title, justify="right")
    for score in board.scores:
        wrong = Text(f"wrong: {', '.join(score.wrong)}", style="bold red") if score.wrong else None
        table.add_row(
            score.experiment,
            wrong or score.best or "–",
            factor(score.ratio),
            spread(score.ratio_ci95),
            percent(score.fraction_of_limit),
        )
    out.print(Text("Scoreboard", style="bold"))
    out.print(table)
    mean = board.geometric_mean
    if mean is not None:
        out.print(
            f" geometric mean of {sum(s.ratio is not None for s in board.scores)} ratios: {factor(mean)} the library"
        )


def print_facts(facts: Iterable[tuple[str, str]], out: Console) -> None:
    """Names and values, aligned."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(name, Text(value))
    out.print(table)


def _ladder_table(result: Result, width: int, verbose: bool) -> Table:
    """Columns in order of their worth: a narrow terminal loses the last ones, never the sense of a cell."""
    rows = result.rows
    devices = {row.device for row in rows}
    figures = list(dict.fromkeys(name for row in rows for name in row.figures))
    table = _table()
    columns: list[tuple[str, Justify, list[Text], int]] = [
        ("", "left", [Text(*_mark(row)) for row in rows], 0),
        ("implementation", "left", [_text(row.name, _style(row)) for row in rows], 0),
        ("time", "right", [Text(duration(row.median_s)) for row in rows], 0),
        ("× library", "right", [_ratio(row) for row in rows], 0),
        ("error", "right", [Text(scientific(row.worst.error) if row.worst else "–") for row in rows], 1),
        ("bound", "right", [Text(f"≤ {scientific(row.worst.bound)}" if row.worst else "–") for row in rows], 1),
        ("of limit", "right", [_of_limit(row) for row in rows], 2),
        ("rung", "left", [Text(row.rung, style="dim") for row in rows], 3),
        ("95 %", "right", [Text(spread(row.ratio_ci95), style="dim") for row in rows], 5),
        ("rate", "right", [Text(rate(row)) for row in rows], 4),
        ("first call", "right", [Text(duration(row.first_call_s), style="dim") for row in rows], 6),
        ("memory", "right", [Text(size(row.peak_memory_bytes), style="dim") for row in rows], 8),
        ("in flight", "right", [Text(duration(_of(row).in_flight_s)) for row in rows], 3),
        ("cold", "right", [Text(duration(_of(row).cold_s)) for row in rows], 3),
    ]
    if len(devices) > 1 or devices != {"cpu"}:
        columns.insert(2, ("device", "left", [Text(_device(row)) for row in rows], 0))
    columns += [(name, "right", [Text(_figure(row.figures.get(name))) for row in rows], 7) for name in figures]
    columns = [
        column
        for column in columns
        if (verbose and column[0] not in CONDITIONS) or any(cell.plain not in ("–", "") for cell in column[2])
    ]
    while 1 + sum(_width(column) for column in columns) > width and max(column[3] for column in columns) > 0:
        columns.remove(max(columns, key=lambda column: column[3]))
    for title, justify, _, _ in columns:
        table.add_column(title, justify=justify, no_wrap=True, overflow="ellipsis")
    for cells in zip(*(cells for _, _, cells, _ in columns), strict=True):
        table.add_row(*cells)
    return table


def _device(row: Row) -> str:
    return f"{row.device}, emulated" if row.emulated else row.device


def _how(row: Row, race: Raced) -> str:
    """How a time came about, in words: for who wants to know."""
    outliers = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in race.outliers.items() if count)
    said = [
        f"{race.verdict} than the library" if race.verdict in VERDICTS else race.verdict or "",
        f"{len(race.samples)} samples of {_calls(race.calls)} after {_calls(race.warm_up_calls)} of warm-up",
        f"outliers: {outliers}" if outliers else "no outliers",
        f"{duration(race.isolated_s)} alone" if race.isolated_s else "",
        f"{race.busy_cores:.1f} cores busy" if race.busy_cores is not None else "",
        f"pays off after {_calls(race.pays_off_after)} against {race.pays_off_against}" if race.pays_off_after else "",
        f"memory of {row.memory_seen}" if row.memory_seen else "",
    ]
    return "; ".join(filter(None, said))


def _of(row: Row) -> Raced:
    return row.race or Raced()


def _calls(count: float | None) -> str:
    return "–" if count is None else f"{count:,.0f} call{'' if count == 1 else 's'}"


def _text(words: str, style: str = "") -> Text:
    """Words of others on one line: neither markup nor control characters are obeyed."""
    return Text(printable(words).replace("\n", " "), style=style)


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")


def _width(column: tuple[str, Justify, list[Text], int]) -> int:
    return max(len(column[0]), *(cell.cell_len for cell in column[2])) + 3  # a blank on both sides and one between


def _mark(row: Row) -> tuple[str, str]:
    return MARKS.get(row.status, ("–", "dim"))


def _style(row: Row) -> str:
    return {"ok": "", "skipped": "dim"}.get(row.status, MARKS.get(row.status, ("", ""))[1])


def _of_limit(row: Row) -> Text:
    """The fraction; more than all of it stands out, since it cannot be."""
    return Text(percent(row.fraction_of_limit), style=MARKS["impossible"][1] if row.status == "impossible" else "")


def _ratio(row: Row) -> Text:
    """Green where the verdict is faster, red where it is slower, plain where nobody knows or both are alike."""
    text = Text(factor(row.ratio_to_library))
    verdict = _of(row).verdict
    if verdict in VERDICTS:
        text.stylize(VERDICTS[verdict])
    return text


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
        return f"{row.flops / row.median_s / 1e9:.3g} Gflop/s"
    return f"{row.bytes / row.median_s / 1e9:.3g} GB/s"


def noise_told(result: Result) -> str:
    """How small a gap ranks nobody; empty where nothing was timed."""
    if not any(row.median_s for row in result.rows):
        return ""
    if result.noise_floor is None:
        return "too few rounds to rank anybody; a longer budget would tell"
    return f"gaps under {result.noise_floor:.1%} are noise here and rank nobody"


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


def scientific(value: float) -> str:
    """Two digits; zero is 0."""
    return "0" if value == 0 else f"{value:.1e}"


def _figure(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:,.4g}" if value < 1e6 else f"{value:.3g}"
