"""The gradient of attention: differences, laws of the softmax, memory, kernels and their barriers, and a check."""

from __future__ import annotations

import numpy as np
import pytest
from assembly import host_width, vector_width
from kernel_checks import assert_every_barrier_matters, every_language, needs_a_compiler

from dl_exp.emulator import emulating
from dl_exp.sequence import _attention_gradient_kernel as kernels
from dl_exp.sequence import _attention_gradient_laws as laws
from dl_exp.sequence import _attention_laws as forwards
from dl_exp.sequence import attention_gradient as experiment
from exp_core.contestants import Contestant
from exp_core.machine import thread_limit
from exp_core.memory import traced_peak
from exp_core.nests import as_numpy

WAYS = {row.name: row for row in experiment.EXPERIMENT.implementations if not row.devices}
every_way = pytest.mark.parametrize("name", WAYS)


@pytest.fixture(autouse=True)
def overflow_is_a_result():
    with np.errstate(all="ignore"):
        yield


def run(name, inputs):
    """The gradients in NumPy, on the processor."""
    row = WAYS[name]
    for module in row.modules:
        pytest.importorskip(module)
    if row.skip and row.skip(*inputs):
        pytest.skip(str(row.skip(*inputs)))
    return as_numpy(Contestant(row).ready(inputs)())


def random(heads=2, groups=2, length=9, keys=9, dim=6, causal=False, dtype="float32"):
    rng = np.random.default_rng(8)
    shapes = (heads, length, dim), (groups, keys, dim), (groups, keys, dim), (heads, length, dim)
    return *(rng.standard_normal(shape).astype(dtype) for shape in shapes), causal


def broken(result, inputs):
    """The laws that a result breaks."""
    truth = laws.exact(*inputs)
    return [name for name, law in laws.LAWS.items() if not law(result, *inputs, truth) <= laws.BOUND[name](*inputs)]


@pytest.mark.parametrize("causal", [False, True])
def test_the_oracle_is_the_derivative(causal):
    """Central differences of $\\sum do \\, o$ in float64: their own error is of the order of h^2 and u / h."""
    q, k, v, do, _ = random(4, 2, 7, 5, 3, causal, "float64")
    gradients, _ = laws.exact(q, k, v, do, causal)
    h, rng = 1e-5, np.random.default_rng(0)
    for place, gradient in enumerate(gradients):
        way = rng.standard_normal(gradient.shape)

        def loss(step, place=place, way=way):
            moved = [x + step * way if at == place else x for at, x in enumerate((q, k, v))]
            return float((forwards.exact(*moved, causal)[0] * do).sum())

        assert (loss(h) - loss(-h)) / (2 * h) == pytest.approx((gradient * way).sum(), rel=1e-7, abs=1e-8)


@every_way
def test_equal_values_send_nothing_to_the_scores(name):
    """If all values are the same, no weight matters: dq and dk vanish, and dv still adds up to do."""
    q, k, v, do, _ = random()
    inputs = q, k, np.broadcast_to(v[:, :1], v.shape).copy(), do, False
    dq, dk, dv = run(name, inputs)
    _, sizes = laws.exact(*inputs)
    for gradient, size in ((dq, sizes[0]), (dk, sizes[1])):
        assert (np.abs(gradient) <= laws.score_bound(*inputs) * size).all()
    close = laws.value_bound(*inputs) * np.abs(do).sum(axis=1)
    assert (np.abs(dv.sum(axis=1) - do.sum(axis=1)) <= close).all()


@every_way
def test_a_shift_of_all_keys_moves_nothing(name):
    """It adds the same number to all scores of a query: dk adds up to zero over the keys."""
    inputs = random()
    dk = run(name, inputs)[1].astype(np.float64)
    _, (_, size, _) = laws.exact(*inputs)
    assert (np.abs(dk.sum(axis=1)) <= laws.score_bound(*inputs) * size.sum(axis=1)).all()


@every_way
def test_the_future_gets_nothing(name):
    """do is zero up to query 60: nothing goes to it; and do is zero from there on: nothing goes to later keys."""
    q, k, v, do, _ = random(length=100, keys=100, dim=5)
    early, late = do.copy(), do.copy()
    early[:, 60:], late[:, :60] = 0, 0
    assert not run(name, (q, k, v, late, True))[0][:, :60].any()
    _, dk, dv = run(name, (q, k, v, early, True))
    assert not dk[:, 60:].any()
    assert not dv[:, 60:].any()


@every_way
def test_heads_that_share_their_keys_add_up(name):
    inputs = q, k, v, do, _ = random(heads=6, groups=2)
    copies = q, k.repeat(3, axis=0), v.repeat(3, axis=0), do, False
    dq, dk, dv = run(name, inputs)
    each_dq, each_dk, each_dv = run(name, copies)
    together = each_dq, *(x.reshape(2, 3, 9, 6).sum(axis=1) for x in (each_dk, each_dv))
    assert broken((dq, dk, dv), inputs) == broken(together, inputs) == []


