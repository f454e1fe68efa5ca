"""The page of the scoreboard: our best of each experiment against the library."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from markupsafe import Markup

from exp_core.book.card import Card
from exp_core.book.contents import Chapter, Contents
from exp_core.book.tables import Cell, Table
from exp_core.report.units import factor, spread

Cards = Mapping[Chapter, Card]


def scoreboard(contents: Contents, cards: Cards) -> dict[str, object]:
    """Per experiment, our best against the library."""
    known = [(chapter, cards[chapter]) for chapter in contents.chapters if cards[chapter].run is not None]
    reach = max((abs(math.log(card.ratio)) for _, card in known if card.ratio), default=1.0) or 1.0
    rows = tuple(scored(chapter, card, reach) for chapter, card in known)
    columns = (
        ("experiment", ""), ("× library", "n"), ("95 %", "n"), ("slower ← → faster", "bar"), ("of limit", "n"),
        ("our best", ""), ("package", ""),
    )  # fmt: skip
    words = "" if rows else "Nothing was measured yet; python -m maths_exp all climbs every ladder."
    return {
        "title": "Scoreboard",
        "subtitle": "Our fastest right implementation of each experiment against the library that one would pick "
        "instead, on the ordinary problem. Above 1, ours is the faster; what has no colour is not decided.",
        "figures": [(text, f"the library, {name}") for name, text in means(contents, cards)],
        "tables": [Table("Every experiment", columns, rows, words, sortable=True)],
    }


def scored(chapter: Chapter, card: Card, reach: float) -> tuple[Cell, ...]:
    """One line of the scoreboard."""
    interval = spread((card.low, card.high)) if card.low is not None and card.high is not None else ""
    shown = Markup('<span class="{}">{}</span>').format(card.verdict, card.ratio_text) if card.ratio else ""
    wrong = Markup('<span class="slower">{}</span>').format(card.state) if card.wrong else card.best or card.state
    return (
        Cell(chapter.entry.name, chapter.entry.name, address=chapter.page),
        Cell(shown, card.ratio),
        Cell(interval),
        Cell(lever(card, reach) if card.ratio else ""),
        Cell(card.limit_text, card.limit),
        Cell(wrong, card.best),
        Cell(chapter.command, chapter.command),
    )


def lever(card: Card, reach: float) -> Markup:
    """A bar from 1, to the right where ours is faster, on a logarithmic axis."""
    part = 50 * math.log(card.ratio or 1.0) / reach
    return Markup(
        '<svg class="lever" aria-hidden="true" focusable="false"><line x1="50%" x2="50%" y1="0" y2="100%"/>'
        '<rect class="{}" x="{:.2f}%" width="{:.2f}%" y="25%" height="50%"/></svg>'
    ).format(card.verdict, min(50.0, 50 + part), abs(part))


def means(contents: Contents, cards: Cards) -> Iterator[tuple[str, str]]:
    """The geometric mean of the ratios, by command."""
    for command in contents.commands:
        ratios = [c.ratio for chapter, c in cards.items() if chapter.command == command and c.ratio]
        if ratios:
            mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
            yield f"{command}, geometric mean of {len(ratios)}", factor(mean)
