"""The elementary functions, held to the accuracy that they document: samples of the whole range, hard spots, limits."""

import functools
import math
import re
import types
from pathlib import Path

import numpy as np
import pytest
from assembly import host_width, vector_width
from ulp import error_in_ulps, truth

from exp_core import vector
from exp_core.compiled import Compiled, njit

numba = pytest.importorskip("numba", reason="the functions are for compiled loops")

DTYPES = ("float32", "float64")
every_function = pytest.mark.parametrize("name", vector.__all__)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
LIMIT = 2.0**21 * math.pi  # of sine and cosine
STRIDE = 4099  # a prime: of the 2^32 float32 this many apart
CHUNK = 2**22


@functools.cache
def loop(function, **options):
    """A compiled loop over arrays that calls the function; it is not cached on disk, since tests change functions."""

    call = function.dispatcher

    @njit(cache=False, **options)
    def fill(x, y):
        for i in range(x.size):
            y[i] = call(x[i])

    return fill


def apply(function, x):
    y = np.empty_like(x)
    loop(function)(x, y)
    return y


def documented(name):
    """The largest error in ULP by the function's docstring, for each dtype."""
    found = re.search(r"Within ([\d.]+) ULP in float32, ([\d.]+) in float64", getattr(vector, name).__doc__)
    return dict(zip(DTYPES, map(float, found.groups()), strict=True))


def worst(function, x, right):
    """The largest error in ULP."""
    with np.errstate(all="ignore"):
        return error_in_ulps(apply(function, x), *right).max(initial=0)


def promised(name, x):
    """Those numbers for which the function promises something, and the truth."""
    if name in ("sin", "cos"):
        x = x[np.abs(x) <= LIMIT]
    with np.errstate(all="ignore"):
        return x, truth(name, x)


def singles(start, step, count):
    """Every so many-th float32 in the order of their bits."""
    return (start + step * np.arange(count, dtype=np.int64)).astype(np.uint32).view(np.float32)


def doubles(name, n=1000, seed=0):
    """Random bits, random numbers, and the neighbourhoods where something may go wrong."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2**64, n, np.uint64).view(np.float64)
    uniform = [rng.uniform(-a, a, n) for a in (0.5, 2.0, 40.0, 750.0)]
    spots = {
        "sin": np.pi * rng.integers(-(2**21), 2**21, n // 4),
        "cos": np.pi * (rng.integers(-(2**21), 2**21, n // 4) + 0.5),
        "log": 2.0 ** rng.integers(-1074, 1023, n // 8) * [[math.sqrt(0.5)], [math.sqrt(2)]],
        "log1p": [-1 + 2.0**-53, -0.5, math.sqrt(0.5) - 1, math.sqrt(2) - 1, 2.0**52, 2.0**53, 2.0**54],
        "tanh": [1.0, 20.0, 19.0],
        "sigmoid": [-745.2, -709.8, 36.0, 710.0],
    }.get(name, math.log(2) / 2 * rng.integers(-2150, 2048, n // 4))
    always = [1.0, 2.0**-1022, 2.0**-1021, 5e-324, 2.0**1023, 709.78271289338397, -745.13321910194122, -37.43]
    around = np.concatenate([np.ravel(spots), always, np.negative(always)])
    around = (around.view(np.int64)[:, None] + np.arange(-3, 4)).view(np.float64).ravel()
    x = np.concatenate([bits, *uniform, 2.0 ** rng.uniform(-70, 70, n) * rng.choice([-1, 1], n), around])
    x = x[np.isfinite(x)]
    return x if name not in ("log", "log1p") else x[x > {"log": 0, "log1p": -1}[name]]


@every_function
def test_float32_keeps_its_word_on_the_whole_range(name):
    given = promised(name, singles(0, STRIDE, 2**32 // STRIDE))
    assert worst(getattr(vector, name), *given) <= documented(name)["float32"]


@every_function
def test_float64_keeps_its_word(name):
    assert worst(getattr(vector, name), *promised(name, doubles(name))) <= documented(name)["float64"]


@pytest.mark.slow
@every_function
def test_every_float32_keeps_its_word(name):
    for start in range(0, 2**32, CHUNK):
        given = promised(name, singles(start, 1, CHUNK))
        assert worst(getattr(vector, name), *given) <= documented(name)["float32"]


@pytest.mark.slow
@every_function
def test_many_float64_keep_their_word(name):
    for seed in range(1, 41):
        given = promised(name, doubles(name, 10_000, seed))
        assert worst(getattr(vector, name), *given) <= documented(name)["float64"]


def test_the_table_of_the_package_says_what_the_functions_say():
    rows = re.findall(r"^    (\w+) +([\d.]+) +([\d.]+)", vector.__doc__, re.MULTILINE)
    assert {name: (float(a), float(b)) for name, a, b in rows} == {
        name: tuple(documented(name).values()) for name in vector.__all__
    }


@every_function
@every_dtype
def test_numpys_validation_set(name, dtype):
    """Inputs and right outputs by NumPy's maintainers, in bits."""
    path = Path(np.__file__).parent / f"_core/tests/data/umath-validation-set-{name}.csv"
    if not path.exists():
        pytest.skip(f"NumPy has no {path.name} here")
    rows = [
        line.split(",") for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(f"np.{dtype},")
    ]
    if not rows:
        pytest.skip(f"{path.name} has no {dtype}")
    bits = "uint32" if dtype == "float32" else "uint64"
    x, right = (np.array([int(row[i], 16) for row in rows], bits).view(dtype) for i in (1, 2))
    if name in ("sin", "cos"):
        x, right = (a[np.abs(x) <= LIMIT] for a in (x, right))
    y = apply(getattr(vector, name), x)
    finite = np.isfinite(right)
    assert np.array_equal(y[~finite], right[~finite], equal_nan=True)
    off = np.abs(y[finite].astype(float) - right[finite].astype(float)) / np.spacing(np.abs(right[finite])).astype(
        float
    )
    assert y.size > 100
    assert off.max() <= documented(name)[dtype] + 0.5  # the right outputs are rounded


