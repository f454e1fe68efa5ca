"""The vocabulary: what an experiment is made of.  Frozen values, standard library only.

An experiment file ends with one value that ties its bare functions together:

    EXPERIMENT = Experiment(
        problems=(Problem(positive), Problem(cancelling, kind="hard")),
        oracle=exact,
        laws={"relative error": relative_error},
        implementations=(
            Implementation(naive, "textbook", cost=n_additions, bound=gamma_n),
            ...
        ),
        picture=picture,
    )

Who calls what, and with what:

    problem.load(**sizes, dtype="float64", rng=rng)               first of all, where a problem has something to load
    inputs = problem.make(**sizes, dtype="float64", rng=rng)      a tuple, shared by all implementations
    result = implementation.function(*implementation.prepare(*inputs))
    error  = law(result, *inputs)                                 or law(result, *inputs, oracle(*inputs))
    bound  = implementation.bound(*inputs)                        error must not exceed it
    cost   = implementation.cost(*inputs)

Costs and bounds are functions of the inputs themselves (``x.size``, ``x.dtype``), so that one line is right for
every problem and every dtype.
"""

from exp_core.experiment.cost import Cost
from exp_core.experiment.experiment import Experiment
from exp_core.experiment.implementation import Implementation
from exp_core.experiment.problem import Problem, Size
from exp_core.experiment.words import RUNGS, Arrays, ContractError, Inputs, Kind, Rung, Skip, first_line

__all__ = [
    "RUNGS",
    "Arrays",
    "ContractError",
    "Cost",
    "Experiment",
    "Implementation",
    "Inputs",
    "Kind",
    "Problem",
    "Rung",
    "Size",
    "Skip",
    "first_line",
]
