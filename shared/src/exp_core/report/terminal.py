"""A result, the scoreboard and plain facts, printed for people."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from exp_core.report.console import one_line, plain_table
from exp_core.report.ladder_table import ladder_table, mark
from exp_core.report.units import factor, percent, spread
from exp_core.report.words import how_timed, noise_told
from exp_core.results import Result
from exp_core.scoreboard import Scoreboard


def print_result(result: Result, out: Console, *, verbose: bool = False) -> None:
    """The ladder's table, and under it a line for every row that needs words."""
    out.print(one_line(result.title, "bold"), soft_wrap=True)
    given = (result.problem, result.sizes_text, result.dtype, f"seed {result.seed}", result.cluster)
    out.print("   ".join(filter(None, given)), style="dim", soft_wrap=True)
    out.print(ladder_table(result, out.width, verbose))
    for row in result.rows:
        if row.reason:
            sign, style = mark(row)
            sentence, *lines = row.reason.splitlines()
            out.print(Text(f" {sign} ", style=style) + one_line(f"{result.label(row)}: {sentence}"), soft_wrap=True)
            for line in lines:  # of the asker's own, which it speaks of
                out.print(one_line(f"   {line}"), soft_wrap=True)
    if verbose:
        for row in result.rows:
            for check in row.checks:
                law = f"   {result.label(row)}, {check.law}: {check.error:.3g} ≤ {check.bound:.3g}"
                out.print(one_line(law.replace("≤", "≤" if check.holds else ">"), "dim"), soft_wrap=True)
        for row in result.rows:
            if row.race:
                out.print(one_line(f"   {result.label(row)}: {how_timed(row, row.race)}", "dim"), soft_wrap=True)
    for note in result.notes:
        out.print(one_line(f" {note}", "yellow"), soft_wrap=True)
    if floor := noise_told(result):
        out.print(f" {floor}", style="dim", soft_wrap=True)
    for note in result.limit_notes:
        out.print(one_line(f" {note}", "yellow"), soft_wrap=True)
    if result.interrupted:
        out.print(" interrupted: the table holds what was known by then", style="yellow", soft_wrap=True)


def print_scoreboard(board: Scoreboard, out: Console) -> None:
    """Per experiment, our best against the library; the geometric mean last."""
    table = plain_table()
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
