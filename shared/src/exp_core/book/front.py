"""The pages around the experiments; the contents among them."""

from __future__ import annotations

from exp_core.book.card import Card
from exp_core.book.contents import Chapter, Contents
from exp_core.book.machines import machine
from exp_core.book.measured import Measured
from exp_core.book.rendering import rendered
from exp_core.book.scoreboard import Cards, means, scoreboard
from exp_core.book.stored import history
from exp_core.book.words import prose
from exp_core.report.docstring import readable

FILTERS = (
    ("all", "all"),
    ("faster", "faster than the library"),
    ("slower", "slower"),
    ("unmeasured", "not measured"),
    ("wrong", "wrong or broken"),
)


def front_pages(contents: Contents, cards: Cards, measured: Measured, command: str) -> dict[str, str]:
    """Every front page, by its name."""
    machines = list(dict.fromkeys(header.machine for headers in measured.headers.values() for header in headers[-1:]))
    shared: dict[str, object] = {"root": "", "command": command, "digest": ""}
    return {
        "index.html": rendered("index.html", here="index.html", **index(contents, cards, measured), **shared),
        "scoreboard.html": rendered("table.html", here="scoreboard.html", **scoreboard(contents, cards), **shared),
        "history.html": rendered("table.html", here="history.html", **history(contents, measured), **shared),
        "machine.html": rendered("table.html", here="machine.html", **machine(measured, machines), **shared),
    }


def index(contents: Contents, cards: Cards, measured: Measured) -> dict[str, object]:
    """The contents, by topic."""
    known = [card for card in cards.values() if card.run is not None]
    figures = [(str(len(contents.chapters)), "experiments"), (str(len(known)), "measured")]
    figures += [(text, f"the library, {name}") for name, text in means(contents, cards)]
    return {
        "figures": figures,
        "notes": [measured.note] if measured.note else [],
        "filters": FILTERS,
        "parts": [
            {
                "anchor": part.anchor,
                "title": part.topic.title,
                "command": part.command,
                "cards": [in_index(chapter, cards[chapter]) for chapter in part.chapters],
            }
            for part in contents.parts
        ],
    }


def in_index(chapter: Chapter, card: Card) -> dict[str, object]:
    """What the index shows of an experiment, and what its search looks in."""
    entry = chapter.entry
    marks = [card.verdict if card.ratio is not None else "", "wrong" if card.wrong or "cannot" in card.state else ""]
    marks.append("unmeasured" if card.run is None else "")
    words = (entry.name, readable(entry.title), chapter.topic.title, chapter.command, card.best, entry.docstring)
    return {
        "page": chapter.page,
        "name": entry.name,
        "title": prose(entry.title),
        "marks": " ".join(filter(None, marks)),
        "words": " ".join(" ".join(words).lower().replace("_", " ").split()),
        "ratio": card.ratio_text,
        "verdict": card.verdict,
        "limit": card.limit_text,
        "state": card.state,
    }
