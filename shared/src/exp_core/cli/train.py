"""``--steps``, ``--resume`` and ``--prompt``: the experiment is trained for real instead of its ladder climbed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from exp_core.catalogue import Entry
from exp_core.cli.errors import EXIT_INTERRUPTED, EXIT_MISSING, EXIT_RIGHT, EXIT_WRONG
from exp_core.cli.streams import say, tell
from exp_core.cli.train_options import Wanted
from exp_core.refusal import Missing, Refused

if TYPE_CHECKING:
    from exp_core.training.group import Group
    from exp_core.training.plan import Training
    from exp_core.training.trained import Trained


class _MissingForAll(click.ClickException):
    exit_code = EXIT_MISSING


def run_training(entry: Entry, training: Training, wanted: Wanted) -> int:
    """Train, say what came of it, draw; the exit code.  Raises click.ClickException and Refused."""
    from exp_core.training.group import ALONE, GroupError, join, launched

    if not launched():
        return _train(entry, training, wanted, ALONE)
    from exp_core.training.together import together

    def all_together() -> int:
        try:
            group = join()
        except GroupError as error:
            raise GroupError(f"{entry.package}: {error}") from error
        try:
            return _train(entry, training, wanted, group)
        except GroupError as error:
            raise GroupError(f"{entry.package}: {error}{_to_go_on(entry, wanted)}") from error
        except Refused as error:  # one process says it for all, with the exit code that it has everywhere
            kind = _MissingForAll if isinstance(error, Missing) else click.UsageError
            raise kind(f"{entry.package}: {error}") from error

    return together(all_together, EXIT_WRONG, EXIT_INTERRUPTED)


def _train(entry: Entry, training: Training, wanted: Wanted, group: Group) -> int:
    from exp_core.cli.train_progress import Watcher
    from exp_core.training.asked import read_trained, train_as_asked
    from exp_core.training.run import NotANumberError

    if not wanted.trains:
        _say_on(read_trained(entry, training, wanted.run), wanted)
        return EXIT_RIGHT
    try:
        trained = train_as_asked(entry, training, wanted.run, Watcher(), group)
    except NotANumberError as error:
        if group.leads:
            tell(f"{entry.package}: {error}")
        return EXIT_WRONG
    if group.leads:
        _tell(trained, wanted)
        if wanted.prompt is not None and not trained.interrupted:
            _say_on(trained, wanted)
    return EXIT_INTERRUPTED if trained.interrupted else EXIT_RIGHT


def _to_go_on(entry: Entry, wanted: Wanted) -> str:
    """What is left of a run whose processes have died."""
    from exp_core.training import checkpoint
    from exp_core.training.checkpoint import CheckpointError
    from exp_core.training.chosen import where

    folder, _ = where(entry, wanted.run.checkpoint)
    try:
        step = checkpoint.read(checkpoint.path_to_read(folder)).step
    except CheckpointError:
        return "; nothing was saved yet"
    return f"; --resume goes on from the checkpoint of step {step} in {folder}"


def _tell(trained: Trained, wanted: Wanted) -> None:
    """What came of it: figures beside their targets, the files, and how to go on."""
    from exp_core.report.export import write
    from exp_core.report.figure import save
    from exp_core.report.training import ended_words, target_lines
    from exp_core.training.together import print_beside

    entry, folder = trained.entry, trained.job.folder
    if trained.interrupted:
        command = f"python -m {entry.package} {entry.name} --steps {trained.steps} --resume"
        if wanted.run.checkpoint:
            command += f" --checkpoint {shlex.quote(str(folder))}"
        sentence = f"stopped after step {trained.step} of {trained.steps}, saved; to go on: {command}"
        if not print_beside(sentence):
            say(sentence)
    else:
        for line in (ended_words(trained), *target_lines(trained)):
            say(line)
    tell(f"checkpoint and log: {folder}")
    try:
        if wanted.csv:
            write(wanted.csv, trained.log.read_text(encoding="utf-8"))
        if wanted.plot:
            save(trained.figure(), wanted.plot)
            tell(f"drawn: {wanted.plot}")
    except OSError as error:
        raise click.ClickException(f"{error.filename} could not be written: {error.strerror}") from error


def _say_on(trained: Trained, wanted: Wanted) -> None:
    """The prompt, and how the model goes on."""
    assert wanted.prompt is not None
    say(trained.sample(wanted.prompt) if wanted.length is None else trained.sample(wanted.prompt, wanted.length))
