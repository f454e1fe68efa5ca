"""A sweep as a piece of HTML for a notebook: times by size, the laws, and who overtakes whom; in the ladder's look."""

from __future__ import annotations

from exp_core.report.html import ladder_css
from exp_core.report.html_words import text, words_table
from exp_core.report.scaling import all_sizes, cells_of, crossover_lines, law_rows, remarks, representative
from exp_core.scaling import Slice, Sweep

LAWS = ("", "sizes", "law", "exponent (95 %)", "fit", "scatter")
MOST_SIZES = 12  # columns of times


def sweep_html(sweep: Sweep) -> str:
    """The tables of the slices that stand for all.  Every text of the sweep is escaped."""
    held = [f"{name} = {size:g}" for name, size in sweep.fixed.items()]
    given = " · ".join((sweep.problem, *held, sweep.dtype, f"seed {sweep.seed}"))
    said = [*remarks(sweep), *(["interrupted: these points were finished by then"] if sweep.interrupted else [])]
    notes = "".join(f"<li>{text(line)}</li>" for line in said)
    parts = "".join(_slice(part) for part in representative(sweep))
    return (
        f'<div class="exp-ladder"><style>{ladder_css()}</style><p><b>{text(sweep.title)}</b> '
        f'<small>{text(given)}</small></p>{parts}<ul class="exp-notes">{notes}</ul></div>'
    )


def _slice(part: Slice) -> str:
    sizes = all_sizes(part)
    if len(sizes) > MOST_SIZES:
        sizes = [sizes[round(i * (len(sizes) - 1) / (MOST_SIZES - 1))] for i in range(MOST_SIZES)]
    times = words_table(
        "sweep", (part.title, *(f"{n:g}" for n in sizes)), [(c.name, *cells_of(c, sizes)) for c in part.curves]
    )
    laws = words_table("sweep", LAWS, [row for c in part.curves if c.sizes for row in law_rows(c, part.axis)])
    lines = "".join(f"<li>{text(line)}</li>" for line in (*crossover_lines(part), *filter(None, [part.note])))
    return f'{times}{laws}<ul class="exp-notes">{lines}</ul>'
