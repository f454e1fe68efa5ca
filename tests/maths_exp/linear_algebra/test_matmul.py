"""Matrix multiplication: exact where floats are exact, at every edge of every block; and a check that must see."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from counting import Tally, counted

from exp_core.machine import thread_limit
from exp_core.tensor import unit_roundoff
from maths_exp.linear_algebra import _matmul_check as check
from maths_exp.linear_algebra.matmul import EXPERIMENT, graded, normal, packed_compiled, strassen, strassen_bound
from maths_exp.linear_algebra.matmul import STRASSEN as STRASSEN_BOUNDS

needs_numba = pytest.mark.skipif("not __import__('importlib').util.find_spec('numba')", reason="needs numba")
DTYPES = pytest.mark.parametrize("dtype", EXPERIMENT.dtypes)


def functions(*without):
    """Every implementation by name, the compiled ones where Numba is."""
    return [
        pytest.param(each.function, id=each.name, marks=[needs_numba] if each.rung == "compiled" else [])
        for each in EXPERIMENT.implementations
        if each.name not in without
    ]


def whole_numbers(m, k, n, dtype, seed=0):
    """Factors whose products and sums are whole numbers below 2^24: every algorithm must be exact."""
    rng = np.random.default_rng(seed)
    return rng.integers(-9, 10, (m, k)).astype(dtype), rng.integers(-9, 10, (k, n)).astype(dtype)


def errors(c, a, b):
    return EXPERIMENT.errors(c, (a, b), check.oracle(a, b))


# --- the subject's laws ---


@DTYPES
@pytest.mark.parametrize("multiply", functions())
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 2), (1, 9, 50), (31, 17, 1), (19, 23, 29), (66, 67, 65)], ids=str)
def test_whole_numbers_are_exact(multiply, shape, dtype):
    a, b = whole_numbers(*shape, dtype)
    c = multiply(a, b)
    assert c.dtype == dtype
    np.testing.assert_array_equal(c, a.astype(int) @ b.astype(int))


@DTYPES
@pytest.mark.parametrize("multiply", functions())
def test_a_permutation_only_moves_rows(multiply, dtype):
    """P B has B's very bits in another order, whatever their size; the identity is one of these."""
    b = np.random.default_rng(1).integers(-(2**10), 2**10, (30, 21)).astype(dtype)
    order = np.random.default_rng(2).permutation(30)
    np.testing.assert_array_equal(multiply(np.eye(30, dtype=dtype)[order], b), b[order])
    np.testing.assert_array_equal(multiply(np.eye(30, dtype=dtype), b), b)


@DTYPES
@pytest.mark.parametrize("multiply", functions("strassen"))
def test_infinity_times_zero_is_not_a_number(multiply, dtype):
    """NaN and infinity go where the definition takes them and nowhere else: no padding, no tile may leak."""
    a, b = whole_numbers(21, 14, 53, dtype)
    a[3, 5], a[20, 13], b[5, 52], b[13, 40] = np.inf, np.nan, 0, 7
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(multiply(a, b), np.einsum("ip,pj->ij", a, b))


@pytest.mark.parametrize("multiply", functions())
def test_any_memory_layout(multiply):
    """Columns first, every second element, backwards: the same numbers, so the same product."""
    a, b = whole_numbers(40, 46, 38, "float64")
    expected = a @ b
    every_second = np.zeros((80, 92))
    every_second[::2, ::2] = a
    for x, y in ((np.asfortranarray(a), b), (a, np.asfortranarray(b)), (every_second[::2, ::2], b)):
        np.testing.assert_array_equal(multiply(x, y), expected)
    np.testing.assert_array_equal(multiply(a[::-1], b[:, ::-1]), expected[::-1, ::-1])


@needs_numba
@DTYPES
def test_every_edge_of_the_packed_blocks(dtype):
    """One less, equal, one more: than a tile's rows, a vector, a tile's columns, a block of k, a block of columns."""
    from exp_core.vector.registers import registers
    from maths_exp.linear_algebra._matmul_packed import K_BLOCK, N_BLOCK

    host = registers()
    lanes = host.lanes(np.dtype(dtype).itemsize)
    columns = host.vectors * lanes
    for m in (host.rows - 1, host.rows, host.rows + 1):
        for n in (lanes - 1, lanes, lanes + 1, columns - 1, columns, columns + 1, 2 * columns + lanes + 1):
            for k in (1, 2, 5):
                a, b = whole_numbers(m, k, n, dtype)
                np.testing.assert_array_equal(packed_compiled(a, b), a.astype(int) @ b.astype(int), f"{m, k, n}")
    for k in (K_BLOCK - 1, K_BLOCK, K_BLOCK + 1, 2 * K_BLOCK + 3):
        for m, n in ((9, 61), (61, 9), (2, N_BLOCK + 1), (257, 75)):  # the last one is shared out among threads
            a, b = whole_numbers(m, k, n, dtype)
            np.testing.assert_array_equal(packed_compiled(a, b), a.astype(int) @ b.astype(int), f"{m, k, n}")


