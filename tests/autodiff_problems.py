"""Autodiff's problems, small: sizes that no vector divides."""

from __future__ import annotations

import numpy as np
import pytest

from maths_exp.calculus import _autodiff_problems as problems

PROBLEMS = {
    "valley": {"n": 17},
    "gas": {"n": 9},
    "dense_gas": {"n": 9},
    "zero_factor": {"n": 13},
    "tumours": {"hidden": 2, "every": 90},
}
every_problem = pytest.mark.parametrize("name", PROBLEMS)


def given(name, dtype="float64", seed=0, **sizes):
    """The input of a problem."""
    if name == "tumours":
        pytest.importorskip("sklearn", reason="the data are scikit-learn's")
    return getattr(problems, name)(**PROBLEMS[name] | sizes, dtype=dtype, rng=np.random.default_rng(seed))
