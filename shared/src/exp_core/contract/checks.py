"""All that the contract asks of a package or of one experiment, as a list of checks that anybody can run."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from exp_core.catalogue import Entry, read_package, read_title
from exp_core.contract import file, trial
from exp_core.experiment import Experiment
from exp_core.installed import missing_modules
from exp_core.machine import thread_limit

THREADS = 2  # enough to find races, few enough for any machine


@dataclass(frozen=True)
class Check:
    """One thing that must hold.  Calling it raises AssertionError with a sentence if it does not."""

    name: str
    run: Callable[[], None]
    package: str
    modules: tuple[str, ...] = ()

    def __call__(self) -> None:
        """Check it, with two threads; an overflow is a result, not a warning."""
        with thread_limit(THREADS), np.errstate(all="ignore"):
            self.run()

    def __str__(self) -> str:
        return self.name

    def missing(self) -> str:
        """What is not installed, and the command that installs it; empty if all is there."""
        return str(missing_modules(self.package, self.modules) or "")


def checks(name: str, *, everywhere: bool = False) -> list[Check]:
    """The checks of a package (``acme_numerics``) or of one experiment (``acme_numerics.sums.dot``).

    everywhere: every dtype and awkward size; else the small sizes in every dtype, and the awkward ones in the first.
    Raises ValueError if there is no experiment of that name.
    """
    found = [check for entry in _entries(name) for check in _of(entry, everywhere)]
    if not found:
        raise ValueError(f"{name} is neither a package with experiments nor an experiment")
    return found


def _entries(name: str) -> Iterator[Entry]:
    package, *inner = name.split(".")
    if not inner:
        for topic in read_package(package):
            yield from topic.entries
        return
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin)
        yield Entry(path.stem, read_title(path), path.parent.name, package, name, path)


def _of(entry: Entry, everywhere: bool) -> Iterator[Check]:
    """A file with blanks is asked for nothing else: all the rest would follow from them."""
    name, package = entry.name, entry.package
    yield Check(f"{name}-filled_in", partial(file.filled_in, entry), package)
    try:
        file.filled_in(entry)
    except AssertionError:
        return
    try:
        experiment = entry.load()
    except Exception as error:  # said by a check, so that the other experiments are checked all the same
        yield Check(f"{name}-loads", partial(_fail, str(error)), package)
        return
    needed = tuple(module for problem in experiment.problems for module in problem.requires)
    for whole in (file.reads_like_the_others, file.ladder_is_complete):
        yield Check(f"{name}-{whole.__name__}", partial(whole, entry, experiment), package)
    yield Check(f"{name}-seed_is_an_input", partial(file.seed_is_an_input, entry, experiment), package, needed)
    drawn = partial(file.picture_draws, entry, experiment)
    yield Check(f"{name}-picture_draws", drawn, package, ("matplotlib", *needed))
    yield from _trials(entry, experiment, everywhere)


def _trials(entry: Entry, experiment: Experiment, everywhere: bool) -> Iterator[Check]:
    for what, sizes in (
        (trial.right_deterministic_and_gentle, "everywhere"),
        (trial.sabotage_is_caught, "small"),
        (trial.cost_is_sane_and_memory_within_it, "small"),
    ):
        for one in trial.trials(experiment, sizes):
            first = (one.problem.dtypes or experiment.dtypes)[0]
            if everywhere or one.dtype == first or dict(one.sizes) == dict(one.problem.small):
                modules = (*one.implementation.modules, *one.problem.requires)
                label = f"{entry.name}-{what.__name__}-{one}"
                yield Check(label, partial(what, one), entry.package, modules)


def _fail(sentence: str) -> None:
    raise trial.Broken(sentence)
