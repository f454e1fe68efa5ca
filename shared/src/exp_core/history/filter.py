"""What is asked of the history, and the conditions that this means in SQL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; an empty field asks for everything.

    packages: any of them.  sizes: those named; others may have any value.  implementations: any of them.
    revision: the beginning of a commit.  complete: leave out what was interrupted.
    """

    packages: tuple[str, ...] = ()
    experiment: str = ""
    problem: str = ""
    sizes: Mapping[str, float] = field(default_factory=dict)
    dtype: str = ""
    threads: int | None = None
    device: str = ""
    implementations: tuple[str, ...] = ()
    machine: str = ""
    revision: str = ""
    dirty: bool | None = None
    complete: bool = True

    def run_conditions(self) -> tuple[str, list[object]]:
        """A WHERE clause over ``runs``, and its values; sizes are compared by ``has_sizes``."""
        texts, values = ["1"], list[object]()
        if self.packages:
            texts.append(f"package IN ({', '.join('?' * len(self.packages))})")
            values += self.packages
        for column in ("experiment", "problem", "dtype", "threads", "machine", "dirty"):
            value: object = getattr(self, column)
            if value not in ("", None):
                texts.append(f"{column} = ?")
                values.append(value)
        if self.revision:
            texts.append("substr(revision, 1, ?) = ?")
            values += (len(self.revision), self.revision.lower())
        if self.complete:
            texts.append("NOT interrupted")
        return " AND ".join(texts), values

    def has_sizes(self, sizes: str) -> bool:
        """Whether sizes as they are stored are those asked for."""
        known = json.loads(sizes)
        return all(known.get(name) == size for name, size in self.sizes.items())
