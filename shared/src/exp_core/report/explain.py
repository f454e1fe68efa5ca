"""An experiment in words: its docstring with readable formulas, its problems and its ladder; and its source."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from exp_core.catalogue import HEADINGS, Entry
from exp_core.experiment import Experiment, Implementation
from exp_core.report.console import reading_width
from exp_core.report.docstring import readable, references, sections

HEADING_WIDTH = max(map(len, HEADINGS))
NARROW = 30  # columns in which words would be torn apart: then they stand below their name


def print_explanation(
    entry: Entry, experiment: Experiment, out: Console, *, path: bool = True, spell: Callable[[str], str] = str
) -> None:
    """The idea, the problems with their sizes, and the ladder in teaching order.

    path: the file's too.     spell: how sentences that name options are spelled for who reads them.
    """
    if out.is_terminal:
        _explain(entry, experiment, out, path, spell)
        return
    with out.capture() as captured:
        _explain(entry, experiment, out, path, spell)
    for line in captured.get().splitlines():  # a table fills its lines with blanks
        out.print(Text(line.rstrip()), soft_wrap=True)


def _explain(entry: Entry, experiment: Experiment, out: Console, path: bool, spell: Callable[[str], str]) -> None:
    title, _, body = entry.docstring.partition("\n")
    out.print(Text(readable(title), style="bold"), soft_wrap=not out.is_terminal)
    out.print()
    table = Table(box=None, show_header=False, pad_edge=False, width=reading_width(out))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for heading, paragraph in sections(body):
        paragraph = "\n".join(references(body)) if heading == "Source" else paragraph
        table.add_row(textwrap.fill(heading, HEADING_WIDTH), Text(readable(spell(paragraph))))
    out.print(table)
    rows: list[tuple[str, str]] = []
    for problem in experiment.problems:
        kind = "" if problem.kind == "ordinary" else f"({problem.kind}) "
        rows.append((problem.name, f"{kind}{readable(problem.title)}"))
        rows += [("  " + spell(f"--{size.name} {size.default}"), size.help) for size in problem.sizes]
    _print_rows("Problems", rows, out)
    ladder = [(i.name, f"[{i.rung}] {readable(i.title)}") for i in experiment.implementations]
    _print_rows("Ladder", ladder, out)
    if training := experiment.training:
        rows = [(spell(f"--data {data_set.name}"), data_set.title) for data_set in training.data]
        rows += [(engine.name, f"[{engine.rung}] {readable(engine.title)}") for engine in training.engines]
        for target in training.targets:
            sign, where = (
                "≥" if target.better == "more" else "≤",
                f" on {', '.join(target.data)}" if target.data else "",
            )
            rows.append((f"{target.figure} {sign} {target.value:g}", f"{target.source}{where}"))
        _print_rows(f"Training: {spell(f'--steps {training.steps}')}", rows, out)
    if path:
        out.print(Text(f"\n{entry.path}", style="dim"), soft_wrap=True)


def print_source(implementation: Implementation, out: Console) -> None:
    """An implementation's source, highlighted where the terminal has colours."""
    function = inspect.unwrap(implementation.function)
    lines, start = inspect.getsourcelines(function)
    out.print(Text(f"# {inspect.getsourcefile(function)}:{start}", style="dim"), soft_wrap=True)
    _highlight("".join(lines).rstrip(), out)


def print_file(path: Path, out: Console) -> None:
    """A whole file, highlighted likewise."""
    out.print(Text(f"# {path}", style="dim"), soft_wrap=True)
    _highlight(path.read_text(encoding="utf-8").rstrip(), out)


def _highlight(source: str, out: Console) -> None:
    if out.is_terminal:
        out.print(Syntax(source, "python", theme="ansi_dark", background_color="default", word_wrap=True))
    else:
        out.print(Text(source), soft_wrap=True)


def _print_rows(title: str, rows: list[tuple[str, str]], out: Console) -> None:
    """Names and what is to be said of them, aligned; where that leaves too little room, the words below the name."""
    out.print(Text(f"\n{title}", style="bold"))
    width = reading_width(out)
    if width - max((len(name) for name, _ in rows), default=0) - 3 < NARROW:
        for name, text in rows:
            out.print(Text(f"  {name}", style="cyan"))
            out.print(Padding(Text(text), (0, 0, 0, 6)))
        return
    table = Table(box=None, show_header=False, pad_edge=False, width=width)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(f"  {name}", Text(text))
    out.print(table)
