"""Where a report is printed: a terminal, plain text where none is, and words of others that steer neither."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterable

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from exp_core.catalogue import printable

PLAIN_WIDTH = 200  # columns where the output is no terminal: nothing is folded, nothing is cut
READING_WIDTH = 110  # columns beyond which a line is tiring to read


class Output(Console):
    """A console for words of others: no markup and no control character in them is obeyed, whoever prints them."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is printed, its control characters blanks; rich's own (colours, the cursor) are no part of the text."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)

    def on_broken_pipe(self) -> None:
        """Nobody reads any more: the command line says what that means."""
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console that neither folds nor colours what is piped."""
    out = Output(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not out.is_terminal:
        out = Output(stderr=stderr, highlight=False, markup=False, emoji=False, width=PLAIN_WIDTH, no_color=True)
    return out


def as_text(show: Callable[[Console], None]) -> str:
    """What is printed, as plain text as wide as the terminal."""
    out = io.StringIO()
    width = shutil.get_terminal_size((READING_WIDTH, 24)).columns
    show(Output(file=out, highlight=False, no_color=True, width=width, force_terminal=False, force_jupyter=False))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def reading_width(out: Console) -> int:
    """Columns of running text: those of the terminal, or that COLUMNS names; no more than are read with ease."""
    width = out.width if out.is_terminal else shutil.get_terminal_size((READING_WIDTH, 24)).columns
    return min(out.width, width, READING_WIDTH)


def one_line(words: str, style: str = "") -> Text:
    """Words of others on one line: neither markup nor control characters are obeyed."""
    return Text(printable(words).replace("\n", " "), style=style)


def plain_table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
