"""An experiment in words: its docstring with readable formulas, its problems and its ladder; and its source."""

from __future__ import annotations

import inspect
import re
import textwrap
import unicodedata
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from exp_core.catalogue import HEADINGS, Entry
from exp_core.experiment import Experiment, Implementation

READING_WIDTH = 110  # columns beyond which a line is tiring to read
HEADING_WIDTH = max(map(len, HEADINGS))
FORMULA = re.compile(r"\$([^$]+)\$")
WINS = "Why the library wins"  # the last words under Look for, where a library is faster than all of ours
# Between two references: a full stop that ends neither an initial nor "et al.", and two blanks or the line's end.
NEXT_REFERENCE = re.compile(r"(?<!\b[A-Z]\.)(?<!\bal\.)(?<=\.)(?: {2,}|\n\s*)(?=[^\W\d_a-z]|\"|https:)")
# What unicodeit leaves as it stands: names of functions and grouping commands.
WORDS = (
    (r"\\(?:mathrm|mathbf|operatorname|text|mathit)\{([^{}]*)\}", r"\1"),
    (r"\\(log|ln|exp|sin|cos|tan|max|min|arg|det|dim|deg|sup|inf|lim)(?![a-zA-Z])", r"\1"),
    (r"\\(?:dots|ldots|cdots)(?![a-zA-Z])", "…"),
    (r"\\[td]?frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1)/(\2)"),
    (r"\\sqrt\{([^{}]*)\}", r"√(\1)"),
    (r"\\(?:left|right|big|Big|,|;|!|quad)(?![a-zA-Z])", ""),
    (r"\\(tilde|hat|bar|dot|ddot|vec)\s*\\?([a-zA-Z]+)", r"\\\1{\\\2}"),
)
SINGLE = re.compile(r"\\(tilde|hat|bar|dot|ddot|vec)\{\\([a-zA-Z])\}")  # one letter is no command


def readable(text: str) -> str:
    """Text whose LaTeX formulas between dollars are written in Unicode, as far as Unicode goes."""
    return FORMULA.sub(lambda match: formula(match[1]), text)


def formula(latex: str) -> str:
    """One formula in Unicode: ``x_{n-1}`` becomes xₙ₋₁."""
    import unicodeit

    for pattern, replacement in WORDS:
        latex = re.sub(pattern, replacement, latex)
    latex = SINGLE.sub(r"\\\1{\2}", latex)
    return unicodedata.normalize("NFC", str(unicodeit.replace(latex)).replace("{", "").replace("}", ""))


def print_explanation(
    entry: Entry, experiment: Experiment, out: Console, *, path: bool = True, spell: Callable[[str], str] = str
) -> None:
    """The idea, the problems with their sizes, and the ladder in teaching order.

    path: the file's too.     spell: how sentences that name options are spelled for who reads them.
    """
    title, _, body = entry.docstring.partition("\n")
    out.print(Text(readable(title), style="bold"), soft_wrap=not out.is_terminal)
    out.print()
    table = Table(box=None, show_header=False, pad_edge=False, width=min(out.width, READING_WIDTH))
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


def sections(body: str) -> list[tuple[str, str]]:
    """The docstring's headings and their paragraphs, lines joined; why the library wins stands by itself."""
    found: list[tuple[str, str]] = []
    for heading, text in _paragraphs(body):
        before, _, why = (part.strip(": ") for part in text.partition(WINS))
        found.append((heading, before))
        if why:
            found.append((WINS, why[:1].upper() + why[1:]))
    return found


def why_the_library_wins(body: str) -> str:
    """The sentences of a docstring that say so; empty if there are none."""
    _, words, why = dict(_paragraphs(body)).get("Look for", "").partition(WINS)
    return readable(words + why)


def _paragraphs(body: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in body.splitlines():
        heading = next((name for name in HEADINGS if line.startswith(name + " ")), None)
        if heading:
            found.append((heading, line.removeprefix(heading).strip()))
        elif line.strip() and found:
            name, text = found[-1]
            found[-1] = (name, f"{text} {line.strip()}")
    return found


def references(body: str) -> list[str]:
    """What stands under Source, reference by reference, lines joined."""
    _, _, text = f"\n{body}".partition("\nSource ")
    return [" ".join(reference.split()) for reference in NEXT_REFERENCE.split(text.strip()) if reference.strip()]


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
    """Names and what is to be said of them, aligned."""
    out.print(Text(f"\n{title}", style="bold"))
    table = Table(box=None, show_header=False, pad_edge=False, width=min(out.width, READING_WIDTH))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(f"  {name}", Text(text))
    out.print(table)
