"""Tables of the pages around the experiments."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


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
