"""Windows, convolution and pooling: by five loops, by adjointness, and against MLX's own where there is one."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exp_core.tensor import average_pool2d, conv2d, fold, from_numpy, max_pool2d, unfold

GEOMETRY = {
    "shape": st.tuples(st.sampled_from([0, 1, 2]), st.integers(1, 7), st.integers(1, 6), st.sampled_from([1, 3])),
    "kernel": st.tuples(st.integers(1, 3), st.integers(1, 3)),
    "stride": st.tuples(st.integers(1, 3), st.integers(1, 2)),
    "padding": st.tuples(st.integers(0, 2), st.integers(0, 1)),
    "dilation": st.tuples(st.integers(1, 2), st.integers(1, 2)),
}


def places(shape, kernel, stride, padding, dilation):
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(shape[1:3], kernel, stride, padding, dilation, strict=True)
    )


def windows(x, kernel, stride, padding, dilation, outside=0.0):
    """(N, H', W', kh, kw, C), pixel by pixel."""
    n, height, width, c = x.shape
    rows, cols = places(x.shape, kernel, stride, padding, dilation)
    out = np.full((n, rows, cols, *kernel, c), outside, x.dtype)
    for a, b, i, j in itertools.product(range(rows), range(cols), range(kernel[0]), range(kernel[1])):
        y = a * stride[0] - padding[0] + i * dilation[0]
        z = b * stride[1] - padding[1] + j * dilation[1]
        if 0 <= y < height and 0 <= z < width:
            out[:, a, b, i, j] = x[:, y, z]
    return out


def draw(case, shape, seed=0):
    return case.array(np.random.default_rng(seed).normal(size=shape))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), **GEOMETRY)
def test_unfold_and_fold(case, seed, shape, kernel, stride, padding, dilation):
    assume(min(places(shape, kernel, stride, padding, dilation)) >= 1)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    x = draw(case, shape, seed)
    exact = case.exact(x)
    expected = windows(exact, kernel, stride, padding, dilation)
    columns = unfold(x, kernel, **options)
    case.close(columns, expected.reshape(*expected.shape[:3], kernel[0] * kernel[1] * shape[3]), 0, scale=0)
    # fold is the transpose: <unfold(x), c> = <x, fold(c)>, here in integers, exactly
    rng = np.random.default_rng(seed)
    image, other = rng.integers(-4, 5, shape), rng.integers(-4, 5, columns.shape)
    left = case.exact(unfold(case.array(image), kernel, **options)) * other
    right = case.exact(fold(case.array(other), shape, kernel, **options)) * image
    assert left.sum() == right.sum()
    # and fold(unfold(x)) = x times the number of windows that read it
    ones = case.array(np.ones(shape))
    times = case.exact(fold(unfold(ones, kernel, **options), shape, kernel, **options))
    case.close(fold(columns, shape, kernel, **options), times * exact, kernel[0] * kernel[1])
    assert np.array_equal(case.exact(x), exact)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), out=st.sampled_from([0, 1, 4]), **GEOMETRY)
def test_conv2d(case, seed, out, shape, kernel, stride, padding, dilation):
    assume(min(places(shape, kernel, stride, padding, dilation)) >= 1)
    x, w = draw(case, shape, seed), draw(case, (out, *kernel, shape[3]), seed + 1)
    seen, weight = windows(case.exact(x), kernel, stride, padding, dilation), case.exact(w)
    truth, size = (np.tensordot(f(seen), f(weight), ((3, 4, 5), (1, 2, 3))) for f in (np.asarray, np.abs))
    terms = kernel[0] * kernel[1] * shape[3]
    y = conv2d(x, w, stride=stride, padding=padding, dilation=dilation)
    case.close(y, truth, terms, scale=size)
    if terms > 1 and truth.size and kernel != (1, 1):
        flipped = np.tensordot(seen, weight[:, ::-1, ::-1], ((3, 4, 5), (1, 2, 3)))
        if not np.allclose(flipped.astype(float), truth.astype(float), rtol=0.05, atol=0.5):
            with pytest.raises(AssertionError):  # a convolution in the mathematician's sense
                case.close(case.array(flipped), truth, terms, scale=size)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), **{name: GEOMETRY[name] for name in ("shape", "kernel", "stride", "padding")})
def test_pooling(case, seed, shape, kernel, stride, padding):
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
    assume(min(places(shape, kernel, stride, padding, (1, 1))) >= 1)
    x = draw(case, shape, seed)
    exact = case.exact(x)
    largest = windows(exact, kernel, stride, padding, (1, 1), -np.inf).max((3, 4))
    case.close(max_pool2d(x, kernel, stride=stride, padding=padding), largest, 0, scale=0)
    seen = windows(exact, kernel, stride, padding, (1, 1))
    average = average_pool2d(x, kernel, stride=stride, padding=padding)
    case.close(average, seen.mean((3, 4)), kernel[0] * kernel[1] + 1, scale=np.abs(seen).mean((3, 4)))
    assert np.array_equal(case.exact(x), exact)


def test_one_number_means_both_directions_and_the_stride_is_the_kernel(case):
    x = draw(case, (1, 4, 6, 2))
    assert max_pool2d(x, 2).shape == average_pool2d(x, (2, 2)).shape == (1, 2, 3, 2)
    w = draw(case, (3, 2, 2, 2))
    both = conv2d(x, w, stride=(2, 2), padding=(1, 1), dilation=(2, 2))
    assert np.array_equal(case.exact(conv2d(x, w, stride=2, padding=1, dilation=2)), case.exact(both))


def test_as_mlx_does_it():
    mx = pytest.importorskip("mlx.core")
    rng = np.random.default_rng(5)
    x, w = (
        mx.array(rng.normal(size=(2, 9, 8, 3)).astype("float32")),
        mx.array(rng.normal(size=(4, 3, 2, 3)).astype("float32")),
    )
    for options in ({}, {"stride": 2}, {"padding": 1}, {"stride": (1, 2), "padding": (2, 0), "dilation": (2, 1)}):
        assert mx.allclose(conv2d(x, w, **options), mx.conv2d(x, w, **options), atol=1e-4).item()


def test_derivative_of_a_convolution_is_fold():
    mx = pytest.importorskip("mlx.core")
    rng = np.random.default_rng(6)
    x, w = (
        mx.array(rng.normal(size=(1, 5, 5, 2)).astype("float32")),
        mx.array(rng.normal(size=(3, 3, 3, 2)).astype("float32")),
    )
    g = mx.array(rng.normal(size=(1, 3, 3, 3)).astype("float32"))
    slope = mx.grad(lambda x: (conv2d(x, w) * g).sum())(x)
    columns = (g.reshape(9, 3) @ w.reshape(3, 18)).reshape(1, 3, 3, 18)
    assert mx.allclose(slope, fold(columns, (1, 5, 5, 2), 3), atol=1e-5).item()


def test_a_nan_spoils_the_windows_that_read_it(case):
    image = np.zeros((1, 4, 4, 1))
    image[0, 0, 0, 0] = np.nan
    x = case.array(image)
    for y in (max_pool2d(x, 2), average_pool2d(x, 2), conv2d(x, case.array(np.ones((1, 2, 2, 1))), stride=2)):
        assert np.isnan(case.exact(y)).reshape(-1).tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: unfold(x[0], 2), "an image has shape"),
        (lambda x: unfold(x, 9), "a kernel that extends over 9 does not fit into 4 with padding 0"),
        (lambda x: unfold(x, 3, dilation=3), "extends over 7"),
        (lambda x: unfold(x, 0), "kernel must be an integer >= 1"),
        (lambda x: unfold(x, 2, stride=0), "stride must be an integer >= 1"),
        (lambda x: unfold(x, 2, padding=-1), "padding must be an integer >= 0"),
        (lambda x: unfold(x, (2, 2, 2)), "kernel must be"),
        (lambda x: fold(x, (1, 4, 4, 1), 2), r"columns must have shape \(1, 3, 3, 4\)"),
        (lambda x: conv2d(x, x[:, :2, :2, :0]), "need an image"),
        (lambda x: max_pool2d(x, 2, padding=2), "more than half the kernel"),
        (lambda x: average_pool2d(x, (4, 2), padding=(2, 2)), "more than half the kernel"),
    ],
)
def test_what_is_refused(library, call, message):
    with pytest.raises(ValueError, match=message):
        call(from_numpy(np.ones((1, 4, 4, 1), "float32"), library))
