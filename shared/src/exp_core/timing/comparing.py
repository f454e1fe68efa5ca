"""The race as a user asks for it: what makes no sense is refused in a sentence, before anybody runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import SupportsFloat, SupportsIndex, TypeVarTuple

from exp_core.timing.clock import SYSTEM
from exp_core.timing.race import race
from exp_core.timing.result import Comparison
from exp_core.timing.sampler import FunctionSampler, Sampler

Inputs = TypeVarTuple("Inputs")


def compare(
    functions: Mapping[str, Callable[[*Inputs], object] | Sampler],
    *inputs: *Inputs,
    budget_s: float = 5.0,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
    first_calls: Mapping[str, float] | None = None,
    cold: bool = False,
    beside: Mapping[str, Sampler] | None = None,
) -> Comparison:
    """Race functions on the same inputs, and return how long each takes and by how much they differ.

        print(compare({"a": f, "b": g}, x))

    functions: called with the inputs; or objects with ``sample(calls)`` (see Sampler), which know their own.  MLX
        arrays that a function returns are computed and waited for; such a one is also timed with many calls in flight.
        One that returns another promise (a generator, a dask collection) fails with a sentence: see ``lazy``.
    budget_s: seconds for all of it, first calls included; exceeded only as far as two calls of each and three rounds
        need, and cut short after fewer rounds where a further one would end past twice the budget.
    progress: called now and then with the part of the work that is done, from 0 to 1, never going back.
    first_calls: seconds of the first call of those that were called already: they are not called a first time here.
    cold: time each function in each round once more, one call, after all caches were filled with something else.
    beside: samplers that are timed in every round with the functions and rank nowhere: what these are held against.

    Each is called once (compilation), warmed up until its times no longer fall, then calibrated; a round warms each up
    with one call that is not timed, times it once, and waits until its threads rest.  Before and after the rounds each
    is timed alone for a while, as a cross-check.  A contestant that raises is out, and its error is in its Timing.  The
    one with the shortest call runs under a second, hidden name as well: the gap that it then shows is the noise floor.

    Raises ValueError for no functions or no budget, TypeError for what is no function or no number; Interrupted, with
    all complete rounds, at Ctrl-C.
    """
    if not isinstance(functions, Mapping):
        raise TypeError(f"name the functions, as in compare({{'mine': f, 'theirs': g}}, x); {functions!r} has no names")
    if not functions:
        raise ValueError("there is nothing to compare")
    if odd := [
        name for name, function in functions.items() if not (callable(function) or isinstance(function, Sampler))
    ]:
        raise TypeError(
            f"{odd[0]} is {functions[odd[0]]!r}, which cannot be called; give the inputs after the functions"
        )
    _refuse(budget_s, seed, progress, first_calls)
    samplers = {
        name: function if isinstance(function, Sampler) else FunctionSampler(function, inputs, SYSTEM)
        for name, function in functions.items()
    }
    return race(
        samplers,
        budget_s,
        seed,
        progress or (lambda part: None),
        first_calls or {},
        SYSTEM,
        cold=cold,
        beside=beside or {},
    )


def _refuse(budget_s: object, seed: object, progress: object, first_calls: object) -> None:
    """Raise TypeError or ValueError, in one sentence, for arguments that would fail in the middle of the race."""
    if isinstance(budget_s, (bool, str)) or not isinstance(budget_s, SupportsFloat):
        raise TypeError(f"budget_s takes seconds, such as budget_s=5, not {budget_s!r}")
    if not float(budget_s) > 0:
        raise ValueError(f"a budget of {budget_s} s is no time")
    if math.isinf(float(budget_s)):
        raise ValueError("a race with an infinite budget would never end: give it seconds, such as budget_s=60")
    if isinstance(seed, bool) or not isinstance(seed, SupportsIndex):
        raise TypeError(f"seed takes a whole number, such as seed=0, not {seed!r}")
    if seed.__index__() < 0:
        raise ValueError(f"seed must be at least 0, not {seed}")
    if not (progress is None or callable(progress)):
        raise TypeError(f"progress takes a function of the part that is done, from 0 to 1, not {progress!r}")
    if not (first_calls is None or isinstance(first_calls, Mapping)):
        raise TypeError(f"first_calls takes seconds by name, as in {{'mine': 0.5}}, not {first_calls!r}")
