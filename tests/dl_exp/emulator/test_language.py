"""What bodies may use computes what the languages' specifications say, on every type."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from emulated import run_body
from kernel_checks import needs_a_compiler

pytestmark = needs_a_compiler
ME = {"metal": "uint i = thread_position_in_grid.x;", "cuda": "unsigned i = blockIdx.x * blockDim.x + threadIdx.x;"}
both = pytest.mark.parametrize("language", ["metal", "cuda"])
HALVES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


@both
@pytest.mark.parametrize("name", HALVES)
def test_every_half_becomes_its_float(language, name):
    bits = np.arange(2**16, dtype=np.uint16).view(HALVES[name])
    y = run_body(language, ME[language] + "y[i] = float(x[i]);", {"x": bits}, grid=2**16, group=256, schedules=(0,))
    np.testing.assert_array_equal(y, bits.astype(np.float32))


@both
@pytest.mark.parametrize("name", HALVES)
def test_floats_round_to_the_nearest_half(language, name):
    """Every half, the middle between it and the next (a tie), and both neighbours of the middle."""
    dtype = HALVES[name]
    every = np.arange(2**16, dtype=np.uint16).view(dtype).astype(np.float32)
    every = np.sort(every[np.isfinite(every)])
    middle = ((every[1:].astype(float) + every[:-1]) / 2).astype(np.float32)
    x = np.concatenate([middle, np.nextafter(middle, -np.inf), np.nextafter(middle, np.inf)])
    x = np.concatenate([x, np.float32([np.inf, -np.inf, np.nan, 3.4e38, -65520, 65519.9, 1e-45, -0.0])])
    body = ME[language] + f"if (i < {x.size}) y[i] = T(x[i]);"
    y = run_body(language, body, {"x": x}, grid=x.size, group=256, template={"T": name}, dtype=name, schedules=(0,))
    with np.errstate(over="ignore"):
        wanted = x.astype(dtype)
    np.testing.assert_array_equal(y.view(np.uint16)[~np.isnan(x)], wanted.view(np.uint16)[~np.isnan(x)])
    assert np.isnan(y[np.isnan(x)].astype(np.float32)).all()


@both
@pytest.mark.parametrize("name", HALVES)
@pytest.mark.parametrize("operation", ["+", "-", "*", "/"])
def test_arithmetic_of_halves_rounds_once(language, name, operation):
    rng = np.random.default_rng(3)
    a, b = (rng.integers(0, 2**16, 4096, np.uint16).view(HALVES[name]) for _ in range(2))
    body = ME[language] + f"y[i] = a[i] {operation} b[i];"
    y = run_body(language, body, {"a": a, "b": b}, grid=4096, group=256, dtype=name, schedules=(0,))
    with np.errstate(all="ignore"):
        exact = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[operation](
            a.astype(np.float64), b.astype(np.float64)
        )
        wanted = exact.astype(np.float32).astype(HALVES[name])
    np.testing.assert_array_equal(y.astype(np.float32), wanted.astype(np.float32))


REDUCTIONS = {
    "metal": {"simd_sum(v)": np.sum, "simd_max(v)": np.max, "simd_min(v)": np.min, "simd_product(v)": np.prod},
    "cuda": {
        "__reduce_add_sync(~0u, v)": np.sum,
        "__reduce_max_sync(~0u, v)": np.max,
        "__reduce_min_sync(~0u, v)": np.min,
    },
}


@pytest.mark.parametrize(
    ("language", "call", "theirs"),
    [(language, call, f) for language, calls in REDUCTIONS.items() for call, f in calls.items()],
)
def test_reductions_of_a_simdgroup(language, call, theirs):
    x = np.random.default_rng(0).integers(-3, 4, 64).astype(np.int32)
    y = run_body(language, f"{ME[language]} int v = x[i]; y[i] = {call};", {"x": x}, grid=64, group=64, dtype="int32")
    np.testing.assert_array_equal(y, np.repeat(theirs(x.reshape(2, 32), axis=1), 32))


LANES = np.arange(32)
SHUFFLES = {
    "metal": {
        "simd_shuffle(v, 31 - i % 32)": 31 - LANES,
        "simd_broadcast(v, 5)": np.full(32, 5),
        "simd_broadcast_first(v)": np.zeros(32, int),
        "simd_shuffle_xor(v, 3)": LANES ^ 3,
        "simd_shuffle_down(v, 4)": np.where(LANES + 4 < 32, LANES + 4, LANES),
        "simd_shuffle_up(v, 4)": np.where(LANES >= 4, LANES - 4, LANES),
        "simd_shuffle_rotate_down(v, 4)": (LANES + 4) % 32,
    },
    "cuda": {
        "__shfl_sync(~0u, v, 31 - i % 32)": 31 - LANES,
        "__shfl_xor_sync(~0u, v, 3)": LANES ^ 3,
        "__shfl_down_sync(~0u, v, 4)": np.where(LANES + 4 < 32, LANES + 4, LANES),
        "__shfl_up_sync(~0u, v, 4)": np.where(LANES >= 4, LANES - 4, LANES),
        "__shfl_down_sync(~0u, v, 3, 8)": np.where(LANES % 8 + 3 < 8, LANES + 3, LANES),
        "__shfl_sync(~0u, v, 2, 8)": LANES // 8 * 8 + 2,
        "cg::tiled_partition<8>(cg::this_thread_block()).shfl_xor(v, 1)": LANES ^ 1,
    },
}


@pytest.mark.parametrize(
    ("language", "call", "from_"), [(k, call, lanes) for k, calls in SHUFFLES.items() for call, lanes in calls.items()]
)
def test_shuffles(language, call, from_):
    x = np.random.default_rng(0).normal(size=64).astype(np.float32)
    y = run_body(language, f"{ME[language]} float v = x[i]; y[i] = {call};", {"x": x}, grid=64, group=64)
    np.testing.assert_array_equal(y, x.reshape(2, 32)[:, from_].ravel())


def test_scans_ballots_and_votes():
    x = np.arange(32, dtype=np.int32)
    how = {"grid": 32, "group": 32, "dtype": "int32"}
    y = run_body("metal", f"{ME['metal']} y[i] = simd_prefix_inclusive_sum(x[i]);", {"x": x}, **how)
    np.testing.assert_array_equal(y, np.cumsum(x))
    y = run_body("metal", f"{ME['metal']} y[i] = simd_prefix_exclusive_sum(x[i]);", {"x": x}, **how)
    np.testing.assert_array_equal(y, np.cumsum(x) - x)
    y = run_body("metal", f"{ME['metal']} y[i] = simd_any(i == 3) + 2 * simd_all(i == 3) + 4 * simd_is_first();", **how)
    np.testing.assert_array_equal(y, 1 + 4 * (x == 0))
    y = run_body("cuda", f"{ME['cuda']} y[i] = __ballot_sync(~0u, i % 2) == 0xAAAAAAAAu;", **how)
    assert (y == 1).all()
    y = run_body("cuda", f"{ME['cuda']} y[i] = __any_sync(~0u, i == 3) + 2 * __all_sync(~0u, i == 3);", **how)
    assert (y == 1).all()


def test_vectors():
    x = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    metal = "float4 v = ((const device float4*)x)[i]; v = 2.0f * v + float4(1); y[i] = metal::dot(v, float4(1)) + v.w;"
    cuda = "float4 v = reinterpret_cast<const float4*>(x)[i]; v = make_float4(2 * v.x + 1, 2 * v.y + 1, 2 * v.z + 1,"
    cuda += " 2 * v.w + 1); y[i] = v.x + v.y + v.z + v.w + v.w;"
    v = 2 * x + 1
    for language, body in (("metal", metal), ("cuda", cuda)):
        y = run_body(language, ME[language] + body, {"x": x}, grid=64, group=32)
        np.testing.assert_allclose(y, v.sum(1) + v[:, 3], rtol=1e-5)


def test_three_floats_take_the_room_of_four_in_metal_only():
    sizes = "y[i] = sizeof(float3);"
    assert run_body("metal", ME["metal"] + sizes, dtype="int32")[0] == 16
    assert run_body("cuda", ME["cuda"] + sizes, dtype="int32")[0] == 12


def test_the_last_group_of_a_ragged_grid():
    """Metal's is smaller; CUDA rounds the grid up, and a body must look where it is."""
    metal = "y[thread_position_in_grid.x] = float(threads_per_threadgroup.x);"
    np.testing.assert_array_equal(run_body("metal", metal, grid=80, group=64), [64.0] * 64 + [16.0] * 16)
    cuda = ME["cuda"] + "if (i < 80) y[i] = gridDim.x * blockDim.x;"
    np.testing.assert_array_equal(run_body("cuda", cuda, grid=80, group=64), np.full(80, 128.0))
    assert run_body("metal", metal, grid=8, group=64)[0] == 8  # MLX cuts a group down to the grid


