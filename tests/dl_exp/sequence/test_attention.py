"""Attention: means that must be themselves, masks, tiles and their edges, memory, and a check that sees."""

from __future__ import annotations

import numpy as np
import pytest
from assembly import host_width, vector_width
from kernel_checks import assert_every_barrier_matters, every_language, needs_a_compiler

from dl_exp.emulator import emulating
from dl_exp.sequence import _attention_laws as laws
from dl_exp.sequence import attention as experiment
from dl_exp.sequence._attention_kernel import FLASH, QUERIES, kernel
from exp_core.contestants import Contestant
from exp_core.machine import thread_limit
from exp_core.memory import traced_peak
from exp_core.nests import as_numpy

ROWS = {row.name: row for row in experiment.EXPERIMENT.implementations if not row.devices}
every_way = pytest.mark.parametrize("name", ROWS)


@pytest.fixture(autouse=True)
def overflow_is_a_result():
    with np.errstate(all="ignore"):
        yield


def run(name, inputs):
    """The result in NumPy, on the processor."""
    row = ROWS[name]
    for module in row.modules:
        pytest.importorskip(module)
    if row.skip and row.skip(*inputs):
        pytest.skip(str(row.skip(*inputs)))
    return as_numpy(Contestant(row).ready(inputs)())


def random(heads=2, groups=2, length=9, keys=9, dim=6, causal=False, dtype="float32", seed=0):
    rng = np.random.default_rng(seed)
    q, k, v = (rng.standard_normal((h, n, dim)) for h, n in ((heads, length), (groups, keys), (groups, keys)))
    return q.astype(dtype), k.astype(dtype), v.astype(dtype), causal


def off(o, inputs):
    return laws.error(o, *inputs, laws.exact(*inputs))


# --- the subject's laws ---


@every_way
def test_equal_scores_give_the_mean(name):
    """A query of zeros sees all its keys alike; causal: those up to its own."""
    q, k, v, _ = random()
    inputs = np.zeros_like(q), k, v, True
    means = np.cumsum(v, axis=1) / np.arange(1, 10)[:, None]
    np.testing.assert_allclose(run(name, inputs), means, rtol=0, atol=8 * ROWS[name].bound(*inputs))


@every_way
def test_a_single_key_is_copied(name):
    """Whatever its score, its weight is one: exactly so where the score is shifted to zero."""
    inputs = random(keys=1)
    right = np.broadcast_to(inputs[2], inputs[0].shape)
    np.testing.assert_allclose(run(name, inputs), right, rtol=2**-22 if name == "by_the_formula" else 0)


@every_way
def test_the_order_of_the_keys_does_not_matter(name):
    inputs = q, k, v, _ = random(keys=77)
    order = np.random.default_rng(1).permutation(77)
    one, other = run(name, inputs), run(name, (q, k[:, order], v[:, order], False))
    np.testing.assert_allclose(one, other, rtol=0, atol=8 * ROWS[name].bound(*inputs))


@every_way
def test_the_future_changes_no_bit(name):
    """Not even if it holds the largest keys that there are, or values that are not numbers."""
    q, k, v, _ = random(length=100, keys=100, dim=8)
    before = run(name, (q, k, v, True))
    k[:, 60:], v[:, 60:] = 1e3, 7
    np.testing.assert_array_equal(run(name, (q, k, v, True))[:, :60], before[:, :60])


@every_way
def test_heads_that_share_their_keys(name):
    """Two groups for six heads are the same as six heads with copies of them."""
    inputs = q, k, v, causal = random(heads=6, groups=2, causal=True)
    copies = q, k.repeat(3, axis=0), v.repeat(3, axis=0), causal
    np.testing.assert_allclose(run(name, inputs), run(name, copies), rtol=0, atol=8 * ROWS[name].bound(*inputs))


@every_way
def test_a_query_that_sees_nothing_is_zero(name):
    """Seven queries, three keys: the last three see one, two, three of them."""
    inputs = random(length=7, keys=3, causal=True)
    o = run(name, inputs)
    assert not o[:, :4].any()
    assert off(o, inputs) <= ROWS[name].bound(*inputs)
    np.testing.assert_array_equal(o[:, 4], inputs[2][:, 0])


@every_way
def test_what_is_not_a_number_is_seen_by_those_who_see_it(name):
    q, k, v, _ = random(length=70, keys=70)
    q[0, 5, 1] = k[1, 65, 0] = np.nan
    o = run(name, (q, k, v, True))
    spoilt = np.zeros(o.shape, bool)
    spoilt[0, 5] = spoilt[1, 65:] = True
    np.testing.assert_array_equal(np.isnan(o), spoilt)


def test_large_scores_overflow_the_formula_alone():
    inputs = experiment.large(1, 40, 8, dtype="float32", rng=np.random.default_rng(3))
    with np.errstate(all="ignore"):
        assert not off(run("by_the_formula", inputs), inputs) <= 1
    for name in set(ROWS) - {"by_the_formula", "numba_compiled"}:
        assert off(run(name, inputs), inputs) <= ROWS[name].bound(*inputs)


