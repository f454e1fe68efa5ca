"""``book``: the Book of all installed packages, written or refreshed; and shown."""

from __future__ import annotations

import errno
import webbrowser
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exp_core.catalogue import CatalogueError
from exp_core.cli.options import option
from exp_core.cli.readers import Folder, seconds_reader, whole_reader
from exp_core.cli.streams import say, tell
from exp_core.refusal import Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exp_core.book.contents import Chapter, Contents
    from exp_core.book.measured import Measured
    from exp_core.book.serve import Server
    from exp_core.book.site import Written

MODULES = ("jinja2", "latex2mathml", "markdown_it", "matplotlib", "pygments")
FREE_PORT = "0"


def book_command(package: str) -> click.Command:
    """The verb."""
    serve = "Show it on this machine alone, at a free port or at this one, until Ctrl-C."
    return click.Command(
        "book",
        params=[
            click.Argument(["out"], required=False, type=Folder()),
            click.Option(["--only"], metavar="NAMES", multiple=True, help="Refresh only these experiments or topics."),
            click.Option(["--measure"], is_flag=True, help="First climb every ladder that was never climbed."),
            option("--budget", seconds_reader("--budget"), "SECONDS", "Time for a ladder of --measure.", "10"),
            click.Option(["--open"], is_flag=True, help="Show it in the browser."),
            click.Option(
                ["--serve"], type=whole_reader("--serve", 0), is_flag=False, flag_value=FREE_PORT, metavar="[PORT]",
                help=serve,
            ),
        ],
        callback=partial(_run, package),
        help="Write the Book: a page an experiment, with its idea, code, ladder and picture; no network needed.\n\n"
        "OUT is its folder; without one, it is kept beside the history.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )  # fmt: skip


def _run(
    package: str, out: Path | None, only: tuple[str, ...], measure: bool, budget: float, open: bool, serve: int | None
) -> None:
    from exp_core.installed import missing_modules

    if absent := missing_modules(package, MODULES):
        raise Missing(f"the Book {absent}")
    from exp_core.book import read_measured

    contents, chapters = _chosen(package, [name for turn in only for name in turn.replace(" ", "").split(",") if name])
    folder = _default_folder() if out is None else out
    serving = None if serve is None else _listening(folder, serve)
    measured = read_measured()
    if measure:
        _measure_missing(contents.chapters if chapters is None else chapters, measured, budget)
        measured = read_measured()
    written = _write(folder, contents, measured, package, chapters)
    _say(written)
    if serving is not None:
        _serve(serving, show=open)
    elif open and not webbrowser.open(written.index.absolute().as_uri()):
        tell(f"no browser could be opened here: open {written.index.absolute()} in one")


def _chosen(package: str, names: Sequence[str]) -> tuple[Contents, tuple[Chapter, ...] | None]:
    """The contents, and the chapters that are named, None if none is.

    Raises click.ClickException for a contradiction, or a name that nothing has.
    """
    import difflib

    from exp_core.book.contents import chosen, read_contents

    try:
        contents = read_contents(package)
        return contents, chosen(contents, [name.replace("-", "_") for name in names]) if names else None
    except CatalogueError as error:
        raise click.ClickException(str(error)) from error
    except KeyError as error:
        known = [name for part in contents.parts for name in (part.topic.name, *(c.entry.name for c in part.chapters))]
        near = difflib.get_close_matches(error.args[0], known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"python -m {package} lists them"
        raise click.UsageError(f"no experiment or topic is called {error.args[0]!r}; {hint}") from error


def _default_folder() -> Path:
    from exp_core.history import HistoryError, database_path

    try:
        return database_path().parent / "book"
    except HistoryError as error:
        raise click.UsageError("there is no home folder to keep the Book in: name a folder, book OUT") from error


def _measure_missing(chapters: Sequence[Chapter], measured: Measured, budget: float) -> None:
    """Climb ordinary problems that never were; what cannot be is one line, and the others go on.  Ctrl-C ends all."""
    from exp_core.asked import RunOptions
    from exp_core.cli.keep import keep
    from exp_core.cli.progress import climb_with_progress
    from exp_core.ordinary import ordinary_request

    run = RunOptions(budget=budget)
    for chapter in chapters:
        entry = chapter.entry
        climbed = {header.problem for header in measured.of((entry.package, entry.name))}
        try:
            experiment = entry.load()
            if experiment.problems[0].name in climbed:
                continue
            request = ordinary_request(entry, experiment, run)
            result = climb_with_progress(request)
        except (CatalogueError, Refused) as error:
            tell(f"{entry.name}: {' '.join(str(error).split())}")
            continue
        keep(request, result)
        if result.interrupted:
            raise KeyboardInterrupt


def _write(out: Path, contents: Contents, measured: Measured, package: str, only: Sequence[Chapter] | None) -> Written:
    from exp_core.book import BookError, write_book
    from exp_core.report.bar import Bar

    with Bar("book") as bar:

        def progress(name: str, done: int, of: int) -> None:
            bar.stage(f"{name} {done}/{of}", done / of if of else 1.0)

        try:
            return write_book(out, contents, measured, package, only=only, progress=progress)
        except BookError as error:
            raise click.ClickException(str(error)) from error


def _say(written: Written) -> None:
    pages = len(written.made) + len(written.kept) + len(written.broken)
    counts = f"{len(written.made)} made, {len(written.kept)} up to date"
    if written.broken:
        counts += f", {len(written.broken)} cannot be read: {', '.join(written.broken)}"
    beside = f", beside {written.beside} more" if written.beside else ""
    tell(f"{pages} experiment{'s' if pages != 1 else ''} ({counts}){beside}, {written.bytes / 1e6:.1f} MB")
    say(str(written.index.absolute()))


def _listening(folder: Path, port: int) -> Server:
    """A server at this port.  Raises click.UsageError, before anything is written."""
    from exp_core.book.serve import server

    try:
        return server(folder, port)
    except OverflowError:
        raise click.UsageError(f"--serve: there is no port {port}: they end at 65535; 0 takes a free one") from None
    except OSError as error:
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise click.UsageError(f"--serve: port {port} {why}: name another, or none for a free one") from error


def _serve(serving: Server, *, show: bool) -> None:
    """Until Ctrl-C."""
    address = f"http://127.0.0.1:{serving.server_address[1]}/"
    with serving:
        try:
            tell(f"{address}   until Ctrl-C")
            if show and not webbrowser.open(address):
                tell("no browser could be opened here: open this address in one")
            serving.serve_forever()
        except KeyboardInterrupt:
            tell("")
