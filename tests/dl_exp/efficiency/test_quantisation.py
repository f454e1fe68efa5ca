"""Quantisation: MLX's own codes bit for bit, what rounding may lose, what feedback saves, packed products, assembly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from assembly import host_width, vector_width
from kernel_checks import every_language, needs_a_compiler

from dl_exp.efficiency import _quantisation_codes as codes
from dl_exp.efficiency import _quantisation_laws as laws
from dl_exp.efficiency import quantisation
from dl_exp.efficiency._quantisation_kernel import PRODUCT, kernel
from dl_exp.emulator import emulating
from exp_core.machine import thread_limit
from exp_core.tensor import from_numpy, to_numpy

mx = pytest.importorskip("mlx.core")
SCHEMES = pytest.mark.parametrize(("bits", "group"), [(b, g) for b in (4, 8) for g in (32, 64, 128)])


@pytest.fixture(autouse=True)
def on_the_cpu():
    before = mx.default_device()
    mx.set_default_device(mx.cpu)
    yield
    mx.set_default_device(before)


def weights(rows=40, k=256):
    """Normal ones, and rows that are awkward: nothing, all the same, one sign, an outlier, tiny, ties of both ends."""
    w = np.random.default_rng(0).standard_normal((rows, k)).astype(np.float32)
    w[0], w[1], w[2], w[3, 5], w[4] = 0, 1, abs(w[2]), 1000, 1e-9 * w[4]
    w[5] = np.resize([1, -1], k)
    w[6], w[7] = -abs(w[6]), -3
    return w


@SCHEMES
def test_the_codes_are_those_of_mlx_to_the_last_bit(bits, group):
    w = weights()
    for ours, theirs in zip(
        codes.groupwise(w, bits, group), mx.quantize(from_numpy(w, "mlx"), group, bits), strict=True
    ):
        np.testing.assert_array_equal(ours, to_numpy(theirs))


@SCHEMES
def test_rounding_loses_half_a_step_at_most(bits, group):
    """And where zero was moved onto the grid, the far end of a group may be cut off: half a step more, and rounding."""
    w = weights()
    packed, scales, biases = codes.groupwise(w, bits, group)
    error = abs(codes.dequantised(packed, scales, biases, bits) - w).reshape(*scales.shape, -1)
    assert (error <= abs(scales[..., None]) * (1 + 2.0**-20) + 2.0**-22 * abs(w.reshape(error.shape))).all()
    inside = np.median(error / abs(scales[..., None]))
    assert inside <= 0.5
    zeros = np.zeros((1, group), np.float32)
    assert not codes.dequantised(*codes.groupwise(zeros, bits, group), bits).any()


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_words_give_back_what_was_packed(bits):
    q = np.random.default_rng(bits).integers(0, 2**bits, (5, 96), np.uint32)
    q[0], q[1] = 0, 2**bits - 1
    packed = codes.pack(q, bits)
    assert packed.dtype == np.uint32 and packed.shape == (5, 96 * bits // 32)
    np.testing.assert_array_equal(codes.unpack(packed, bits), q)
    assert codes.bits_of(np.empty((1, 96)), packed) == bits


@SCHEMES
def test_feedback_keeps_more_of_the_product_where_inputs_correlate(bits, group):
    """On inputs that it has not seen; and nothing is gained by it where inputs are independent."""
    rng = np.random.default_rng(3)
    w = rng.standard_normal((32, 128)).astype(np.float32)
    seen, x = (quantisation.correlated(rng, n, 128) for n in (512, 64))
    whole = x @ w.T.astype(float)

    def lost(made):
        return np.linalg.norm(x @ codes.dequantised(*made, bits).T - whole)

    nearest = lost(codes.groupwise(w, bits, group))
    assert lost(codes.fed_back(w, seen, bits, group)) < nearest / 2
    none = codes.fed_back(w, np.eye(128), bits, group)
    for ours, plain in zip(none, codes.groupwise(w, bits, group), strict=True):
        np.testing.assert_array_equal(ours, plain)


def test_feedback_minimises_what_it_says():
    """Of two columns: after the first is rounded, the second's best value is the least-squares one."""
    x = np.array([[1.0, 0.9], [0.2, 1.0], [0.5, -0.3]])
    H = x.T @ x
    lost = 0.37
    best = lost * H[0, 1] / H[1, 1]  # minimises |x (lost, -d)| over d
    U = np.linalg.cholesky(np.linalg.inv(H)).T
    assert -lost * U[0, 1] / U[0, 0] == pytest.approx(best)


def inputs(rows, k, out, bits, group, seed=0):
    return quantisation.normal_weights(rows, k, out, bits, group, dtype="float32", rng=np.random.default_rng(seed))


