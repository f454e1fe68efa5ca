"""The runs that words on a command line mean: a number, ``last``, ``previous``, a file, a revision."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from exp_core.history.database import Database
from exp_core.history.errors import HistoryError
from exp_core.history.filter import Filter
from exp_core.history.queries import newest, newest_of_each, run_by_id
from exp_core.history.revision import State, resolve
from exp_core.history.run import Configuration, configuration_of
from exp_core.results import Result

LARGEST_ID = 2**63 - 1  # SQLite's integers
NUMBER = re.compile(r"#?(\d{1,6})|#(\d+)")  # seven digits and more without # may be a commit
COMMIT = re.compile(r"[0-9a-fA-F]{4,40}")


def choose(word: str, database: Database, asked: Filter, root: Path | None) -> list[Result]:
    """The results that a word means; of a revision the newest of each configuration.  Raises HistoryError for none.

    root: the checkout in which names of revisions are looked up.
    """
    if match := NUMBER.fullmatch(word):
        number = int(match[1] or match[2])
        run = run_by_id(database, number) if number <= LARGEST_ID else None
        if run is None:
            raise HistoryError(f"no run {word} is stored: history NAME lists the numbers")
        return [run.result]
    if word in ("last", "previous"):
        return [_recent(word, database, asked)]
    if Path(word).is_file():
        return read_results(Path(word))
    commit = (resolve(word, root) if root else None) or (word if COMMIT.fullmatch(word) else None)
    if commit is None:
        raise HistoryError(
            f"{word!r} is no run: give a number such as 12, last, previous, a file written by --json, or a revision"
        )
    runs = newest_of_each(database, replace(asked, revision=commit))
    if not runs:
        raise HistoryError(f"no run at {word} is stored: check it out and run it there")
    return [run.result for run in runs]


def baseline(commit: str, state: State, database: Database, asked: Filter) -> tuple[list[Result], list[Result]]:
    """The newest runs of a commit's own sources, and those of the sources as they are here.  Raises HistoryError.

    A run with sources that were changed since the commit is no baseline; as the state here it counts if this one is.
    """
    if state == State(commit, False):
        raise HistoryError(f"the sources here are those of {commit[:12]}: there is nothing to compare")
    then = newest_of_each(database, replace(asked, revision=commit, dirty=False))
    if not then:
        raise HistoryError(f"no run of {commit[:12]} itself is stored: check it out without changes and run it there")
    now = newest_of_each(database, replace(asked, revision=state.revision or "", dirty=state.dirty))
    if not now:
        raise HistoryError("no run of the sources as they are now is stored: run what you want to compare")
    return [run.result for run in then], [run.result for run in now]


def matched(before: Sequence[Result], after: Sequence[Result]) -> list[tuple[Result, Result]]:
    """Pairs of one configuration.  Raises HistoryError, which says what differs, if there is none."""
    earlier = {configuration_of(result): result for result in before}
    pairs = [(earlier[key], result) for result in after if (key := configuration_of(result)) in earlier]
    if pairs:
        return pairs
    a, b = configuration_of(before[-1]), configuration_of(after[-1])
    fields = zip(("package", "experiment", "problem", "sizes", "dtype", "threads"), a, b, strict=True)
    differ = [f"{name} {x} and {y}" for name, x, y in fields if x != y]
    raise HistoryError(f"these runs cannot be held against each other: {', '.join(differ)}")


def read_results(path: Path) -> list[Result]:
    """The results in a file that ``--json`` has written.  Raises HistoryError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        plain = document if isinstance(document, list) else [document]
        results = [Result.from_dict(item) for item in plain if "scoreboard" not in item]
    except OSError as error:
        raise HistoryError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise HistoryError(f"{path} holds no result as --json writes it: {error}") from error
    if not results:
        raise HistoryError(f"{path} holds no result")
    return results


def _recent(word: str, database: Database, asked: Filter) -> Result:
    last = newest(database, asked)
    if last is None:
        raise HistoryError("nothing is stored yet: run something first")
    if word == "last":
        return last.result
    earlier = newest(database, like(last.configuration), before=last.id)
    if earlier is None:
        raise HistoryError(f"run #{last.id} is the only one of its problem, sizes, dtype and threads")
    return earlier.result


def like(configuration: Configuration) -> Filter:
    """Those runs that can be held against one of this configuration."""
    package, experiment, problem, sizes, dtype, threads = configuration
    return Filter((package,), experiment, problem, json.loads(sizes), dtype, threads)
