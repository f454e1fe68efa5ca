"""The file of a new experiment: complete, but for what only its author knows; every blank says what belongs there."""

from __future__ import annotations

BLANK = "FILL"  # the word that marks a blank: in the file it must not be left

EXPERIMENT = '''"""{title}: FILL in what it is about, in half a sentence.

Problem   FILL in what is wanted, as a formula between dollars; x is a vector of n floats.
Idea      FILL in how the better ways differ from the obvious one.
Look for  FILL in what the ladder shows.
Source    FILL in the book or paper, with its chapter, and its doi:10.… where it has one.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from exp_core import Cost, Experiment, Implementation, Problem
from exp_core.compiled import njit


def loop(x):
    """FILL in what the textbook does."""
    raise NotImplementedError("FILL in the textbook's loop: arrays in, arrays or tuples of arrays out")


@njit
def loop_compiled(x):
    """The same loop, compiled."""
    raise NotImplementedError("FILL in what Numba compiles: loops over numbers")


def library(x):
    """FILL in which function of which library this is."""
    raise NotImplementedError("FILL in what a user would call otherwise")


def exact(x):
    """FILL in how the answer is found in higher precision, or certified."""
    raise NotImplementedError("FILL in the oracle")


def error(result, x, truth):
    """FILL in what is measured, such as |result - exact| / |exact|."""
    raise NotImplementedError("FILL in a law: a float, NaN or too large where the result is wrong")


def ordinary(n: Annotated[int, "length"] = 100_000, *, dtype, rng):
    """Normal random numbers."""
    return (rng.standard_normal(n).astype(dtype),)


def adverse(n: Annotated[int, "length"] = 100_000, *, dtype, rng):
    """FILL in what makes this input hard."""
    raise NotImplementedError("FILL in a hard input: ill-conditioned, adversarial, or of awkward numbers")


def cost(x):
    """FILL in what is counted; x is read once."""
    raise NotImplementedError("FILL in Cost(flops=..., bytes=x.nbytes, memory=...)")


def bound(x):
    """FILL in the theorem that this bound comes from."""
    raise NotImplementedError("FILL in a derived bound, such as exp_core.tensor.gamma(x.size, x)")


def picture(figure, x):
    """FILL in what is drawn."""
    raise NotImplementedError("FILL in a picture, with a title and words on its axes")


AWKWARD = ({{"n": 1}}, {{"n": 2}}, {{"n": 127}})

EXPERIMENT = Experiment(
    problems=(
        Problem(ordinary, small={{"n": 100}}, awkward=AWKWARD),
        Problem(adverse, kind="hard", small={{"n": 100}}, awkward=AWKWARD),
    ),
    oracle=exact,
    laws={{"error": error}},
    implementations=(
        Implementation(loop, "textbook", cost=cost, bound=bound),
        Implementation(loop_compiled, "compiled", cost=cost, bound=bound),
        Implementation(library, "library", cost=cost, bound=bound),
    ),
    picture=picture,
)
'''

TEST = '''"""{title}: held against the contract, and against what only its author knows."""

import numpy as np
import pytest

from exp_core.contract import checks
from {module} import EXPERIMENT, exact


@pytest.mark.parametrize("check", checks("{module}"), ids=str)
def test_the_contract(check):
    if missing := check.missing():
        pytest.skip(missing)
    check()


def test_a_case_that_is_known():
    pytest.fail("FILL in an input whose answer is known from elsewhere, and compare exact(...) with it")
'''

PROJECT = """[build-system]
requires = ["hatchling>=1.26"]
build-backend = "hatchling.build"

[project]
name = "{project}"
version = "0.1.0"
description = "Experiments of our own, in the catalogue of {command}"
requires-python = ">=3.11"
dependencies = ["exp-core[compiled,plot]", "numpy>=2.0"]

[project.optional-dependencies]
test = ["pytest>=8.2"]

# The name says whose catalogue these experiments join: python -m {command} lists and runs them.
[project.entry-points."exp_core.experiments"]
"{command}.{package}" = "{package}"

[tool.hatch.build.targets.wheel]
packages = ["src/{package}"]
"""

PACKAGE = '''"""Experiments of our own: each folder is a topic, each file in it an experiment."""
'''

TOPIC = '''"""{title}."""
'''
