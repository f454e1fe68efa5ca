"""A package's experiments, run from Python: the same flow as on the command line, with the same defaults."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exp_core import beneath_mlx
from exp_core.api.axes import read_axis, refuse_too_many, several
from exp_core.api.found import catalogue_of, entry_of, loaded
from exp_core.api.how import How, read_sizes
from exp_core.api.interrupted import Interrupted
from exp_core.api.spelled import in_python, notes_spelled, points_spelled, reasons_spelled, spelled
from exp_core.refusal import Refused

if TYPE_CHECKING:
    from exp_core.api.history import History
    from exp_core.api.machine import MachineView
    from exp_core.api.train import HowToTrain
    from exp_core.api.views import Experiments, Explanation
    from exp_core.catalogue import Entry
    from exp_core.experiment import Experiment, Implementation, Problem
    from exp_core.request import Request
    from exp_core.results import Result
    from exp_core.scaling import Sweep
    from exp_core.training.plan import Training
    from exp_core.training.trained import Trained
    from exp_core.user import UserFunction


@dataclass(frozen=True)
class Package:
    """What ``python -m`` offers under this name.

    devices: those that can be chosen.     emulator: the module that emulates GPUs where there are none.
    """

    name: str
    devices: tuple[str, ...] = ()
    emulator: str = ""

    def experiments(self) -> Experiments:
        """The experiments of this package, and of those that joined it: a mapping from names, printed by topic."""
        from exp_core.api.views import Experiments

        return Experiments(self.name, catalogue_of(self.name))

    def explain(self, name: str) -> Explanation:
        """The idea, the formulas, the problems and the ladder of an experiment; nothing is run.  Raises Refused."""
        from exp_core.api.views import Explanation

        with spelled(self.name):
            entry = entry_of(self.name, name)
            return Explanation(entry, loaded(entry))

    def machine(self, *, refresh: bool = False) -> MachineView:
        """This machine and what it can do at best, measured the first time (or anew), which takes some seconds."""
        from exp_core.api.machine import view

        return view(refresh=refresh)

    def history(self, name: str) -> History:
        """The stored runs of an experiment, the oldest first.  Raises Refused where they cannot be read."""
        from exp_core.api.history import read_history

        with spelled(self.name):
            entry = entry_of(self.name, name)
            packages = tuple(dict.fromkeys(topic.package for topic in catalogue_of(self.name).topics))
            return read_history(self.name, packages, entry.name)

    def run(self, name: str, sizes: Mapping[str, object], how: How) -> Result:
        """Climb one ladder.

        Raises Refused and Missing, in one sentence, before any work is done; Interrupted, which holds what is known,
        at Ctrl-C.
        """
        from exp_core.asked import chosen_sizes, climb_on_cluster
        from exp_core.history.keep import keep
        from exp_core.ladder import climb
        from exp_core.report.bar import Bar

        beneath_mlx.prepare()
        with spelled(self.name):
            entry, experiment, problem = self._chosen(name, how)
            given = read_sizes(problem, sizes)
            request = self._request(entry, experiment, problem, chosen_sizes(problem, given, small=how.emulate), how)
            with Bar(entry.name, shown=how.progress) as bar:
                if how.cluster is None:
                    result = climb(request, bar.stage)
                else:
                    result = climb_on_cluster(request, how.cluster, bar.stage)
        if how.store:
            warn([in_python(note, self.name) for note in keep(request, result)])
        result = reasons_spelled(result, self.name)
        if result.interrupted:
            raise Interrupted(result)
        return result

    def sweep(self, name: str, sizes: Mapping[str, object], how: How) -> Sweep:
        """Climb the ladder at many sizes: those of which several values are given.  Raises as ``run`` does."""
        from exp_core.asked import chosen_sizes, sweep_as_asked
        from exp_core.history.keep import history_shelf
        from exp_core.report.bar import Bar

        beneath_mlx.prepare()
        with spelled(self.name):
            entry, experiment, problem = self._chosen(name, how)
            chosen_sizes(problem, dict.fromkeys(sizes, 1))
            axes = {key: read_axis(problem, key, value) for key, value in sizes.items() if several(value)}
            if not axes:
                first = problem.sizes[0].name if problem.sizes else "n"
                raise Refused(f"a sweep needs several values of a size, such as {first}=[64, 128, 256]")
            refuse_too_many(axes)
            given = read_sizes(problem, {key: value for key, value in sizes.items() if key not in axes})
            request = self._request(entry, experiment, problem, chosen_sizes(problem, given), how)
            shelf = history_shelf(request) if how.store else None
            with Bar(entry.name, shown=how.progress) as bar:
                found = sweep_as_asked(request, axes, how.cluster, shelf, bar.point)
        warn([in_python(note, self.name) for note in (shelf.notes if shelf else ())])
        found = points_spelled(found, self.name)
        if found.interrupted:
            raise Interrupted(found)
        return found

    def train(self, name: str, sizes: Mapping[str, object], how: HowToTrain) -> Trained:
        """Train for real: many steps, a curve, checkpoints.

        Raises Refused and Missing before the first step, and Refused where a checkpoint cannot be written;
        ArithmeticError where the loss is no number any more; Interrupted, which holds what was saved, at Ctrl-C.
        Under ``mlx.launch`` the processes share each batch, and GroupError says that one of them has died.
        """
        from exp_core.api.train import BarListener
        from exp_core.report.bar import Bar
        from exp_core.training.asked import train_as_asked
        from exp_core.training.group import join

        beneath_mlx.prepare()
        with spelled(self.name):
            entry, training = self._training(name)
            asked = how.read(training, sizes, self.devices)
            group = join()
            with Bar(entry.name, shown=how.progress and group.leads) as bar:
                trained = train_as_asked(entry, training, asked, BarListener(bar), group)
        trained = notes_spelled(trained, self.name)
        if trained.interrupted:
            raise Interrupted(trained)
        return trained

    def trained(self, name: str, how: HowToTrain) -> Trained:
        """What a run before this one has left behind; no step is made.  Raises Refused and Missing."""
        from exp_core.training.asked import read_trained

        beneath_mlx.prepare()
        with spelled(self.name):
            entry, training = self._training(name)
            return read_trained(entry, training, how.read(training, {}, self.devices))

    def _training(self, name: str) -> tuple[Entry, Training]:
        entry = entry_of(self.name, name)
        if (training := loaded(entry).training) is None:
            raise Refused(f'{entry.name} has nothing to train; {self.name}.run("{entry.name}") climbs its ladder')
        return entry, training

    def _chosen(self, name: str, how: How) -> tuple[Entry, Experiment, Problem]:
        entry = entry_of(self.name, name)
        experiment = loaded(entry)
        return entry, experiment, how.read_problem(experiment)

    def _request(
        self, entry: Entry, experiment: Experiment, problem: Problem, sizes: Mapping[str, float], how: How
    ) -> Request:
        from exp_core.asked import make_request
        from exp_core.own import own_from_file, own_implementations

        dtype, only = how.read_dtype(experiment), how.read_only(experiment)
        run = how.read_run(self.devices, self.emulator)
        user: UserFunction | None = None
        own: tuple[Implementation, ...] = ()
        if isinstance(how.with_, (str, Path)):
            experiment, only, user = own_from_file(str(how.with_), experiment, only, run)
        elif how.with_ is not None:
            own = own_implementations(experiment, problem, how.with_)
        if how.cluster is not None and not isinstance(how.cluster, str):
            raise Refused(f"--cluster takes an address, or 'local', not {how.cluster!r}")
        return make_request(entry, experiment, problem, sizes, dtype, run, only=only, user=user, own=own)


def warn(notes: Sequence[str]) -> None:
    """Each once, as a warning at the caller's line."""
    for note in dict.fromkeys(notes):
        warnings.warn(note, stacklevel=4)
