"""The page of the history: what is stored of each experiment, and what was never measured."""

from __future__ import annotations

from collections.abc import Sequence

from exp_core.book.contents import Contents
from exp_core.book.measured import Measured
from exp_core.book.page import day
from exp_core.book.tables import Cell, Table
from exp_core.history.queries import Header


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