# --- tiles ---


@pytest.mark.parametrize("name", ["tiled", "numba_compiled"])
@pytest.mark.parametrize("causal", [False, True])
def test_every_edge_of_the_tiles(name, causal):
    """One less, equal, one more: than the rows of a register tile, a tile of queries, of keys, a panel's width."""
    for length in (1, 5, 6, 7, 47, 48, 49, 127, 128, 129):
        for keys in (1, 63, 64, 65, 127, 128, 129):
            for dim in (1, 15, 16, 17, 64, 65) if keys == 65 and length == 49 else (3,):
                inputs = random(1, 1, length, keys, dim, causal)
                assert off(run(name, inputs), inputs) <= ROWS[name].bound(*inputs), (length, keys, dim)


def test_memory_of_the_tiles_is_linear():
    """Doubling the length doubles what grows; all scores at once would be four times as many."""
    peaks = []
    for n in (512, 1024, 2048):
        inputs = random(1, 1, n, n, 32)
        peaks.append(traced_peak(lambda inputs=inputs: run("tiled", inputs)))
    assert (peaks[2] - peaks[1]) / (peaks[1] - peaks[0]) == pytest.approx(2, rel=0.1)
    assert peaks[2] < 2048 * 2048 * 4 / 4


def test_memory_of_the_compiled_tiles_is_linear():
    pytest.importorskip("numba")
    run("numba_compiled", random())
    peaks = []
    for n in (1024, 2048, 4096):
        inputs = random(1, 1, n, n, 32)
        peaks.append(traced_peak(lambda inputs=inputs: run("numba_compiled", inputs)))
    assert (peaks[2] - peaks[1]) / (peaks[1] - peaks[0]) == pytest.approx(2, rel=0.1)
    assert peaks[2] < 4096 * 4096 * 4 / 4


def test_threads_do_not_change_a_bit():
    pytest.importorskip("numba")
    inputs = random(3, 1, 200, 200, 20, True)
    results = []
    for count in (1, 2):
        with thread_limit(count):
            results.append(run("numba_compiled", inputs))
    np.testing.assert_array_equal(*results)


def test_the_compiled_step_is_vectors():
    numba = pytest.importorskip("numba")
    from dl_exp.sequence import _attention_row as row

    assert vector_width(row._weights, (numba.float32[::1], numba.float32)) >= host_width()


# --- the kernels ---


@needs_a_compiler
@every_language
def test_no_barrier_is_too_many(language):
    assert_every_barrier_matters(FLASH, language, lambda: kernel(*random(1, 1, QUERIES, 70, 5)))


@needs_a_compiler
@every_language
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize(
    ("length", "keys", "dim"),
    [(1, 1, 1), (2, 3, 1), (QUERIES, 32, 32), (QUERIES + 1, 33, 33), (7, 65, 100), (40, 13, 4)],
)
def test_awkward_sizes_of_the_kernel(language, dtype, length, keys, dim):
    """Fewer than 8 numbers (Metal's constant memory), one beside each tile, queries that see nothing."""
    inputs = experiment.unseeing(2, length, keys, dim, dtype=dtype, rng=np.random.default_rng(4))
    with emulating(language):
        o = kernel(*inputs)
    assert off(o, inputs) <= laws.tiled_bound(32)(*inputs)


# --- the check ---

SABOTAGE = {
    "forgets the scale": lambda q, k, v, causal: (q * 2, k, v, causal),
    "sees one key too many": lambda q, k, v, causal: (q, np.roll(k, -1, 1), np.roll(v, -1, 1), causal),
    "sees the future": lambda q, k, v, causal: (q, k, v, not causal),
    "takes another head's keys": lambda q, k, v, causal: (q, k[::-1], v, causal),
    "forgets a key": lambda q, k, v, causal: (q, k[:, :-1], v[:, :-1], False),
    "takes scores from halves": lambda q, k, v, causal: (q.astype("float16").astype("float32"), k, v, causal),
}


@pytest.mark.parametrize("broken", SABOTAGE.values(), ids=SABOTAGE)
def test_sabotage_is_caught(broken):
    for causal in (True, False):
        if broken is SABOTAGE["sees one key too many"] and not causal:
            continue  # the order of the keys does not matter
        inputs = random(length=40, keys=40, causal=causal)
        o = run("tiled", broken(*inputs))
        assert off(o, inputs) > max(row.bound(*inputs) for row in ROWS.values())


def test_the_reach_is_never_below_a_score():
    q, k, _, _ = random(length=50, keys=60)
    scores = np.einsum("hid,hjd->hij", q, k) / np.sqrt(6)
    assert np.abs(scores).max() <= laws.reach(q, k) * (1 + 1e-6)


def test_pairs_are_those_that_are_seen():
    for length, keys in ((5, 5), (3, 7), (7, 3)):
        q, k, _, _ = random(3, 1, length, keys)
        hidden = np.triu(np.ones((length, keys), bool), keys - length + 1)
        assert laws.pairs(q, k, True) == 3 * (~hidden).sum()
        assert laws.pairs(q, k, False) == 3 * length * keys
