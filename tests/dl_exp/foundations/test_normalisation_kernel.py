"""The normalisation kernels: their barriers, their dtypes, awkward sizes, and the epsilon that all must share."""

from __future__ import annotations

import re

import numpy as np
import pytest
from kernel_checks import assert_every_barrier_matters, every_language, needs_a_compiler

from dl_exp.emulator import emulating
from dl_exp.foundations import _normalisation_bounds as bounds
from dl_exp.foundations import normalisation as experiment
from dl_exp.foundations._normalisation_kernel import COLUMNS, HIGH, ROWS, THREADS, WIDE, kernel

pytestmark = needs_a_compiler


def given(kind, rows, channels, dtype="float32"):
    return getattr(experiment, kind)(rows, channels, dtype=dtype, rng=np.random.default_rng(5))


@every_language
def test_no_barrier_is_too_many(language):
    assert_every_barrier_matters(ROWS, language, lambda: kernel(*given("layer", 2, 300)))
    assert_every_barrier_matters(COLUMNS, language, lambda: kernel(*given("batch", 19, 40)))


@every_language
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        *(("layer", shape) for shape in ((1, 7), (3, THREADS), (2, THREADS + 1))),
        *(("batch", shape) for shape in ((7, 1), (HIGH, WIDE), (HIGH + 1, WIDE + 1))),
        ("rms", (1, 1021)),
        ("far_off", (2, 331)),
    ],
)
def test_awkward_sizes_stay_within_the_bound(language, dtype, kind, shape):
    """Fewer than 8 entries (Metal's constant memory), one beside the group's and the tile's size, primes."""
    inputs = given(kind, *shape, dtype)
    with emulating(language):
        y = kernel(*inputs)
    assert bounds.error(y, *inputs, bounds.exact(*inputs)) <= bounds.welford_bound(*inputs)


@every_language
@pytest.mark.parametrize("kind", ["layer", "batch"])
def test_what_is_not_a_number_stays_in_its_set(language, kind):
    inputs = given(kind, 11, 37)
    inputs[0][4, 17] = np.nan
    with emulating(language):
        y = kernel(*inputs)
    where = np.zeros(y.shape, bool)
    where[(4, slice(None)) if kind == "layer" else (slice(None), 17)] = True
    np.testing.assert_array_equal(np.isnan(y), where)


def test_the_bodies_have_the_same_epsilon():
    for body in (ROWS.metal, ROWS.cuda, COLUMNS.metal, COLUMNS.cuda):
        assert [float(found) for found in re.findall(r"\+ (\S+?)f\)", body)] == [bounds.EPS]