@needs_numba
@DTYPES
@pytest.mark.parametrize("shape", [(130, 70, 140), (290, 70, 37)], ids=["columns shared out", "rows shared out"])
def test_the_number_of_threads_changes_no_bit(shape, dtype):
    a, b = normal(*shape, dtype=dtype, rng=np.random.default_rng(3))
    with thread_limit(1):
        alone = packed_compiled(a, b)
    with thread_limit(2):
        np.testing.assert_array_equal(packed_compiled(a, b), alone)


# --- Strassen ---


def test_strassen_counts_what_it_does():
    """Seven products and eighteen sums of quarters, at each of two levels, over ordinary products of pairs."""
    from maths_exp.linear_algebra._matmul_strassen import strassen_cost

    a, b = whole_numbers(8, 8, 8, "float64")
    tally = Tally()
    strassen(counted(a, tally), counted(b, tally), leaf=2)
    assert tally.flops == 49 * (8 + 4) + 7 * 18 * 4 + 18 * 16
    assert strassen_cost(a, b, leaf=2).flops == tally.flops + 49 * 4  # which says 2mkn where mn(2k - 1) are done


@pytest.mark.parametrize("leaf", [1, 4, 16])
def test_strassens_bound_is_brents(leaf):
    """Higham (2002), theorem 23.2, in closed form, for a square matrix and a leaf of n0."""
    n = 64
    a = np.ones((n, n))
    closed = (n / leaf) ** np.log2(12) * (leaf**2 + 5 * leaf) - 5 * n
    assert strassen_bound(a, a, leaf) / unit_roundoff(a) == pytest.approx(closed, rel=1e-9)


@DTYPES
@pytest.mark.parametrize("leaf", [1, 3, 16])
def test_strassen_keeps_its_bound_at_any_depth(leaf, dtype):
    for seed in range(3):
        a, b = normal(37, 41, 35, dtype=dtype, rng=np.random.default_rng(seed))
        assert errors(strassen(a, b, leaf), a, b)["normwise"] <= strassen_bound(a, b, leaf)


@DTYPES
def test_strassen_is_right_normwise_only(dtype):
    """On badly scaled rows and columns it breaks the ordinary bound a million times over, and keeps its own."""
    a, b = graded(130, 140, 150, dtype=dtype, rng=np.random.default_rng(4))
    found = errors(strassen(a, b), a, b)
    assert found["componentwise"] > 1e6 * check.ordinary_componentwise(a, b)
    assert found["normwise"] <= strassen_bound(a, b)
    assert errors(a @ b, a, b)["componentwise"] <= check.ordinary_componentwise(a, b)


# --- the check itself ---


def test_the_check_computes_in_twice_the_precision():
    """A(Bx) against fractions, on numbers of very different sizes that nearly cancel."""
    rng = np.random.default_rng(5)
    a = rng.standard_normal((3, 40)) * 10.0 ** rng.integers(-12, 12, (3, 40))
    b = rng.standard_normal((40, 67)) * 10.0 ** rng.integers(-12, 12, (40, 67))
    a[:, 20:], b[20:] = a[:, :20], -b[:20]
    a[:, 0] *= 1 + 2.0**-30
    high, low, scale = check.oracle(a, b)
    signed = check.signed_blocks(b)
    for i in range(a.shape[0]):
        for block in range(signed.shape[1]):
            vector = [sum(map(Fraction, row)) for row in signed[:, block].tolist()]
            exact = sum(Fraction(x) * y for x, y in zip(a[i].tolist(), vector, strict=True))
            off = abs(Fraction(high[i, block]) + Fraction(low[i, block]) - exact)
            assert float(off) <= 2.0**-90 * scale[i, block]


SABOTAGE = {
    "forgets the last k": lambda a, b: a[:, :-1] @ b[:-1],
    "forgets to add the second block of k": lambda a, b: a[:, :64] @ b[:64],
    "loses the last column": lambda a, b: np.pad((a @ b)[:, :-1], ((0, 0), (0, 1))),
    "shifts an edge by one": lambda a, b: np.hstack([(a @ b)[:, :96], np.roll((a @ b)[:, 96:], 1, axis=1)]),
    "rounds to less": lambda a, b: (a.astype("float16") @ b.astype("float16")).astype(a.dtype),
    "takes k backwards in one factor": lambda a, b: a[:, ::-1] @ b,
    "is not a number, once": lambda a, b: changed(a @ b, 67, 31, np.nan),
    "is infinite, once": lambda a, b: changed(a @ b, 0, 99, np.inf),
    "is zero, once": lambda a, b: changed(a @ b, *np.unravel_index(np.argmax(abs(a @ b)), (100, 104)), 0),
    "Strassen with one sign wrong": lambda a, b: wrong_sign(a, b),
}


