"""Writing the Book: what is up to date stays, every page is whole at every moment, and a kill leaves a Book behind."""

from __future__ import annotations

import functools
import hashlib
import importlib
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from exp_core import __version__
from exp_core.book.card import read_head
from exp_core.book.contents import Chapter, Contents
from exp_core.book.front import front_pages
from exp_core.book.measured import Measured
from exp_core.book.page import make_page
from exp_core.history.module import ALL
from exp_core.history.source import source_hash
from exp_core.report.export import write
from exp_core.report.html import ladder_css
from exp_core.timing.clock import epoch

MARK = ".exp-book"  # the file that says that a folder is a Book
DAY_S = 24 * 3600.0  # a file written aside that is older was left behind by a kill
Progress = Callable[[str, int, int], None]


class BookError(Exception):
    """The Book cannot be written there; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was done, by the names of experiments: pages made, up to date, and made of a file that cannot be read.

    beside: how many more pages the folder had, and keeps.     bytes: of all files.
    """

    index: Path
    made: tuple[str, ...]
    kept: tuple[str, ...]
    broken: tuple[str, ...]
    beside: int
    bytes: int


def write_book(
    out: Path,
    contents: Contents,
    measured: Measured,
    command: str,
    *,
    only: Collection[Chapter] | None = None,
    progress: Progress = lambda name, done, of: None,
) -> Written:
    """Write or refresh the Book in a folder.  Raises BookError.

    only: the chapters to refresh; the others keep the pages that the folder has of them, and their places in it.
    progress: called with an experiment's name, how many pages are done, and how many there are.
    """
    made, kept, broken = list[str](), list[str](), list[str]()
    try:
        prepare(out)
        heads = {chapter: head for chapter in contents.chapters if (head := read_head(out / chapter.page))}
        cards = {chapter: card for chapter, (_, card) in heads.items()}
        if only is not None:
            contents = contents.only({*heads, *only})
        chapters = refreshed(contents, heads, only)
        for done, chapter in enumerate(chapters):
            name = chapter.entry.name
            progress(name, done, len(chapters))
            digest = digest_of(chapter, contents, measured)
            if chapter in heads and heads[chapter][0] == digest:
                kept.append(name)
                continue
            page = make_page(chapter, contents, measured, digest)
            put(out / chapter.page, page.html)
            cards[chapter] = page.card
            (broken if page.broken else made).append(name)
        progress("", len(chapters), len(chapters))
        for name, html in front_pages(contents, cards, measured, command).items():
            put(out / name, html)
        remove_left_overs(out, contents, whole=only is None)
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    except OSError as error:
        raise BookError(f"{error.filename or out} could not be written: {error.strerror or error}") from error
    beside = len(contents.chapters) - len(chapters)
    return Written(out / "index.html", tuple(made), tuple(kept), tuple(broken), beside, size)


def refreshed(contents: Contents, there: Collection[Chapter], only: Collection[Chapter] | None) -> tuple[Chapter, ...]:
    """The chapters whose pages are looked at; beside a page that is new its neighbours, which lead to it."""
    if only is None:
        return contents.chapters
    new = [chapter for chapter in only if chapter not in there]
    wanted = {*only, *(near for chapter in new for near in contents.around(chapter))}
    return tuple(chapter for chapter in contents.chapters if chapter in wanted)


def prepare(out: Path) -> None:
    """The folder, its mark and its assets.  Raises BookError for a folder that holds other things, or OSError."""
    if out.exists() and not out.is_dir():
        raise BookError(f"{out} is a file: name a folder for the Book")
    if out.is_dir() and not (out / MARK).exists() and any(out.iterdir()):
        raise BookError(f"{out} holds other things and no Book: name a new folder, or an empty one")
    put(out / MARK, f"exp_core {__version__}\n")
    for name, text in assets().items():
        put(out / "assets" / name, text)


def assets() -> dict[str, str]:
    """The style sheet, which the ladder's is a part of, and the script."""
    folder = files("exp_core.book").joinpath("assets")
    sheet = folder.joinpath("book.css").read_text(encoding="utf-8")
    return {"book.css": sheet + ladder_css(), "book.js": folder.joinpath("book.js").read_text(encoding="utf-8")}


def put(path: Path, text: str) -> None:
    """Write a file aside and put it in its place; one that holds the same already is not touched.  Raises OSError."""
    with suppress(OSError, ValueError):
        if path.read_text(encoding="utf-8") == text:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, text)


def digest_of(chapter: Chapter, contents: Contents, measured: Measured) -> str:
    """What a page depends on: its sources, the runs that it shows, its neighbours, and how pages are made."""
    entry = chapter.entry
    before, after = contents.around(chapter)
    with suppress(Exception, SystemExit):  # a package that cannot be imported has a page that says so
        importlib.import_module(entry.package)  # the walk through its sources begins there
    part = next(part for part in contents.parts if chapter in part.chapters)
    parts = [
        renderer(),
        repr(entry),
        chapter.page,
        part.anchor + part.topic.title,
        *(f"{chapter.page} {chapter.entry.name}" for chapter in (before, after) if chapter),
        text_of(entry.path),
        source_hash([(entry.module, ALL)], frozenset({entry.package.partition(".")[0]})),
        *(header.uuid for header in measured.of((entry.package, entry.name))),
        measured.note,
    ]
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:32]


@functools.cache
def renderer() -> str:
    """A hash of all that makes pages: a new version of the Book makes every page anew."""
    digest = hashlib.sha256(__version__.encode())
    for package in ("exp_core.book", "exp_core.report"):
        folder = Path(str(files(package)))
        for path in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".html", ".css")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def text_of(path: Path) -> str:
    """A file's text; nothing for one that cannot be read: its page says so."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def remove_left_overs(out: Path, contents: Contents, *, whole: bool) -> None:
    """Pages of experiments that are no more, and what a killed process left half written.  Only our own are touched.

    whole: the contents are all that there is; if not, a page that they do not name may be of another.
    """
    pages = {out / chapter.page for chapter in contents.chapters}
    for path in out.glob("*/*.html"):
        if whole and path not in pages and read_head(path):
            path.unlink(missing_ok=True)
    for path in (*out.glob("*.part"), *out.glob("*/*.part")):
        with suppress(OSError):  # the other process may just have put it in place
            if epoch() - path.stat().st_mtime > DAY_S:
                path.unlink()
