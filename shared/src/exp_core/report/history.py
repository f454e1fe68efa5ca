"""The history for people: what is stored, an experiment over time, and what changed between two runs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from exp_core.history.comparison import Change, Changes
from exp_core.history.queries import Held
from exp_core.history.run import Configuration
from exp_core.history.series import Mark, Series, configuration_text
from exp_core.report import units
from exp_core.report.console import one_line, plain_table

COLUMNS = ("implementation", "run", "date", "revision", "time", "× library", "95 %", "machine", "step")
WORTH_LEAST = ("95 %", "machine", "revision", "time", "date")  # on a narrow terminal, in this order
STYLES = {"faster": "bold green", "slower": "bold red", "equivalent": "", "undecided": "dim"}


def print_held(found: Sequence[Held], out: Console) -> None:
    """A line an experiment."""
    table = _table("experiment", "runs", "last", "date of the last", "first", "machines")
    for each in found:
        table.add_row(
            one_line(each.experiment), str(each.runs), f"#{each.last_id}", _date(each.last), _date(each.first),
            str(each.machines),
        )  # fmt: skip
    out.print(table)


def print_history(found: Sequence[Series], limit: int, out: Console, all_of_it: str = "runs has all") -> None:
    """For each configuration a table: every implementation's newest runs, and where its ratio took a step.

    all_of_it: where the runs are that are not printed; ``{runs}`` in it stands for how many there are.
    """
    configurations = list(dict.fromkeys(one.configuration for one in found))
    for configuration in configurations:
        _print_configuration(
            configuration, [one for one in found if one.configuration == configuration], limit, out, all_of_it
        )


def _print_configuration(
    configuration: Configuration, found: Sequence[Series], limit: int, out: Console, all_of_it: str
) -> None:
    runs = {point.run: point for one in found for point in one.points}
    shown = sorted(runs, key=lambda run: (runs[run].created_at, run))[-limit:]
    several = len({point.machine for point in runs.values()}) > 1
    out.print(Text(configuration_text(configuration), style="bold"), soft_wrap=True)
    cells = [
        (
            one_line(one.name if one.device == "cpu" else f"{one.name} on {one.device}"),
            Text(f"#{point.run}"),
            Text(_date(point.created_at)),
            Text(_revision(point.revision, point.dirty)),
            Text(units.duration(point.median_s) if point.status == "ok" else point.status),
            Text(units.factor(point.ratio)),
            Text(units.spread(point.ratio_ci95)),
            Text(point.machine),
            _step(one.mark(point.run)),
        )
        for one in found
        for point in one.points
        if point.run in shown
    ]
    leave = [*(["machine"] if not several else []), *(["step"] if not any(row[-1].plain for row in cells) else [])]
    out.print(_fitted(COLUMNS, cells, leave, out.width))
    if hidden := len(runs) - len(shown):
        out.print(f" {hidden} earlier run{'s' if hidden > 1 else ''} not shown: {all_of_it.format(runs=len(runs))}",
                  style="dim", soft_wrap=True)  # fmt: skip


def _fitted(titles: Sequence[str], cells: Sequence[Sequence[Text]], leave: Sequence[str], width: int) -> Table:
    """A table of the columns that have room, those in ``WORTH_LEAST`` going first: no cell is ever cut."""
    columns = {title: [row[place] for row in cells] for place, title in enumerate(titles) if title not in leave}
    for title in WORTH_LEAST:
        if 1 + sum(max(len(name), *(c.cell_len for c in column)) + 3 for name, column in columns.items()) <= width:
            break
        columns.pop(title, None)
    table = _table(*columns)
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    return table


def _step(mark: Mark | None) -> Text:
    return Text(mark.text, style="green" if mark.step.factor > 1 else "red") if mark else Text()


def print_changes(found: Changes, out: Console) -> None:
    """Every implementation then and now, and what follows."""
    result = found.after
    title = (result.experiment, result.problem, result.sizes_text, result.dtype)
    out.print(one_line("   ".join(title), "bold"), soft_wrap=True)
    table = _table("implementation", "before", "after", f"change in {found.by}", "95 %", "verdict")
    for change in found.rows:
        table.add_row(
            one_line(change.name if change.device == "cpu" else f"{change.name} on {change.device}"),
            _measure(change.before.median_s, change.before.ratio_to_library, found.by),
            _measure(change.after.median_s, change.after.ratio_to_library, found.by),
            f"{change.ratio:.3f}×" if change.ratio else "–",
            units.spread(change.ci95),
            Text(_verdict(change), style="bold red" if change.regression else STYLES[change.verdict]),
        )
    out.print(table)
    for change in found.rows:
        if change.reason:
            out.print(one_line(f" {change.name}: {change.reason}"), soft_wrap=True)
    for note in found.notes:
        out.print(one_line(f" {note}", "dim"), soft_wrap=True)


def _verdict(change: Change) -> str:
    return f"{change.verdict}, a regression" if change.verdict == "slower" and change.regression else change.verdict


def _measure(seconds: float | None, ratio: float | None, by: str) -> str:
    return units.duration(seconds) if by == "time" else units.factor(ratio)


def _table(*titles: str) -> Table:

    table = plain_table()
    for title in titles:
        numeric = title in ("runs", "time", "× library", "95 %", "before", "after", "machines", "run")
        table.add_column(title, justify="right" if numeric else "left", no_wrap=True)
    return table


def _date(created_at: str) -> str:
    """To the minute, in UTC as it is stored: runs of several machines share a clock."""
    return created_at[:16].replace("T", " ")


def _revision(revision: str | None, dirty: int | None) -> str:
    """Seven digits; a plus where the sources were changed."""
    return "–" if revision is None else revision[:7] + ("+" if dirty else "")
