"""A comparison of bare functions as a piece of HTML for a notebook; in the ladder's look."""

from __future__ import annotations

from exp_core.report.html import ladder_css
from exp_core.report.html_words import text, words_table
from exp_core.timing.result import Comparison
from exp_core.timing.shown import HEADINGS, notes, rows
from exp_core.timing.table import used


def comparison_html(comparison: Comparison) -> str:
    """The table of ``print(comparison)`` with what there is to say about it below.  Every text is escaped."""
    lines = rows(comparison)
    columns = used(lines, len(HEADINGS))
    table = words_table("comparison", [HEADINGS[c] for c in columns], [[line[c] for c in columns] for line in lines])
    said = "".join(f"<li>{text(note)}</li>" for note in notes(comparison))
    return f'<div class="exp-ladder"><style>{ladder_css()}</style>{table}<ul class="exp-notes">{said}</ul></div>'
