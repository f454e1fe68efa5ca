"""The pages around the experiments: contents, scoreboard, history, machine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from exp_core.book.card import Card
from exp_core.book.contents import Chapter, Contents
from exp_core.book.measured import Measured
from exp_core.book.page import day
from exp_core.book.rendering import rendered
from exp_core.book.words import prose
from exp_core.history.queries import Header
from exp_core.machine import Peaks
from exp_core.machine.description import bytes_text
from exp_core.report.docstring import readable
from exp_core.report.machine import HOW
from exp_core.report.terminal import factor, spread

FILTERS = (
    ("all", "all"),
    ("faster", "faster than the library"),
    ("slower", "slower"),
    ("unmeasured", "not measured"),
    ("wrong", "wrong or broken"),
)
Cards = Mapping[Chapter, Card]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; value: what it is sorted by."""

    shown: str | Markup = ""
    value: float | str | None = None
    address: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a front page; columns are names with a class: n for numbers, bar for bars."""

    title: str
    columns: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    words: str = ""
    sortable: bool = False

    def sorts(self, column: int) -> bool:
        """Whether rows can be put in the order of a column."""
        return self.sortable and any(row[column].value is not None for row in self.rows)


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


def means(contents: Contents, cards: Cards) -> Iterator[tuple[str, str]]:
    """The geometric mean of the ratios, by command."""
    for command in contents.commands:
        ratios = [c.ratio for chapter, c in cards.items() if chapter.command == command and c.ratio]
        if ratios:
            mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
            yield f"{command}, geometric mean of {len(ratios)}", factor(mean)


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


def history(contents: Contents, measured: Measured) -> dict[str, object]:
    """What is stored of each experiment, and what was never measured."""
    held, never = list[tuple[Cell, ...]](), list[tuple[Cell, ...]]()
    for chapter in contents.chapters:
        headers = measured.of((chapter.entry.package, chapter.entry.name))
        name = Cell(
            chapter.entry.name, chapter.entry.name, address=f"{chapter.page}#history" if headers else chapter.page
        )
        if headers:
            held.append((name, *in_history(headers), Cell(chapter.command, chapter.command)))
        else:
            never.append((name, Cell(command=f"python -m {chapter.command} {chapter.entry.name}")))
    columns = (("experiment", ""), ("runs", "n"), ("machines", "n"), ("first", "n"), ("last", "n"), ("package", ""))
    tables = [Table("What is stored", columns, tuple(held), "" if held else "Nothing yet.", sortable=True)]
    if never:
        columns_of_never = (("experiment", ""), ("what measures it", ""))
        tables.append(Table("What was never measured", columns_of_never, tuple(never)))
    return {
        "title": "History",
        "subtitle": "Every run of a ladder is kept, with its machine and its sources.",
        "figures": [],
        "tables": tables,
    }


def in_history(headers: Sequence[Header]) -> tuple[Cell, ...]:
    """How often, on how many machines, and when an experiment was run."""
    machines = len({header.machine for header in headers})
    first, last = headers[0].created_at, headers[-1].created_at
    counts = (Cell(str(len(headers)), len(headers)), Cell(str(machines), machines))
    return (*counts, Cell(day(first), first), Cell(day(last), last))


def machine(measured: Measured, machines: Sequence[str]) -> dict[str, object]:
    """Every machine that measured something, as it was when it did so last."""
    tables = list[Table]()
    newest = {h.machine: h.id for headers in measured.headers.values() for h in headers}
    newest = {name: max(h.id for hs in measured.headers.values() for h in hs if h.machine == name) for name in newest}
    for name in sorted(machines, key=lambda each: -newest[each]):
        run = measured.run(newest[name])
        tables += machine_tables(name, run.result.machine) if run else ()
    if not tables:
        tables = [Table("No machine has measured anything yet", words="python -m maths_exp machine looks at this one.")]
    return {
        "title": "The machine that measured it",
        "subtitle": "What it is, and what it can do at best: measured, not quoted.",
        "figures": [],
        "tables": tables,
    }


def machine_tables(name: str, document: Mapping[str, object]) -> Iterator[Table]:
    """What a machine is, its arithmetic and its memory."""
    facts = tuple((Cell(key), Cell(value)) for key, value in facts_of(document))
    yield Table(f"Machine {name}", (("what", ""), ("is", "")), facts)
    limits = document.get("limits")
    if not isinstance(limits, Mapping) or not isinstance(limits.get("peaks"), Mapping):
        return
    peaks = Peaks.from_dict(limits["peaks"])
    threads = f"{peaks.threads} thread{'s' if peaks.threads > 1 else ''}"
    clock = f" at {peaks.clock_hz / 1e9:.3g} GHz" if peaks.clock_hz else ""
    rates = tuple((Cell(d), Cell(f"{rate / 1e9:.4g} Gflop/s", rate)) for d, rate in peaks.flops.items())
    how = HOW.get(peaks.method, peaks.method)
    yield Table(f"Arithmetic, {threads}{clock} ({how})", (("dtype", ""), ("at best", "n")), rates)
    operations = ("read", "copy", "triad", "in place")
    columns = (("memory", ""), ("working set", "n"), *((name, "n") for name in operations))
    levels = tuple(
        (
            Cell(level.level),
            Cell(bytes_text(level.working_set)),
            *(gigabytes(r) for r in (level.read, level.copy, level.triad, level.in_place)),
        )
        for level in peaks.levels
    )
    yield Table(f"Memory, {threads}", columns, levels)


def gigabytes(rate: float) -> Cell:
    """A bandwidth."""
    return Cell(f"{rate / 1e9:.3g} GB/s" if rate else "–", rate)


def facts_of(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """What is known of a stored machine, in words; whatever another version has stored differently is left out."""
    processor = document.get("processor")
    if isinstance(processor, Mapping):
        yield "processor", ", ".join(str(processor[k]) for k in ("model", "architecture", "simd") if processor.get(k))
        sizes = (("L1", "l1d_bytes"), ("L2", "l2_bytes"), ("L3", "l3_bytes"))
        caches = [f"{name} {bytes_text(float(processor[key]))}" for name, key in sizes if processor.get(key)]
        yield "caches", ", ".join(caches)
        yield "cores", f"{document.get('usable_cores', '?')} usable of {processor.get('logical_cores', '?')}"
    yield "system", f"{document.get('system', '')} {document.get('release', '')}".strip()
    if isinstance(memory := document.get("memory_bytes"), (int, float)):
        yield "memory", bytes_text(float(memory))
    if isinstance(versions := document.get("versions"), Mapping):
        yield "versions", ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if isinstance(libraries := document.get("blas"), list):
        named = (" ".join(str(b.get(k) or "") for k in ("name", "version", "kernel")) for b in libraries)
        yield "BLAS", "; ".join(named)
    if document.get("mlx_blas"):
        yield "MLX’s BLAS", str(document["mlx_blas"])
    if isinstance(found := document.get("devices"), list):
        yield "devices", "; ".join(f"{device.get('name')}: {device.get('title')}" for device in found)
