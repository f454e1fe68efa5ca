"""``compare A B``: two runs held against each other; exit code 1 if something of ours became slower or wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exp_core.catalogue import Catalogue
from exp_core.cli.errors import EXIT_RIGHT, EXIT_WRONG
from exp_core.cli.options import option
from exp_core.cli.output import write_json
from exp_core.cli.readers import STANDARD_OUTPUT, output_reader
from exp_core.cli.stored import experiment_name, opened, packages_of

if TYPE_CHECKING:
    from exp_core.history.filter import Filter
    from exp_core.results import Result

HELP = """Hold run B against run A: faster, slower, equivalent or undecided, an implementation a line.

A and B are each the number of a stored run, last, previous (the one before it of the same configuration), a file
written by --json, or a revision. With --baseline REV the newest runs of the sources as they are now are held against
those at REV; a NAME narrows it to one experiment.

Exit code 1 if there is a regression: one of ours is certainly slower, beyond noise and by more than --within, or was
right and is wrong now."""


def compare_command(catalogue: Catalogue) -> click.Command:
    """The verb."""
    return click.Command(
        "compare",
        params=[
            click.Argument(["words"], nargs=-1, metavar="A B"),
            click.Option(["--baseline"], metavar="REV", help="Compare the sources as they are now with this revision."),
            option("--within", _percent, "PERCENT", "Differences up to this are none.", "5"),
            option("--json", output_reader("--json"), "FILE", "Write JSON to a file, or to standard output with -."),
        ],
        callback=partial(_run, catalogue),
        help=HELP,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )


def _run(catalogue: Catalogue, words: tuple[str, ...], baseline: str | None, within: float, json: Path | None) -> None:
    from exp_core.history.choose import matched
    from exp_core.history.comparison import changes
    from exp_core.history.filter import Filter
    from exp_core.report.console import console
    from exp_core.report.history import print_changes

    asked = Filter(packages_of(catalogue))
    if baseline is not None:
        if len(words) > 1:
            raise click.UsageError("--baseline takes at most one NAME beside it")
        asked = Filter(asked.packages, experiment_name(catalogue, words[0] if words else None))
    elif len(words) != 2:
        raise click.UsageError("compare takes two runs, such as previous last or 12 17, or --baseline REV")
    from exp_core.history import HistoryError

    try:
        before, after = _chosen(catalogue, asked, words, baseline)
        found = [changes(then, now, within) for then, now in matched(before, after)]
    except HistoryError as error:
        raise click.UsageError(str(error)) from error
    if json != STANDARD_OUTPUT:
        for each in found:
            print_changes(each, console())
    if json is not None:
        write_json([each.to_dict() for each in found], json)
    worse = any(each.regressions for each in found)
    click.get_current_context().exit(EXIT_WRONG if worse else EXIT_RIGHT)


def _chosen(
    catalogue: Catalogue, asked: Filter, words: Sequence[str], revision: str | None
) -> tuple[list[Result], list[Result]]:
    """The results before and after.  Raises HistoryError or click.UsageError."""
    from exp_core.history.choose import COMMIT, baseline, choose
    from exp_core.history.revision import checkout, resolve, revision_of

    any_file = next((entry.path for entry in catalogue.entries.values()), Path(__file__))
    root = checkout(any_file)
    with opened() as database:
        if revision is None:
            a, b = words
            return choose(a, database, asked, root), choose(b, database, asked, root)
        commit = (resolve(revision, root) if root else None) or (revision if COMMIT.fullmatch(revision) else None)
        state = revision_of(any_file)
        if commit is None or state.revision is None:
            raise click.UsageError(f"--baseline {revision} is no commit of a checkout that these sources lie in")
        return baseline(commit, state, database, asked)


def _percent(text: str) -> float:
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        raise click.UsageError(f"--within takes per cent, such as 5, not {text!r}") from None
    if not (math.isfinite(value) and value >= 0):
        raise click.UsageError(f"--within must be zero or more per cent, not {text}")
    return value / 100
