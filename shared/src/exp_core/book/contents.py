"""What the Book holds: every experiment of every installed package, in teaching order, and where its page is."""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
from collections.abc import Collection
from dataclasses import dataclass

from exp_core.catalogue import GROUP, Catalogue, Entry, Topic, read_catalogue

UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
LONGEST = 80  # characters of a file's name


@dataclass(frozen=True, slots=True)
class Chapter:
    """One experiment's place in the Book.

    command: the one that runs it: ``maths_exp``.     page: its file in the Book, ``maths_exp/qr.html``.
    """

    entry: Entry
    topic: Topic
    command: str
    page: str


@dataclass(frozen=True, slots=True)
class Part:
    """A topic and its chapters."""

    topic: Topic
    command: str
    chapters: tuple[Chapter, ...]

    @property
    def anchor(self) -> str:
        """Its name in the index page."""
        return safe(f"{self.command}-{self.topic.package}-{self.topic.name}")


@dataclass(frozen=True)
class Contents:
    """The whole Book."""

    parts: tuple[Part, ...]

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        """Every chapter, in teaching order."""
        return tuple(chapter for part in self.parts for chapter in part.chapters)

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands whose experiments are here."""
        return tuple(dict.fromkeys(part.command for part in self.parts))

    def around(self, chapter: Chapter) -> tuple[Chapter | None, Chapter | None]:
        """The chapters before and after it."""
        chapters = self.chapters
        place = chapters.index(chapter)
        before = chapters[place - 1] if place else None
        return before, chapters[place + 1] if place + 1 < len(chapters) else None

    def only(self, chapters: Collection[Chapter]) -> Contents:
        """A Book of these chapters alone."""
        kept = [Part(p.topic, p.command, tuple(c for c in p.chapters if c in chapters)) for p in self.parts]
        return Contents(tuple(part for part in kept if part.chapters))


def read_contents(command: str) -> Contents:
    """The catalogues of all installed packages, that of ``command`` among them even in a bare checkout.

    Raises CatalogueError if one of them contradicts itself.
    """
    found = {point.name.partition(".")[0] for point in importlib.metadata.entry_points(group=GROUP)}
    return contents_of({name: read_catalogue(name) for name in sorted({command, *found}, reverse=True)})


def contents_of(catalogues: dict[str, Catalogue]) -> Contents:
    """The Book of these catalogues, by command; a topic without experiments is left out."""
    taken: set[str] = set()
    parts = [
        Part(topic, command, tuple(Chapter(e, topic, command, _page(command, e, taken)) for e in topic.entries))
        for command, catalogue in catalogues.items()
        for topic in catalogue.topics
    ]
    return Contents(tuple(part for part in parts if part.chapters))


def chosen(contents: Contents, names: Collection[str]) -> tuple[Chapter, ...]:
    """The experiments of these names, and of topics of these names.  Raises KeyError with one that nothing has."""
    known = {name for part in contents.parts for name in (part.topic.name, *(c.entry.name for c in part.chapters))}
    for name in names:
        if name not in known:
            raise KeyError(name)
    return tuple(c for c in contents.chapters if c.topic.name in names or c.entry.name in names)


def safe(name: str) -> str:
    """A name that every file system and every address takes; names that differ stay different."""
    plain = UNSAFE.sub("-", name)[:LONGEST]
    return plain if plain == name else f"{plain.strip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _page(command: str, entry: Entry, taken: set[str]) -> str:
    """Where a file system does not tell capitals apart, ``QR.py`` and ``qr.py`` must not share a page."""
    page = f"{safe(command)}/{safe(entry.name)}.html"
    if page.lower() in taken:
        digest = hashlib.sha256(entry.module.encode()).hexdigest()[:8]
        page = f"{safe(command)}/{safe(entry.name)}-{digest}.html"
    taken.add(page.lower())
    return page