@both
def test_three_dimensions(language):
    body = {
        "metal": "uint3 g = thread_position_in_grid; y[(g.z * 4 + g.y) * 6 + g.x] = 100 * g.z + 10 * g.y + g.x;",
        "cuda": "unsigned x = blockIdx.x * blockDim.x + threadIdx.x, y_ = blockIdx.y * blockDim.y + threadIdx.y;"
        "unsigned z = blockIdx.z * blockDim.z + threadIdx.z; y[(z * 4 + y_) * 6 + x] = 100 * z + 10 * y_ + x;",
    }[language]
    y = run_body(language, body, grid=(6, 4, 2), group=(3, 2, 2), shape=(2, 4, 6), dtype="int32")
    z, r, c = np.indices((2, 4, 6))
    np.testing.assert_array_equal(y, 100 * z + 10 * r + c)


def test_atomics():
    x = np.random.default_rng(0).integers(0, 9, 1000).astype(np.int32)
    body = "atomic_fetch_add_explicit(&y[x[thread_position_in_grid.x]], 1, memory_order_relaxed);"
    how = {"grid": 1000, "group": 256, "shape": (9,), "dtype": "int32", "init_value": 0}
    y = run_body("metal", body, {"x": x}, atomic_outputs=True, **how)
    np.testing.assert_array_equal(y, np.bincount(x, minlength=9))
    body = ME["cuda"] + "if (i < 1000) atomicAdd(&y[x[i]], 1);"
    np.testing.assert_array_equal(run_body("cuda", body, {"x": x}, **how), np.bincount(x, minlength=9))
    body = ME["cuda"] + "if (i < 1000) atomicMax(y + x[i], int(i));"
    y = run_body("cuda", body, {"x": x}, **how)
    np.testing.assert_array_equal(y, [np.flatnonzero(x == k).max() for k in range(9)])


