"""The gradient of normalisation: differences, projections, kernels and their barriers, and a check that sees."""

from __future__ import annotations

import numpy as np
import pytest
from assembly import host_width, vector_width
from kernel_checks import assert_every_barrier_matters, every_language, needs_a_compiler

from dl_exp.emulator import emulating
from dl_exp.foundations import _normalisation_bounds as forwards
from dl_exp.foundations import _normalisation_gradient_laws as laws
from dl_exp.foundations import normalisation_gradient as experiment
from dl_exp.foundations._normalisation_differentiable import normalise
from dl_exp.foundations._normalisation_gradient_kernel import COLUMNS, HIGH, ROWS, THREADS, WIDE, kernel
from exp_core.contestants import Contestant
from exp_core.machine import thread_limit
from exp_core.nests import as_numpy

WAYS = {row.name: row for row in experiment.EXPERIMENT.implementations if not row.devices}
every_way = pytest.mark.parametrize("name", WAYS)
every_kind = pytest.mark.parametrize("kind", ["layer", "rms"])


def run(name, inputs):
    """The gradients in NumPy, on the processor."""
    for module in WAYS[name].modules:
        pytest.importorskip(module)
    return as_numpy(Contestant(WAYS[name]).ready(inputs)())


def given(kind, rows=7, channels=40, dtype="float32"):
    return getattr(experiment, kind)(rows, channels, dtype=dtype, rng=np.random.default_rng(6))


def broken(result, inputs):
    """The laws that a result breaks."""
    truth = laws.exact(*inputs)
    return [name for name, law in laws.LAWS.items() if not law(result, *inputs, truth) <= laws.BOUND[name](*inputs)]


@every_kind
def test_the_oracle_is_the_derivative(kind):
    """Central differences of $\\sum dy \\, y$ in float64: their own error is of the order of h^2 and u / h."""
    x, w, dy, _ = (each.astype(np.float64) if isinstance(each, np.ndarray) else each for each in given(kind, 3, 11))
    b, h, rng = np.zeros(11), 1e-5, np.random.default_rng(0)
    (dx, dw, db), _ = laws.exact(x, w, dy, kind)

    def loss(x, w, b):
        return float((forwards.exact(x, w, b, kind, 1)[0] * dy).sum())

    along = [rng.standard_normal(each.shape) for each in (x, w, b)]
    for place, gradient in enumerate((dx, dw, db)):
        step = [h * (at == place) * way for at, way in enumerate(along)]
        ahead = loss(*(each + d for each, d in zip((x, w, b), step, strict=True)))
        behind = loss(*(each - d for each, d in zip((x, w, b), step, strict=True)))
        assert (ahead - behind) / (2 * h) == pytest.approx((gradient * along[place]).sum(), rel=1e-7, abs=1e-8)


@every_way
@every_kind
def test_nothing_lies_along_1_or_along_z(name, kind):
    """Shifting a row, or stretching it, moves no output (but for epsilon): no gradient may point there."""
    x, _, _, _ = inputs = given(kind)
    dx = run(name, inputs)[0].astype(np.float64)
    _, (sizes, _, _) = laws.exact(*inputs)
    close = laws.input_bound(*inputs)
    centred = x - (0 if kind == "rms" else x.mean(axis=1, keepdims=True, dtype=np.float64))
    if kind == "layer":
        assert (np.abs(dx.sum(axis=1)) <= 2 * close * sizes.sum(axis=1)).all()
    reach = (sizes * np.abs(centred)).sum(axis=1)
    assert (
        np.abs((dx * centred).sum(axis=1)) <= (2 * close + forwards.EPS / np.square(centred).mean(axis=1)) * reach
    ).all()


@every_way
@every_kind
def test_a_gradient_along_1_and_z_vanishes(name, kind):
    """With w = 1, dy = 1 + z of a Layer and dy = z of RMS are sent back as nothing."""
    x, _, _, _ = given(kind)
    centred = x - (0 if kind == "rms" else x.mean(axis=1, keepdims=True, dtype=np.float64))
    z = centred / np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + forwards.EPS)
    dy = (z if kind == "rms" else 1 + z).astype(np.float32)
    inputs = x, np.ones(x.shape[1], np.float32), dy, kind
    dx = run(name, inputs)[0]
    _, (sizes, _, _) = laws.exact(*inputs)
    assert (np.abs(dx) <= (laws.input_bound(*inputs) + 2 * forwards.EPS) * sizes).all()