def changed(c, i, j, value):
    c[i, j] = value
    return c


def wrong_sign(a, b):
    """One level of Strassen with C12 = P3 - P5, which should be P3 + P5; 100, 102 and 104 need no padding."""
    c = strassen(a, b)
    c[:50, 52:] -= 2 * ((a[:50, :51] + a[:50, 51:]) @ b[51:, 52:])
    return c


@DTYPES
@pytest.mark.parametrize("problem", [normal, graded])
@pytest.mark.parametrize("broken", SABOTAGE.values(), ids=SABOTAGE)
def test_sabotage_is_caught(broken, problem, dtype):
    """By the ordinary bounds; in double precision, with no small entry, by Strassen's too, a thousand times wider."""
    a, b = problem(100, 102, 104, dtype=dtype, rng=np.random.default_rng(6))
    found = errors(broken(a, b), a, b)
    assert not found["componentwise"] <= check.ordinary_componentwise(a, b)
    if problem is normal and dtype == "float64":
        assert not all(found[law] <= bound(a, b) for law, bound in STRASSEN_BOUNDS.items())


@DTYPES
def test_one_entry_off_by_little_is_caught(dtype):
    """Where every column is a block, twice the bound of any single entry is enough."""
    a, b = normal(29, 31, check.PROBES, dtype=dtype, rng=np.random.default_rng(7))
    bound = check.ordinary_componentwise(a, b)
    scale = np.abs(a) @ np.abs(b)
    for i, j in ((0, 0), (13, 5), (28, check.PROBES - 1)):
        c = a @ b
        c[i, j] += 2 * bound * scale[i, j]
        assert errors(c, a, b)["componentwise"] > bound


def test_a_row_of_zeros_is_no_trouble():
    a, b = whole_numbers(5, 4, 3, "float64")
    a[2] = 0
    assert errors(a @ b, a, b) == {"componentwise": 0.0, "normwise": 0.0}
    assert errors(a @ b + 1e-300, a, b)["componentwise"] == np.inf


# --- the kernel ---


@needs_numba
def test_the_kernel_fills_the_widest_registers(tmp_path):
    """One multiply-add for each vector of the tile, on the widest registers there are, and no sum is kept in memory."""
    from exp_core.vector.registers import registers
    from maths_exp.linear_algebra import _matmul_packed

    host = registers()
    name = {64: "zmm", 32: "ymm"}.get(host.bytes)
    if name is None:
        pytest.skip("knows the assembly of x86 with AVX alone")
    script = f"""
import numpy as np
from maths_exp.linear_algebra import _matmul_packed as packed
a = np.ones((1, 1))
packed.packed_compiled(a, a)
(code,) = packed._blocks.dispatcher.inspect_asm().values()
loop = max(code.split("\\n.LBB"), key=lambda block: block.count("vfmadd"))
fused = [line for line in loop.splitlines() if "vfmadd" in line and line.count("{name}") == 3]
print(len(fused), [line for line in loop.splitlines() if "{name}" in line and "mov" in line and "%rsp" in line])
"""
    done = run(script, NUMBA_CACHE_DIR=str(tmp_path))
    count, spilt = done.split(maxsplit=1)
    assert int(count) >= host.rows * host.vectors
    assert spilt.strip() == "[]"
    assert _matmul_packed.packed_shape(1, 1, 8)[2] == host.vectors * host.bytes // 8


@needs_numba
@pytest.mark.skipif("sys.maxsize < 2**32", reason="needs a 64-bit machine")
def test_a_processor_without_wide_vectors(tmp_path):
    """Compiled for the plainest processor of the kind, without fused multiply-add or masks: slower, and as right."""
    script = """
import numpy as np
from exp_core.vector.registers import registers
from maths_exp.linear_algebra._matmul_packed import packed_compiled
assert registers().bytes == 16
for m, k, n in ((9, 5, 31), (8, 3, 24)):
    a, b = np.arange(m * k, dtype="float32").reshape(m, k), np.arange(k * n, dtype="float32").reshape(k, n)
    assert (packed_compiled(a, b) == a.astype(int) @ b.astype(int)).all()
print("right")
"""
    done = run(script, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="", NUMBA_CACHE_DIR=str(tmp_path))
    assert done.strip() == "right"


def run(script, **environment):
    """What a script prints in a fresh process."""
    variables = {**os.environ, **environment, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
