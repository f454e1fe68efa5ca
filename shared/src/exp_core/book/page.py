"""One experiment's page: what is on it, gathered from its file, the history and its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from exp_core.book import drawing
from exp_core.book.card import Card, card_of
from exp_core.book.certified import oracle_in_words, problem_of, targets_of
from exp_core.book.code import Listing, listings
from exp_core.book.commands import commands_of, history_command, sweep_command
from exp_core.book.contents import Chapter, Contents
from exp_core.book.drawing import Illustration
from exp_core.book.measured import Measured
from exp_core.book.rendering import rendered
from exp_core.book.words import prose
from exp_core.catalogue import CatalogueError, printable
from exp_core.experiment import Experiment, first_line
from exp_core.history.run import Run
from exp_core.report.docstring import references, sections
from exp_core.report.html import ladder_html


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it is written, and its card.  broken: the experiment's file cannot be read."""

    html: str
    card: Card
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Measurement:
    """One ladder on the page."""

    table: Markup
    when: str
    problem: str
    given: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One implementation on the page."""

    name: str
    rung: str
    title: Markup
    listing: Listing


def make_page(chapter: Chapter, contents: Contents, measured: Measured, digest: str) -> Page:
    """The page of one experiment; where its file is broken, a page that says so.

    A page on which something failed that may go well the next time carries no digest: it is made again.
    """
    frame = Frame(chapter, contents)
    title, _, body = chapter.entry.docstring.partition("\n")
    headline, _, subtitle = (title or chapter.entry.title).strip().rstrip(".").partition(": ")
    shared = frame.fields() | {
        "headline": prose(headline),
        "subtitle": prose(as_sentence(subtitle)),
        "sections": [(heading, prose(words)) for heading, words in sections(body) if heading != "Source"],
        "references": [prose(reference) for reference in references(body)],
    }
    try:
        experiment = chapter.entry.load()
    except (CatalogueError, SystemExit) as error:
        failure = printable(" ".join(str(error).split())) or f"{chapter.entry.path} ends the program"
        card = Card(state="cannot be read")
        html = rendered("experiment.html", digest="", card=card.to_json(), failure=failure, **shared)
        return Page(html, card, broken=True)
    key = (chapter.entry.package, chapter.entry.name)
    runs = measured.ladders(key, experiment)
    card = card_of(experiment, runs)
    figures = figures_of(experiment, chapter, measured, runs)
    final = not any(figure.failed for figure in figures.values())
    html = rendered(
        "experiment.html",
        digest=digest if final else "",
        card=card.to_json(),
        figures=list(at_a_glance(experiment, card)),
        first_problem=experiment.problems[0].name,
        ladders=[measurement_of(run) for run in runs],
        implementations=list(implementations_of(chapter, experiment)),
        source_file=chapter.entry.module,
        oracle=oracle_in_words(experiment),
        history_command=history_command(chapter),
        laws=[(name, prose(first_line(law) or "the error by this name")) for name, law in experiment.laws.items()],
        targets=list(targets_of(experiment)),
        problems=[problem_of(problem) for problem in experiment.problems],
        commands=list(commands_of(chapter, experiment)),
        sweep_command=sweep_command(chapter, experiment.problems[0]),
        history_words=history_in_words(measured, key),
        **{name: figure for name, figure in figures.items() if figure.markup or figure.failed},
        **shared,
    )
    return Page(html, card)


def as_sentence(words: str) -> str:
    """With a capital at its beginning; a letter that stands for a number keeps its own: ``n log n comparisons``."""
    variable = words[1:2] == " " and words[:1] not in "aA"
    return words if variable else words[:1].upper() + words[1:]


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page: where it is, and what comes before and after."""

    chapter: Chapter
    contents: Contents

    def fields(self) -> dict[str, object]:
        """As the templates name it."""
        before, after = self.contents.around(self.chapter)
        part = next(part for part in self.contents.parts if self.chapter in part.chapters)
        return {
            "root": "../",
            "here": "",
            "command": self.chapter.command,
            "chapter": self.chapter,
            "part": part,
            "before": before,
            "after": after,
        }


def figures_of(
    experiment: Experiment, chapter: Chapter, measured: Measured, runs: Sequence[Run]
) -> dict[str, Illustration]:
    """The page's figures by name."""
    key, title = (chapter.entry.package, chapter.entry.name), chapter.entry.title
    found = {"picture": drawing.picture(experiment, f"Picture of {title}")}
    if runs:
        found["roofline"] = drawing.roofline(runs[0].result)
    if sweep := measured.sweep(key, title):
        found["scaling"] = drawing.scaling(sweep)
    found["history"] = drawing.over_time(
        measured.over_time(key), chapter.entry.name, runs[0].configuration if runs else None
    )
    return found


def measurement_of(run: Run) -> Measurement:
    """A stored run as a table, with when and where it was made."""
    result = run.result
    processor = result.machine.get("processor")
    model = processor.get("model", "") if isinstance(processor, dict) else ""
    threads = f"{run.threads} thread{'s' if run.threads > 1 else ''}"
    where = ", ".join(word for word in (str(model), threads, f"machine {run.machine}" if run.machine else "") if word)
    revision = f", commit {run.revision[:10]}{' with changes' if run.dirty else ''}" if run.revision else ""
    when = printable(f"Run #{run.id}, {day(run.created_at)}, on {where}{revision}.")
    given = " · ".join(filter(None, (result.sizes_text, result.dtype)))
    return Measurement(Markup(ladder_html(result, style=False)), when, result.problem, given)


def implementations_of(chapter: Chapter, experiment: Experiment) -> Iterator[Shown]:
    """Every implementation with its source."""
    made = experiment.implementations
    for implementation, listing in zip(made, listings(chapter.entry.module, made), strict=True):
        yield Shown(implementation.name, implementation.rung, prose(implementation.title), listing)


def at_a_glance(experiment: Experiment, card: Card) -> Iterator[tuple[str, str]]:
    """The figures under the title."""
    if card.ratio_text:
        yield card.ratio_text, f"the library, by {card.best}"
    if card.limit_text:
        yield card.limit_text, "of the machine’s limit"
    yield str(len(experiment.implementations)), "implementations"
    yield str(len(experiment.problems)), "problem" if len(experiment.problems) == 1 else "problems"


def history_in_words(measured: Measured, key: tuple[str, str]) -> str:
    """How much is stored of an experiment."""
    headers = measured.of(key)
    if not headers:
        return measured.note or "Nothing is stored of it yet: every run of its ladder is kept, and shown here."
    machines = len({header.machine for header in headers})
    first, last = day(headers[0].created_at), day(headers[-1].created_at)
    return (
        f"{len(headers)} run{'s' if len(headers) > 1 else ''} stored, on {machines} machine"
        f"{'s' if machines > 1 else ''}, {f'on {first}' if first == last else f'from {first} to {last}'}."
    )


def day(created_at: str) -> str:
    """``2026-11-27T02:41:07.123456Z`` as ``27 November 2026``."""
    moment = datetime.fromisoformat(created_at)
    return f"{moment.day} {moment:%B %Y}"
