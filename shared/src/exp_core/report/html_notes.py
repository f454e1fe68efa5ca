"""What stands under a ladder in HTML: why a row is not simply right, and every law of every row."""

from __future__ import annotations

from exp_core.report.html_words import text
from exp_core.report.units import scientific
from exp_core.report.words import noise_told
from exp_core.results import Result
from exp_core.row import Row


def said(result: Result) -> str:
    """Under the table: why a row is not simply right, and what has to be known to read the numbers."""
    lines = [f"<b>{text(result.label(row))}</b> {_reason(row)}" for row in result.rows if row.reason]
    notes = [*result.notes, *result.limit_notes]
    if floor := noise_told(result):
        notes.append(floor)
    if result.interrupted:
        notes.append("interrupted: the table holds what was known by then")
    if any(row.median_s for row in result.rows):
        tick = "; the tick is the hardware's limit" if any(row.limit_s and row.median_s for row in result.rows) else ""
        notes.append(f"bars: time a call on a logarithmic axis, with its 95% interval{tick}")
    items = "".join(f"<li>{line}</li>" for line in [*lines, *map(text, notes)])
    return f'<ul class="exp-notes">{items}</ul>' if items else ""


def _reason(row: Row) -> str:
    """The sentence, and below it the asker's lines that it speaks of."""
    sentence, *lines = row.reason.splitlines()
    return "<br>".join([text(sentence), *(f"<code>{text(line)}</code>" for line in lines)])


def laws(result: Result) -> str:
    """Every law of every row, folded away where the table shows only the one that decides."""
    if all(len(row.checks) < 2 for row in result.rows):
        return ""
    lines = "".join(
        f'<tr><th scope="row"><code>{text(result.label(row))}</code></th><td>{text(check.law)}</td>'
        f'<td class="exp-n">{scientific(check.error)}</td><td class="exp-n">{"≤" if check.holds else "&gt;"} '
        f"{scientific(check.bound)}</td></tr>"
        for row in result.rows
        for check in row.checks
    )
    head = '<th scope="col">implementation</th><th scope="col">law</th>'
    head += '<th scope="col" class="exp-n">error</th><th scope="col" class="exp-n">bound</th>'
    return (
        '<details><summary>every law</summary><div class="exp-scroll" tabindex="0" role="group" aria-label="laws">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div></details>"
    )