@both
def test_strides_shapes_and_numbers_of_dimensions(language):
    """An input that is not row-contiguous, read through what MLX passes along; and a number of no dimensions."""
    x = np.arange(60, dtype=np.float32).reshape(6, 10)
    s = {"metal": "s", "cuda": "s[0]"}[language]
    data = {"metal": "", "cuda": ".data()"}[language]
    place = f"elem_to_loc(int64_t(i), x_shape{data}, x_strides{data}, x_ndim)"
    body = ME[language] + f"if (i < 60) y[i] = {s} * x[{place}];"
    y = run_body(language, body, {"x": x.T, "s": np.float32(2)}, grid=60, group=32, contiguous=False)
    np.testing.assert_array_equal(y, 2 * x.T.ravel())


@both
def test_pointers_and_helper_functions(language):
    header = {
        "metal": "template <typename T>\nT total(const device T* v, uint n) {\n"
        "  T s = 0; for (const device T* p = v; p != v + n; ++p) s += *p; return s; }\n"
        "float twice(threadgroup float* v, uint k) { return v[k] + *(v + k); }\n",
        "cuda": "template <typename T>\n__device__ T total(const T* v, unsigned n) {\n"
        "  T s = 0; for (const T* p = v; p != v + n; ++p) s += *p; return s; }\n"
        "__device__ float twice(float* v, unsigned k) { return v[k] + *(v + k); }\n",
    }[language]
    shared = {"metal": "threadgroup float", "cuda": "__shared__ float"}[language]
    body = ME[language] + f"{shared} t[32]; t[i] = i; y[i] = total(x + i, 2u) + twice(t, i) + twice(&t[i], 0);"
    x = np.arange(33, dtype=np.float32)
    y = run_body(language, body, {"x": x}, header=header)
    np.testing.assert_array_equal(y, x[:32] + x[1:] + 4 * np.arange(32))


@both
def test_a_pointer_to_local_memory(language):
    header = {
        "metal": "float first(thread float* v) { return v[0]; }\n",
        "cuda": "__device__ float first(float* v) { return v[0]; }\n",
    }
    space = {"metal": "thread float*", "cuda": "float*"}[language]
    body = ME[language] + f"float own[3] = {{float(i), 1, 2}}; {space} p = own; y[i] = first(own) + p[1];"
    np.testing.assert_array_equal(run_body(language, body, header=header[language]), np.arange(32) + 1)
