"""Normalisation: what each kind leaves alone, sets that are the same by another name, and a check that sees."""

import numpy as np
import pytest
from assembly import host_width, vector_width

from dl_exp.foundations import _normalisation_bounds as bounds
from dl_exp.foundations import normalisation as experiment
from exp_core.contestants import Contestant
from exp_core.machine import thread_limit
from exp_core.nests import as_numpy

ROWS = {row.name: row for row in experiment.EXPERIMENT.implementations if not row.devices}
STABLE = [name for name in ROWS if name != "sum_of_squares"]
KINDS = ("layer", "rms", "group", "batch")
every_way = pytest.mark.parametrize("name", ROWS)
every_stable_way = pytest.mark.parametrize("name", STABLE)
every_kind = pytest.mark.parametrize("kind", KINDS)


def run(name, inputs):
    """The result in NumPy, on the processor."""
    row = ROWS[name]
    for module in row.modules:
        pytest.importorskip(module)
    if row.skip and row.skip(*inputs):
        pytest.skip("not made for this")
    return as_numpy(Contestant(row).ready(inputs)())


def given(kind, rows=12, channels=40, dtype="float32", seed=0):
    groups = {"groups": 5} if kind == "group" else {}
    return getattr(experiment, kind)(rows, channels, **groups, dtype=dtype, rng=np.random.default_rng(seed))


def error(y, inputs):
    return bounds.error(y, *inputs, bounds.exact(*inputs))


def limit(name, inputs):
    return ROWS[name].bound(*inputs)


@every_way
@every_kind
def test_every_set_has_mean_0_and_mean_square_1(name, kind):
    x, _, _, _, groups = given(kind)
    w, b = np.ones(40, np.float32), np.zeros(40, np.float32)
    z = run(name, (x, w, b, kind, groups))
    parts = bounds.sets(z.astype(np.float64), kind, groups)
    close = 4 * limit(name, (x, w, b, kind, groups))  # means of what is that close, of the size of 2 at most on average
    variance = bounds.sets(x.astype(np.float64), kind, groups).var(axis=1)
    if kind != "rms":
        assert np.abs(parts.mean(axis=1)).max() <= close
        np.testing.assert_allclose(np.square(parts).mean(axis=1), variance / (variance + bounds.EPS), atol=2 * close)
    else:
        np.testing.assert_allclose(np.square(parts).mean(axis=1), 1, atol=2 * close + 1e-5)


@every_stable_way
@every_kind
def test_equal_entries_become_the_bias(name, kind):
    """The variance is zero, and epsilon keeps it from being divided by; RMS divides by the entry itself."""
    _, w, b, _, groups = given(kind)
    inputs = np.full((12, 40), 3.0, np.float32), w, b, kind, groups
    y = run(name, inputs)
    if kind == "rms":
        assert error(y, inputs) <= limit(name, inputs)
    else:
        np.testing.assert_array_equal(y, np.broadcast_to(b, y.shape))


@every_way
def test_one_name_for_another(name):
    """A single group is a row, a transposed batch is a layer, a group of one entry is its bias."""
    x, w, b, _, _ = given("layer")
    close = {"rtol": 0, "atol": 8 * limit(name, (x, w, b, "layer", 1))}
    one = run(name, (x, w, b, "layer", 1))
    np.testing.assert_allclose(run(name, (x, w, b, "group", 1)), one, **close)
    plain = np.ones(40, np.float32), np.zeros(40, np.float32)
    columns = np.ones(12, np.float32), np.zeros(12, np.float32)
    turned = run(name, (np.ascontiguousarray(x.T), *columns, "batch", 1))
    np.testing.assert_allclose(turned.T, run(name, (x, *plain, "layer", 1)), **close)
    np.testing.assert_array_equal(run(name, (x, w, b, "group", 40)), np.broadcast_to(b, x.shape))


@every_stable_way
def test_the_mean_may_be_anything(name):
    """Whole numbers shifted by 2^14 have the same deviations exactly: the result is within both bounds of the same."""
    x = np.random.default_rng(1).integers(-8, 9, (7, 64)).astype(np.float32)
    w, b = np.ones(64, np.float32), np.zeros(64, np.float32)
    here, there = (x, w, b, "layer", 1), (x + np.float32(2**14), w, b, "layer", 1)
    close = 4 * (limit(name, here) + limit(name, there))  # 1 + |z| < 4
    np.testing.assert_allclose(run(name, there), run(name, here), rtol=0, atol=close)