@every_way
def test_a_query_that_sees_nothing_sends_nothing(name):
    inputs = random(length=7, keys=3, causal=True)
    result = run(name, inputs)
    assert not result[0][:, :4].any()
    assert broken(result, inputs) == []


@pytest.mark.parametrize("name", ["tiled", "numba_compiled"])
@pytest.mark.parametrize("causal", [False, True])
def test_every_edge_of_the_tiles(name, causal):
    for length in (1, 95, 96, 97, 127, 128, 129, 193):
        for keys in (1, 63, 64, 65, 129):
            inputs = random(1, 1, length, keys, 17 if keys == 65 else 3, causal)
            assert broken(run(name, inputs), inputs) == [], (length, keys)


@pytest.mark.parametrize("name", ["tiled", "numba_compiled"])
def test_memory_is_linear(name):
    run(name, random())  # what compiling takes is no working storage
    peaks = []
    for n in (1024, 2048, 4096):
        inputs = random(1, 1, n, n, 16, causal=True)
        with thread_limit(1):
            peaks.append(traced_peak(lambda inputs=inputs: run(name, inputs)))
    assert (peaks[2] - peaks[1]) / (peaks[1] - peaks[0]) == pytest.approx(2, rel=0.1)
    assert peaks[2] < 4096 * 4096 * 4 / 2


def test_threads_do_not_change_a_bit():
    pytest.importorskip("numba")
    inputs, results = random(4, 2, 150, 150, 20, True), []
    for count in (1, 2):
        with thread_limit(count):
            results.append(run("numba_compiled", inputs))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_compiled_row_is_vectors():
    numba = pytest.importorskip("numba")
    from dl_exp.sequence import _attention_gradient_compiled as compiled

    row, number = numba.float32[::1], numba.float32
    assert vector_width(compiled._row, (row, row, number, number, number, numba.intp)) >= host_width()


# --- the kernels ---


@needs_a_compiler
@every_language
def test_no_barrier_is_too_many(language):
    q, k, v, do, causal = random(2, 1, 70, 70, 5)
    logsum, sent = (np.ones((2, 70), np.float32) for _ in range(2))
    assert_every_barrier_matters(
        kernels.OF_QUERIES, language, lambda: kernels.of_queries(q, k, v, do, do, logsum, causal)
    )
    assert_every_barrier_matters(kernels.OF_KEYS, language, lambda: kernels.of_keys(q, k, v, do, logsum, sent, causal))


@needs_a_compiler
@every_language
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize(("length", "keys", "dim"), [(1, 1, 1), (17, 33, 33), (7, 40, 96), (40, 13, 4)])
def test_awkward_sizes_of_the_kernels(language, dtype, length, keys, dim):
    """Fewer than 8 numbers (Metal's constant memory), one beside each tile, queries that see nothing."""
    inputs = experiment.unseeing(2, length, keys, dim, dtype=dtype, rng=np.random.default_rng(4))
    with emulating(language):
        assert broken(as_numpy(kernels.kernel(*inputs)), inputs) == []


@needs_a_compiler
@every_language
def test_mlx_differentiates_through_the_kernels(language):
    mx = pytest.importorskip("mlx.core")
    q, k, v, do, causal = inputs = random(2, 1, 20, 20, 5, True)
    with mx.stream(mx.cpu), emulating(language):

        def loss(q, k, v):
            return mx.sum(kernels.attention(q, k, v, causal) * mx.array(do))

        gradients = mx.grad(loss, argnums=(0, 1, 2))(*map(mx.array, (q, k, v)))
        mx.eval(gradients)
    assert broken(as_numpy(tuple(gradients)), inputs) == []


# --- the check ---

SABOTAGE = {
    "forgets D": lambda q, k, v, do, dq, dk, dv: (without_row_sums(q, k, v, do), dk, dv),
    "forgets the scale": lambda q, k, v, do, dq, dk, dv: (dq * np.sqrt(6), dk, dv),
    "changes a sign": lambda q, k, v, do, dq, dk, dv: (dq, -dk, dv),
    "adds a query twice": lambda q, k, v, do, dq, dk, dv: (dq, dk, dv + do[:, :1] / 9),
    "leaves one out": lambda q, k, v, do, dq, dk, dv: (dq, dk),
    "is not a number, once": lambda q, k, v, do, dq, dk, dv: (dq, np.where(dk == dk.max(), np.nan, dk), dv),
}


def without_row_sums(q, k, v, do):
    """dq from $P \\circ dP$ alone."""
    p = np.stack([laws.weights(q[h], k[h], [9] * 9) for h in range(2)])
    return (p * (do @ v.swapaxes(1, 2))) @ k / np.sqrt(6)


@pytest.mark.parametrize("spoil", SABOTAGE.values(), ids=SABOTAGE)
def test_sabotage_is_caught(spoil):
    inputs = q, k, v, do, _ = random()
    result = run("by_the_formula", inputs)
    assert broken(result, inputs) == []
    assert broken(tuple(x.astype(np.float32) for x in spoil(q, k, v, do, *result)), inputs)
