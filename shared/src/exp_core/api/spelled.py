"""Sentences of the command line in Python's spelling: ``--budget 40 would admit it`` becomes ``budget=40 would …``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from exp_core.refusal import Refused

if TYPE_CHECKING:
    from exp_core.results import Result
    from exp_core.scaling import Sweep
    from exp_core.training.trained import Trained

SWITCHES = {"emulate": "emulate=True", "cold": "cold=True", "resume": "resume=True", "no-store": "store=False"}
DEVICES = ("metal", "cuda", "cpu")
NAMES = {"with": "with_"}
OPTION = re.compile(
    r"(?<![\w-])--(?P<name>[a-z][a-z0-9_-]*)"
    r"(?:[ =](?P<number>\d[\w.*+]*)|(?:(?<=--dtype)|(?<=--problem)|(?<=--data)) (?P<text>[\w./~-]*\w))?"
)
COMMAND = re.compile(r"python -m (?P<package>\w+) (?P<name>\w+)(?P<options>(?: --[a-z][a-z-]*(?: \d\w*)?)*)")


def in_python(sentence: str, command: str) -> str:
    """The sentence with arguments for options, and this command's functions for its verbs."""
    sentence = sentence.replace(f"python -m {command} lists them", f"{command}.experiments() lists them")
    sentence = COMMAND.sub(_call, sentence)
    sentence = re.sub(r"--(metal|cuda) --emulate", r'device="\1", emulate=True', sentence)
    return OPTION.sub(_argument, sentence)


def _call(command: re.Match[str]) -> str:
    """``python -m dl_exp gpt --steps 2000`` as ``dl_exp.train("gpt", steps=2000)``."""
    verb = "train" if "--steps" in command["options"] else "run"
    options = re.findall(r"--\S+(?: \d\w*)?", command["options"])
    arguments = ", ".join([f'"{command["name"]}"', *(OPTION.sub(_argument, option) for option in options)])
    return f"{command['package']}.{verb}({arguments})"


def _argument(option: re.Match[str]) -> str:
    name, number, text = option["name"], option["number"], option["text"]
    if name in DEVICES:
        return f'device="{name}"' + (f" {number}" if number else "")
    if name in SWITCHES:
        return SWITCHES[name]
    name = NAMES.get(name, name).replace("-", "_")
    value = number or (f'"{text}"' if text else "")
    return f"{name}={value}" if value else name


@contextmanager
def spelled(command: str) -> Iterator[None]:
    """Inside, what is refused is refused in Python's spelling, and without a trail of our own insides."""
    try:
        yield
    except Refused as refusal:
        raise type(refusal)(in_python(str(refusal), command)) from None


def reasons_spelled(result: Result, command: str) -> Result:
    """The ladder with the reasons of its rows, and its notes, in Python's spelling; what is stored keeps options."""
    rows = tuple(replace(row, reason=in_python(row.reason, command)) for row in result.rows)
    return replace(result, rows=rows, notes=tuple(in_python(note, command) for note in result.notes))


def points_spelled(sweep: Sweep, command: str) -> Sweep:
    """A sweep with the reasons of its points and of their rows, and its notes, in Python's spelling."""
    points = tuple(
        replace(
            point,
            reason=in_python(point.reason, command),
            result=point.result and reasons_spelled(point.result, command),
        )
        for point in sweep.points
    )
    return replace(sweep, points=points, notes=tuple(in_python(note, command) for note in sweep.notes))


def notes_spelled(trained: Trained, command: str) -> Trained:
    """What a training run leaves behind, with its notes in Python's spelling."""
    return replace(trained, notes=tuple(in_python(note, command) for note in trained.notes))
