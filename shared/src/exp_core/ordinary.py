"""The ordinary ladder of an experiment, which is climbed where nothing is said about its problem, sizes or dtype."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exp_core.asked import RunOptions, chosen_sizes, make_request

if TYPE_CHECKING:
    from exp_core.catalogue import Entry
    from exp_core.experiment import Experiment
    from exp_core.request import Request
    from exp_core.user import UserFunction


def ordinary_request(
    entry: Entry, experiment: Experiment, run: RunOptions, user: UserFunction | None = None
) -> Request:
    """The first problem at its default sizes, in the first dtype that it has.

    Raises Missing or Refused before any work is done.
    """
    problem = experiment.problems[0]
    dtype = (problem.dtypes or experiment.dtypes)[0]
    return make_request(entry, experiment, problem, chosen_sizes(problem, {}), dtype, run, user=user)