@every_way
@every_kind
def test_the_bias_gets_the_sum_and_a_row_alone_its_own(name, kind):
    inputs = given(kind, rows=1)
    dx, _, db = run(name, inputs)
    np.testing.assert_array_equal(db, inputs[2][0])
    assert dx.shape == inputs[0].shape


@every_kind
def test_threads_do_not_change_a_bit(kind):
    pytest.importorskip("numba")
    inputs, results = given(kind, 37, 131), []
    for count in (1, 2):
        with thread_limit(count):
            results.append(run("numba_compiled", inputs))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_compiled_sums_are_vectors():
    numba = pytest.importorskip("numba")
    from dl_exp.foundations import _normalisation_gradient_compiled as compiled

    row = numba.float32[::1]
    assert vector_width(compiled._row, (*[row] * 6, numba.boolean, numba.float32)) >= host_width()


# --- the kernels ---


@needs_a_compiler
@every_language
def test_no_barrier_is_too_many(language):
    from dl_exp.foundations._normalisation_gradient_kernel import _columns, _rows

    x, w, dy, _ = given("layer", 2, 300)
    assert_every_barrier_matters(ROWS, language, lambda: _rows(x, w, dy, True))
    x, _, dy, _ = given("layer", 19, 40)
    assert_every_barrier_matters(COLUMNS, language, lambda: _columns(x, dy, np.ones((19, 2), np.float32)))


@needs_a_compiler
@every_language
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("layer", (1, 1)),
        ("layer", (HIGH, WIDE)),
        ("rms", (HIGH + 1, WIDE + 1)),
        ("layer", (2, THREADS + 1)),
        ("rms", (1, 7)),
    ],
)
def test_awkward_sizes_stay_within_the_bounds(language, dtype, kind, shape):
    """Fewer than 8 entries (Metal's constant memory), one beside the group's and the tile's size."""
    inputs = given(kind, *shape, dtype)
    with emulating(language):
        assert broken(as_numpy(kernel(*inputs)), inputs) == []


@needs_a_compiler
@every_language
@every_kind
def test_mlx_differentiates_through_the_kernels(language, kind):
    """mx.grad of a loss of the kernel's result is what the kernel backwards makes of the loss's own gradient."""
    mx = pytest.importorskip("mlx.core")
    x, w, dy, _ = inputs = given(kind, 5, 33)
    arrays = [mx.array(each) for each in (x, w, np.zeros_like(w))]
    with mx.stream(mx.cpu), emulating(language):
        loss = lambda x, w, b: mx.sum(normalise(x, w, b, kind) * mx.array(dy))  # noqa: E731
        gradients = mx.grad(loss, argnums=(0, 1, 2))(*arrays)
        mx.eval(gradients)
    assert broken(as_numpy(tuple(gradients)), inputs) == []


# --- the check ---

SABOTAGE = {
    "forgets the mean's part": lambda dx, dw, db, x, w, dy: (dx + 0.01, dw, db),
    "forgets the variance's part": lambda dx, dw, db, x, w, dy: (dx + 0.01 * (x - x.mean(1, keepdims=True)), dw, db),
    "forgets w": lambda dx, dw, db, x, w, dy: (dx / w, dw, db),
    "forgets a row": lambda dx, dw, db, x, w, dy: (dx, dw, db - dy[-1]),
    "takes x for z": lambda dx, dw, db, x, w, dy: (dx, (dy * x).sum(0), db),
    "leaves one out": lambda dx, dw, db, x, w, dy: (dx, dw),
    "is not a number, once": lambda dx, dw, db, x, w, dy: (dx, np.where(np.arange(dw.size) == 3, np.nan, dw), db),
}


@pytest.mark.parametrize("spoil", SABOTAGE.values(), ids=SABOTAGE)
def test_sabotage_is_caught(spoil):
    inputs = x, w, dy, _ = given("layer")
    result = run("by_the_formula", inputs)
    assert broken(result, inputs) == []
    assert broken(tuple(each.astype(np.float32) for each in spoil(*result, x, w, dy)), inputs)
