"""A toy experiment (double a vector) with every kind of implementation that a ladder may meet."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np

from exp_core import Cost, Experiment, Implementation, Problem, Skip
from exp_core.catalogue import Entry
from exp_core.contestants import Contestant
from exp_core.request import Request


def doubled(x):
    """Double it."""
    return x + x


def looped(x):
    """Double it, one by one."""
    return np.array([2 * v for v in x])


def wrong(x):
    """Forgets the last one."""
    y = x + x
    y[-1] = 0
    return y


def not_a_number(x):
    """Everything is NaN."""
    return x * np.nan


def raising(x):
    """Raises."""
    raise RuntimeError("the sky fell\nwith a second line")


def writing(x):
    """Doubles its input in place."""
    x += x
    return x


def misshapen(x):
    """Returns something else altogether."""
    return "twice"


def promising(x):
    """Returns a generator: nothing is doubled yet."""
    return (2 * v for v in x)


def slow(x):
    """A millisecond an element."""
    time.sleep(1e-3 * x.size)
    return x + x


def hungry(x):
    """Says that it needs more memory than there is."""
    return x + x


def absent(x):
    """Needs a module that nobody has."""
    return x + x


def picky(x):
    """Only takes long vectors."""
    return x + x


def library(x):
    """np.multiply."""
    return np.multiply(x, 2)


def impatient(x):
    """Somebody presses Ctrl-C while it runs."""
    raise KeyboardInterrupt


def error(y, x):
    """Largest difference."""
    if y.shape != x.shape:
        raise ValueError("the shape is wrong")
    return float(np.abs(y - 2 * x).max())


def vector(n: Annotated[int, "length"] = 64, *, dtype, rng):
    """A normal vector."""
    if n == 13:
        raise ValueError("n must not be 13")
    return (rng.standard_normal(n).astype(dtype),)


def hard(n: Annotated[int, "length"] = 64, *, dtype, rng):
    """The same, but somebody is expected to fail on it."""
    return vector(n, dtype=dtype, rng=rng)


def picture(figure, x):
    """A line."""
    figure.subplots().plot(x)


def work(x):
    """One addition an element."""
    return Cost(flops=x.size, bytes=2 * x.nbytes)


def make(function, rung="vectorised", **changes):
    """An implementation with the toy's cost and bound."""
    return Implementation(function, rung, **{"cost": work, "bound": lambda x: 0.0, **changes})


EXPERIMENT = Experiment(
    problems=(Problem(vector, small={"n": 5}), Problem(hard, kind="hard", small={"n": 5})),
    laws={"difference": error},
    implementations=(
        make(looped, "textbook"),
        make(doubled),
        make(wrong, unstable={"hard": "it forgets"}),
        make(not_a_number),
        make(raising),
        make(writing),
        make(misshapen),
        make(promising),
        make(slow),
        make(hungry, cost=lambda x: Cost(flops=1, bytes=1, memory=1e18)),
        make(absent, requires=("no_such_module",)),
        make(picky, skip=lambda x: Skip("too short", "--n 1000") if x.size < 1000 else None),
        make(impatient),
        make(library, "library"),
    ),
    picture=picture,
)

ENTRY = Entry("toy", "Toy: doubling", "toys", "toys", "toys", Path(__file__))


def request(*names, problem="vector", n=64, **changes):
    """A request for some of the toy's implementations."""
    chosen = tuple(Contestant(i) for i in EXPERIMENT.implementations if i.name in names)
    settings = {"sizes": {"n": n}, "dtype": "float64", "contestants": chosen, "budget_s": 0.5, "threads": 1}
    return Request(ENTRY, EXPERIMENT, EXPERIMENT.problem(problem), **(settings | changes))