@SCHEMES
@pytest.mark.parametrize(("rows", "groups", "out"), [(1, 1, 1), (3, 5, 7), (2, 3, 33), (64, 1, 1), (67, 5, 131)])
def test_whole_numbers_come_out_exactly(bits, group, rows, groups, out):
    """Scales of 1/2 and whole offsets and inputs: nothing is rounded, whatever the order."""
    pytest.importorskip("numba", reason="a compiled rung")
    rng = np.random.default_rng(rows)
    k = group * groups
    x = rng.integers(-4, 5, (rows, k)).astype(np.float32)
    packed = codes.pack(rng.integers(0, 2**bits, (out, k), np.uint32), bits)
    scales = np.full((out, groups), 0.5, np.float32)
    biases = rng.integers(-8, 9, (out, groups)).astype(np.float32)
    truth = laws.exact(x, packed, scales, biases, None, None)
    np.testing.assert_array_equal(quantisation.fused_compiled(x, packed, scales, biases), truth)
    if rows < 64:  # else it takes a minute
        np.testing.assert_array_equal(quantisation.by_the_formula(x, packed, scales, biases), truth)
    arrays = [from_numpy(a, "mlx") for a in (x, packed, scales, biases)]
    np.testing.assert_array_equal(to_numpy(quantisation.unpacked(*arrays)), truth)


@pytest.mark.parametrize(("rows", "k", "out", "bits"), [(3, 512, 301, 4), (301, 96, 67, 4), (67, 160, 301, 8)])
def test_threads_change_no_bit_and_layouts_do_not_matter(rows, k, out, bits):
    pytest.importorskip("numba", reason="a compiled rung")
    x, packed, scales, biases, *_ = inputs(rows, k, out, bits, 32)
    with thread_limit(1):
        alone = quantisation.fused_compiled(x, packed, scales, biases)
    others = [np.asfortranarray(a) for a in (x, packed, scales, biases)]
    np.testing.assert_array_equal(quantisation.fused_compiled(x, packed, scales, biases), alone)
    np.testing.assert_array_equal(quantisation.fused_compiled(*others), alone)


def test_outliers_take_their_neighbours_down_and_8_bits_save_them():
    lost = {}
    for make, bits in ((quantisation.normal_weights, 4), (quantisation.outliers, 4), (quantisation.outliers, 8)):
        made = make(4, 256, 64, bits, 64, dtype="float32", rng=np.random.default_rng(5))
        _, packed, scales, biases, w, _ = made
        small = abs(w) < 4  # those that are no outliers
        error = (codes.dequantised(packed, scales, biases, bits) - w)[small]
        lost[make.__name__, bits] = np.sqrt((error**2).mean())
    assert lost["outliers", 4] > 3 * lost["normal_weights", 4]
    assert lost["outliers", 8] < lost["outliers", 4] / 8


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"bits": 3}, "4 or 8 bits"),
        ({"group": 48}, "groups 32, 64 or 128"),
        ({"k": 100}, "choose --k 128"),
    ],
)
def test_sizes_that_the_scheme_does_not_have_are_refused(sizes, said):
    for make in (quantisation.normal_weights, quantisation.outliers, quantisation.fed_back):
        with pytest.raises(ValueError, match=said):
            make(**sizes, dtype="float32", rng=np.random.default_rng(0))


@needs_a_compiler
@every_language
@pytest.mark.parametrize(
    ("rows", "k", "out", "bits", "group"), [(1, 32, 1, 4, 32), (3, 192, 5, 8, 64), (2, 640, 3, 4, 128)]
)
def test_the_kernel_on_awkward_shapes(language, rows, k, out, bits, group):
    """Fewer words than threads; words that are no multiple of 32."""
    made = inputs(rows, k, out, bits, group)
    with emulating(language):
        y = kernel(*made[:4])
    assert laws.componentwise_error(y, *made, laws.exact(*made)) <= laws.bound(*made)


