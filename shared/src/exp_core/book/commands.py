"""What a page tells its reader to type."""

from __future__ import annotations

from collections.abc import Iterator

from exp_core.book.contents import Chapter
from exp_core.experiment import Experiment, Problem, Size

SWEPT = 5  # sizes of the sweep that a page proposes


def commands_of(chapter: Chapter, experiment: Experiment) -> Iterator[tuple[str, list[str]]]:
    """What it does, and what to type."""
    name, python = chapter.entry.name, f"python -m {chapter.command}"
    run = f"{python} {name}"
    yield "Climb the ladder: every implementation, checked and timed.", [run]
    if others := experiment.problems[1:]:
        yield "On another problem.", [f"{run} --problem {problem.name}" for problem in others]
    if sweep := sweep_command(chapter, experiment.problems[0]):
        yield "See how the time grows, and where one overtakes another.", [sweep]
    practise = f"{python} practise {name}"
    yield (
        "Write it yourself: a skeleton with hints to unfold; then what is wrong with it, after each save.",
        [f"{practise} {name}.py", f"{practise} --with {name}.py --watch"],
    )
    yield "Put what you wrote into the race.", [f"{run} --with {name}.py:{name}"]
    if devices := list(dict.fromkeys(device for made in experiment.implementations for device in made.devices)):
        emulated = [f"{run} --{device} --emulate" for device in devices]
        yield "Check its kernels on an emulated GPU: none has to be there.", emulated
    if any(made.rung == "distributed" for made in experiment.implementations):
        yield "On a cluster: here on one that this command starts.", [f"{run} --cluster local"]
    yield "Draw the picture and the times.", [f"{run} --plot {name}.png"]
    if experiment.training:
        yield "Train it for real; Ctrl-C keeps what is learnt.", [f"{run} --steps {experiment.training.steps}"]


def sweep_command(chapter: Chapter, problem: Problem) -> str:
    """A sweep of the largest size that is a count, upwards to its default; empty where none is large enough."""
    run = f"python -m {chapter.command} {chapter.entry.name}"
    size = max((size for size in problem.sizes if size.type is int), key=lambda size: size.default, default=None)
    if size is None or size.default < 2**SWEPT:
        return ""
    return f"{run} --sweep {size.name}={from_size(size)}:{size.default}:x2"


def from_size(size: Size) -> int:
    """Where a sweep begins that doubles up to the default."""
    return max(1, int(size.default) >> (SWEPT - 1))


def history_command(chapter: Chapter) -> str:
    """What shows every stored run of an experiment."""
    return f"python -m {chapter.command} history {chapter.entry.name}"
