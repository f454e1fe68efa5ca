"""What the pages tell a reader to type is understood, every line of it."""

from __future__ import annotations

import shlex

import click
import pytest

from exp_core.book.commands import commands_of, sweep_command
from exp_core.book.contents import read_contents
from exp_core.cli.app import Application
from exp_core.cli.sweep import read_axes

DEVICES, EMULATOR = ("metal", "cuda", "cpu"), "dl_exp.emulator"  # of dl_exp; maths_exp has none


def parsed(line: str) -> click.Context:
    """The context of a command as it would be run.  Raises click.UsageError for one that is refused."""
    python, _, package, name, *arguments = shlex.split(line)
    assert python == "python"
    here = package == "dl_exp"
    application = Application(package, DEVICES if here else (), EMULATOR if here else "")
    with click.Context(application) as context:
        command = application.get_command(context, name)
        assert command is not None, line
        return command.make_context(name, arguments, parent=context)


@pytest.fixture(scope="module")
def lines():
    """The commands of every experiment, by its chapter."""
    pytest.importorskip("mlx.core", reason="needs MLX: pip install ./dl_exp")
    chapters = read_contents("maths_exp").chapters
    return {c: [line for _, some in commands_of(c, c.entry.load()) for line in some] for c in chapters}


def test_every_command_is_understood(lines):
    assert len(lines) > 30
    for chapter, some in lines.items():
        assert len(set(some)) == len(some) > 5
        for line in some:
            assert parsed(line).info_name in (chapter.entry.name, "practise"), line


def test_every_sweep_ends_at_the_default_and_has_sizes_to_fit(lines):
    for chapter in lines:
        problem = chapter.entry.load().problems[0]
        if line := sweep_command(chapter, problem):
            spec = line.rpartition(" ")[2]
            ((name, sizes),) = read_axes((spec,), problem, {}).items()
            assert len(sizes) >= 3, line
            assert sizes[-1] <= next(size.default for size in problem.sizes if size.name == name)


def test_kernels_are_emulated_and_what_is_distributed_has_a_cluster(lines):
    words = {f"{c.command} {c.entry.name}": " ".join(some) for c, some in lines.items()}
    assert "--metal --emulate" in words["dl_exp softmax"] and "--cuda --emulate" in words["dl_exp softmax"]
    assert "--emulate" not in words["maths_exp qr"] and "--cluster local" in words["maths_exp qr"]
    assert all("practise" in each and "--with" in each for each in words.values())


@pytest.mark.parametrize(
    "line",
    ["python -m maths_exp qr --metal --emulate", "python -m maths_exp qr --stpes 3", "python -m maths_exp practise"],
)
def test_a_command_that_is_wrong_would_be_seen(line):
    with pytest.raises(click.UsageError):
        parsed(line)