def test_the_sum_of_squares_sees_nothing_there():
    """Its variance is off by more than itself, where Welford's keeps three digits."""
    inputs = experiment.far_off(5, 64, dtype="float32", rng=np.random.default_rng(2))
    with np.errstate(invalid="ignore"):
        assert not error(run("sum_of_squares", inputs), inputs) <= 0.1
    assert error(run("welford", inputs), inputs) <= 1e-3


@every_way
@every_kind
def test_what_is_not_a_number_stays_in_its_set(name, kind):
    x, w, b, _, groups = given(kind)
    spoilt = x.copy()
    spoilt[4, 17] = np.nan
    y = run(name, (spoilt, w, b, kind, groups))
    where = np.zeros(x.shape, bool)
    bounds.sets(where, kind, groups)[np.isnan(bounds.sets(spoilt, kind, groups)).any(axis=1)] = True
    np.testing.assert_array_equal(np.isnan(y), where)


SABOTAGE = {
    "forgets the mean": lambda x, w, b, kind, groups: (x, w, b, "rms", groups),
    "takes columns for rows": lambda x, w, b, kind, groups: (x, w, b, "layer" if kind == "batch" else "batch", 1),
    "forgets the groups": lambda x, w, b, kind, groups: (x, w, b, "group", 1 if groups > 1 else 5),
    "forgets a weight": lambda x, w, b, kind, groups: (x, np.concatenate([w[:-1], [1]]), b, kind, groups),
    "forgets the bias": lambda x, w, b, kind, groups: (x, w, 0 * b - 1e-3, kind, groups),
}


@pytest.mark.parametrize("broken", SABOTAGE.values(), ids=SABOTAGE)
@every_kind
def test_sabotage_is_caught(broken, kind):
    inputs = given(kind)
    wrong = broken(*inputs)
    if wrong[3:] == inputs[3:] and all(np.array_equal(one, other) for one, other in zip(wrong, inputs, strict=True)):
        pytest.skip("nothing to forget here")
    assert error(run("by_the_formula", wrong), inputs) > max(limit(name, inputs) for name in ROWS)


@every_kind
def test_the_unbiased_variance_is_caught(kind):
    """n - 1 in place of n moves every entry by a part of 1/2n."""
    inputs = given(kind)
    x, w, _, _, groups = inputs
    n = bounds.sets(x, kind, groups).shape[1]
    y, z = bounds.exact(*inputs)
    wrong = (y - w * z * (1 - np.sqrt((n - 1) / n))).astype(np.float32)
    assert error(wrong, inputs) > max(limit(name, inputs) for name in ROWS)


def test_the_condition_is_that_of_the_variance():
    """A row of $\\mu \\pm 1$ has $\\kappa = \\sqrt{\\mu^2 + 1}$, up to epsilon."""
    x = np.tile([99.0, 101.0], 8)[None]
    kappa, n = bounds.condition(x, "layer", 1)
    assert n == 16
    assert kappa == pytest.approx(np.sqrt((100**2 + 1) / (1 + bounds.EPS)), rel=1e-12)


@every_kind
def test_threads_do_not_change_a_bit(kind):
    pytest.importorskip("numba")
    inputs = given(kind, rows=37, channels=1025 if kind != "group" else 1025 * 5)
    results = []
    for count in (1, 2):
        with thread_limit(count):
            results.append(run("numba_compiled", inputs))
    np.testing.assert_array_equal(*results)


def test_the_compiled_sums_are_vectors():
    numba = pytest.importorskip("numba")
    from dl_exp.foundations import _normalisation_compiled as compiled

    row = numba.float32[::1]
    assert vector_width(compiled._row, (row, row, row, row, numba.boolean, numba.float32)) >= host_width()
    assert vector_width(compiled._update, (row, row, row, numba.float32)) >= host_width()
    assert vector_width(compiled._scale, (row, row, row, row, row)) >= host_width()