@needs_a_compiler
@every_language
@pytest.mark.parametrize(
    ("right", "wrong"), [("(i * BITS)", "(i * BITS + 1)"), ("/ GROUP;", "/ GROUP / 2;"), ("j += 32", "j += 33")]
)
def test_a_kernel_that_reads_the_wrong_bits_is_seen(language, right, wrong):
    import dataclasses

    from dl_exp.kernel import instead_of

    made = inputs(2, 640, 3, 4, 64)
    broken = {name: getattr(PRODUCT, name).replace(right, wrong) for name in ("metal", "cuda")}
    assert broken["metal"] != PRODUCT.metal and broken["cuda"] != PRODUCT.cuda
    with emulating(language), instead_of(PRODUCT, dataclasses.replace(PRODUCT, **broken)):
        y = kernel(*made[:4])
    assert laws.componentwise_error(y, *made, laws.exact(*made)) > laws.bound(*made)


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_the_row_s_instructions_are_right_for_vectors_of_every_width(lanes, monkeypatch):
    """As other processors have them: LLVM splits what is too wide for this one.  Rows of whole vectors and of parts."""
    numba = pytest.importorskip("numba", reason="a compiled rung")
    from dl_exp.efficiency import _quantisation_compiled as compiled
    from dl_exp.efficiency import _quantisation_row as row

    monkeypatch.setattr(row, "lane_count", lambda: lanes)
    rows, ordered = (
        numba.njit(nogil=True, error_model="numpy")(getattr(compiled, name).dispatcher.py_func)
        for name in ("_rows", "_ordered")
    )
    for bits, group in ((b, g) for b in (4, 8) for g in (32, 64, 128)):
        for count, groups, out in ((1, 1, 1), (2, 3, 5), (5, 4, 3), (4, 7, 2)):
            made = inputs(count, group * groups, out, bits, group)
            x, packed, scales, biases, *_ = made
            y = np.full((count, out), np.nan, np.float32)
            flat = [a.reshape(-1) for a in (packed, scales, biases)]
            rows(ordered(x, bits), *flat, groups, bits, y, 0, out)
            assert laws.componentwise_error(y, *made, laws.exact(*made)) <= laws.bound(*made)


def test_a_part_of_the_rows_of_weights_leaves_the_other_columns_alone():
    pytest.importorskip("numba", reason="a compiled rung")
    from dl_exp.efficiency import _quantisation_compiled as compiled

    x, packed, scales, biases, *_ = inputs(6, 96, 11, 4, 32)
    whole = quantisation.fused_compiled(x, packed, scales, biases)
    y = np.full_like(whole, np.nan)
    flat = [a.reshape(-1) for a in (packed, scales, biases)]
    compiled._rows(compiled._ordered(x, 4), *flat, 3, 4, y, 3, 7)
    np.testing.assert_array_equal(y[:, 3:7], whole[:, 3:7])
    assert np.isnan(y[:, :3]).all() and np.isnan(y[:, 7:]).all()


@pytest.mark.parametrize(("n", "step", "threads"), [(1, 8, 1), (1, 8, 3), (65, 32, 2), (96, 32, 5), (1024, 8, 2)])
def test_parts_are_whole_steps_that_leave_nothing_out(n, step, threads):
    pytest.importorskip("numba", reason="a compiled rung")
    from dl_exp.efficiency import _quantisation_compiled as compiled

    parts = [compiled._part(n, step, t, threads) for t in range(threads)]
    assert (parts[0][0], parts[-1][1]) == (0, n)
    assert all(end == begin for (_, end), (begin, _) in itertools.pairwise(parts))
    assert all(begin % step == 0 or begin == n for begin, _ in parts)


@SCHEMES
def test_panels_keep_the_bound_and_a_wrong_weight_breaks_it(bits, group):
    """As many rows as it takes; a panel whose first weight has its neighbour's code is seen."""
    pytest.importorskip("numba", reason="a compiled rung")
    from dl_exp.efficiency import _quantisation_compiled as compiled

    made = inputs(compiled.MANY + 3, 3 * group, 37, bits, group)
    y = quantisation.fused_compiled(*made[:4])
    truth = laws.exact(*made)
    assert laws.componentwise_error(y, *made, truth) <= laws.bound(*made)
    spoilt = made[1].copy()
    spoilt[0, 0] ^= 1
    y = quantisation.fused_compiled(made[0], spoilt, *made[2:4])
    assert laws.componentwise_error(y, *made, truth) > laws.bound(*made)


def test_tiny_and_huge_numbers_keep_their_digits():
    """No code is scaled by where it lies in its word: inputs near the ends of float32 lose nothing."""
    pytest.importorskip("numba", reason="a compiled rung")
    x, packed, _, _, *rest = inputs(2, 128, 3, 4, 32)
    for size, scale in ((1e-30, 1.0), (1e36, 1e-3), (1.0, 1e-30)):
        made = (
            x * np.float32(size),
            packed,
            np.full((3, 4), scale, np.float32),
            np.full((3, 4), -8 * scale, np.float32),
        )
        y = quantisation.fused_compiled(*made)
        assert laws.componentwise_error(y, *made, *rest, laws.exact(*made, *rest)) <= laws.bound(*made, *rest)


def test_the_loop_is_made_of_vector_instructions():
    numba = pytest.importorskip("numba")
    from dl_exp.efficiency import _quantisation_compiled as compiled

    real, word, size = numba.float32, numba.uint32, numba.int64
    signature = (real[:, :, :, ::1], word[::1], real[::1], real[::1], size, size, real[:, ::1], size, size)
    assert vector_width(compiled._rows, signature) >= host_width()
