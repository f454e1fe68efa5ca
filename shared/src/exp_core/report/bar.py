"""The bar while a ladder, a sweep or a training run is at work: on a terminal, in a notebook, and nowhere else."""

from __future__ import annotations

import importlib
import sys
from html import escape
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from exp_core.scaling import State

NARROWEST, WIDEST = 8, 40  # columns of a bar
TURN_S = 0.1  # between two pictures of the bar in a notebook: each is a message


class Screen(Protocol):
    """Where a bar is shown."""

    def show(self, before: str, done: float | None, after: str) -> None:
        """What is being done, how far it is (None: nobody knows), and how much longer it takes."""

    def close(self) -> None:
        """Leave nothing behind."""


class Bar:
    """What is being done, how far it is, and how much longer it takes where that is known."""

    def __init__(self, name: str, *, shown: bool = True) -> None:
        self.name = name
        self.screen = screen() if shown else None

    def __enter__(self) -> Self:
        if self.screen:
            self.screen.show(self.name, 0.0, "")
        return self

    def __exit__(self, *_: object) -> None:
        if self.screen:
            self.screen.close()

    def stage(self, text: str, done: float | None, left: str = "") -> None:
        """Show a stage of one ladder, or of a training run."""
        if self.screen:
            self.screen.show(f"{self.name}: {text}", done, left)

    def point(self, state: State) -> None:
        """Show a point of a sweep."""
        from exp_core.timing import seconds_text

        if self.screen:
            sizes = ", ".join(f"{name} = {size:g}" for name, size in state.sizes.items())
            text = f"{self.name} {state.number}/{state.points}: {sizes}  {state.stage}"
            self.screen.show(text, state.done, f"{seconds_text(state.left_s)} left" if state.left_s > 0 else "")


def screen() -> Screen | None:
    """The notebook that runs this, or the terminal that standard error is; None: nobody watches."""
    if in_notebook():
        return Notebook()
    line = Line()
    return line if line.shown else None


def in_notebook() -> bool:
    """Whether a kernel of Jupyter runs this; whoever has not loaded IPython is none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


class Line:
    """The terminal's last line: a spinner, words, a bar, more words; as much of each as there are columns.

    Two columns stay free: a terminal echoes Ctrl-C as ^C, and where that begins a new line the bar stays behind.
    """

    def __init__(self, *, shown: bool = True) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        from exp_core.report.console import console

        out = console(stderr=True)
        self.drawn = BarColumn(WIDEST)
        columns = (
            SpinnerColumn("dots" if out.encoding.startswith("utf") else "line"),  # that can be written there
            TextColumn("{task.description}", markup=False),
            self.drawn,
            TextColumn("{task.fields[after]}", markup=False),
        )
        self.shown = shown and out.is_terminal
        self.bar = Progress(*columns, console=out, transient=True, disable=not self.shown)
        self.task = self.bar.add_task("", total=1.0, after="")
        self.bar.start()

    def room(self, before: str) -> int:
        """Columns for words after the bar, in a terminal that may have become wider or narrower."""
        from rich.cells import cell_len

        return self.bar.console.width - NARROWEST - cell_len(before) - len("⠋    ^C")

    def show(self, before: str, done: float | None, after: str = "") -> None:
        """Redraw it.  before: shortened if need be.     done: a fraction; None: as it was."""
        from rich.cells import cell_len, set_cell_size

        after = after if cell_len(after) <= self.room("") else ""
        if (missing := cell_len(after) - self.room(before)) > 0:
            before = set_cell_size(before, max(cell_len(before) - missing - 1, 0)) + "…"
        self.drawn.bar_width = min(WIDEST, max(0, NARROWEST + self.room(before) - cell_len(after)))
        self.bar.update(self.task, description=before, completed=done, after=after, refresh=True)

    def close(self) -> None:
        """Erase it."""
        self.bar.stop()


class Notebook:
    """A bar below the cell."""

    def __init__(self) -> None:
        from exp_core.timing import Stopwatch

        shown = importlib.import_module("IPython.display")
        self.html, self.watch = shown.HTML, Stopwatch()
        self.handle = shown.display(shown.HTML(""), display_id=True)

    def show(self, before: str, done: float | None, after: str) -> None:
        """Redraw it, not more often than an eye can see."""
        from exp_core.timing import Stopwatch

        if self.watch.elapsed() < TURN_S:
            return
        self.watch = Stopwatch()
        value = "" if done is None else f' value="{done:.3f}"'
        words = escape("  ".join(filter(None, (before, after))))
        self.handle.update(self.html(f'<progress max="1"{value}></progress> <code>{words}</code>'))

    def close(self) -> None:
        """Erase it; an output without anything in it stays."""
        self.handle.update(self.html(""))