INF, NAN = math.inf, math.nan
LIMITS = {
    "exp": [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (1e5, INF), (-1e5, 0.0)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (1e5, INF), (-1e5, -1.0)],
    "log": [(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (INF, INF), (-INF, NAN), (-1.0, NAN), (-1e-40, NAN)],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-1.5, NAN), (INF, INF), (-INF, NAN)],
    "sigmoid": [(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (1e30, 1.0)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (1e30, NAN)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (1e30, NAN)],
}


@every_function
@every_dtype
def test_limits_and_signed_zeros(name, dtype):
    x, right = np.array([*LIMITS[name], (NAN, NAN)], dtype).T
    y = apply(getattr(vector, name), np.ascontiguousarray(x))
    np.testing.assert_array_equal(y, right)
    there = ~np.isnan(right)
    np.testing.assert_array_equal(np.signbit(y[there]), np.signbit(right[there]))


@every_dtype
@pytest.mark.parametrize(("name", "sign"), [("sin", -1), ("tanh", -1), ("cos", 1)])
def test_odd_and_even_to_the_last_bit(name, sign, dtype):
    x = np.random.default_rng(0).uniform(-100, 100, 1001).astype(dtype)
    np.testing.assert_array_equal(apply(getattr(vector, name), -x), sign * apply(getattr(vector, name), x))


@every_function
@every_dtype
def test_neither_the_neighbours_nor_the_callers_fastmath_change_a_bit(name, dtype):
    """An element alone, among others, and in a loop that may reorder everything: compensations must survive."""
    x = np.random.default_rng(0).uniform(0.01, 20, 37).astype(dtype)
    together, freely = apply(getattr(vector, name), x), np.empty_like(x)
    alone = np.concatenate([apply(getattr(vector, name), x[i : i + 1]) for i in range(x.size)])
    loop(getattr(vector, name), fastmath=True)(x, freely)
    assert together.tobytes() == alone.tobytes() == freely.tobytes()


@every_function
@every_dtype
def test_a_loop_computes_in_vectors_of_the_full_width(name, dtype):
    array = getattr(numba, dtype)[::1]
    assert vector_width(loop(getattr(vector, name)), (array, array)) >= host_width()


@njit
def plain_exp(x):
    return math.exp(x)


def test_a_loop_that_calls_the_c_library_does_not():
    """The check can fail: LLVM has no vectors of what is not written out."""
    array = numba.float64[::1]
    assert vector_width(loop(plain_exp), (array, array)) < host_width()


def spoilt(function, **changes):
    """The same function, and those of its file that it calls, with other constants."""
    written = function.py_func
    space = dict(written.__globals__)
    for name in written.__code__.co_names:
        inner = space.get(name)
        if isinstance(inner, Compiled) and inner.py_func.__module__ == written.__module__:
            space[name] = spoilt(inner, **changes)
    copy = types.FunctionType(written.__code__, space | changes, written.__name__)
    return njit(copy, **function.options | {"cache": False})


TABLES = {"exp": "EXP", "expm1": "EXP", "tanh": "TANH", "log": "LOG", "log1p": "LOG", "sin": "SIN", "cos": "SIN"}


@pytest.mark.parametrize("name", TABLES)
@every_dtype
def test_a_spoilt_coefficient_is_noticed(name, dtype):
    """Each in turn doubled.  A change of the last digits is for test_minimax to find."""
    function = getattr(vector, name)
    table = TABLES[name] + dtype[-2:]
    c = function.py_func.__globals__[table]
    x = singles(0, 64 * STRIDE, 2**26 // STRIDE) if dtype == "float32" else doubles(name, 100)
    given = promised(name, x)
    for i in range(len(c)):
        changed = tuple(2 * v if i == j else v for j, v in enumerate(c))
        assert worst(spoilt(function, **{table: changed}), *given) > documented(name)[dtype], (table, i)
