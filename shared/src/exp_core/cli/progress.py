"""The bar on a terminal while a ladder or a sweep is at work; nothing where standard error is no terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from exp_core import asked

if TYPE_CHECKING:
    from exp_core.request import Request
    from exp_core.results import Result
    from exp_core.scaling import State


class Bar:
    """What is being done, how far it is, and how much longer it takes where that is known."""

    def __init__(self, name: str) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        from exp_core.report.terminal import console

        screen = console(stderr=True)
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[left]}", markup=False),
        )
        self.name = name
        self.bar = Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal)
        self.task = self.bar.add_task(name, total=1.0, left="")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def stage(self, text: str, done: float | None) -> None:
        """Show a stage of one ladder."""
        self.bar.update(self.task, description=f"{self.name}: {text}", completed=done, refresh=True)

    def point(self, state: State) -> None:
        """Show a point of a sweep."""
        from exp_core.timing import seconds_text

        sizes = ", ".join(f"{name} = {size:g}" for name, size in state.sizes.items())
        text = f"{self.name} {state.number}/{state.points}: {sizes}  {state.stage}"
        left = f"{seconds_text(state.left_s)} left" if state.left_s > 0 else ""
        self.bar.update(self.task, description=text, completed=state.done, left=left)


def climb_with_progress(request: Request) -> Result:
    """Climb, with a bar on the terminal.  Raises Refused where the ladder does."""
    from exp_core.ladder import climb

    with Bar(request.entry.name) as bar:
        return climb(request, bar.stage)


def climb_on_cluster(request: Request, address: str) -> Result:
    """The same, the ``distributed`` implementations on a Dask cluster.  Raises Missing where it cannot be reached."""
    with Bar(request.entry.name) as bar:
        return asked.climb_on_cluster(request, address, bar.stage)
