"""Chains of multiply-adds and of single cycles: exact answers at every size, and instructions of the full width."""

from __future__ import annotations

import re

import numpy as np
import pytest
from assembly import assembly

pytest.importorskip("numba", reason="the loops are compiled")

from exp_core.machine import chains

AWKWARD = (0, 1, 3, 4, 5, 17, 61, 128)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("together", [1, 2, 5, chains.most_chains()])
@pytest.mark.parametrize("advance", [chains.advance, chains.advance_scalars], ids=["vectors", "scalars"])
def test_every_number_takes_every_step(dtype, together, advance):
    """Whole numbers: x + n b and, for odd n, b - x are exact, so that one step too few shows."""
    for size in AWKWARD:
        x = np.arange(size, dtype=dtype)
        one, three = x.dtype.type(1), x.dtype.type(3)
        for steps in (0, 1, 1000):
            y = x.copy()
            advance(y, one, three, steps, together)
            assert np.array_equal(y, x + 3 * steps)
        y = x.copy()
        advance(y, -one, three, 7, together)
        assert np.array_equal(y, 3 - x)


def test_a_part_of_an_array_is_advanced_and_no_more():
    x = np.zeros(40)
    chains.advance(x[3:30], 1.0, 2.0, 5, 3)
    assert x.tolist() == [0.0] * 3 + [10.0] * 27 + [0.0] * 10


def test_single_cycles_are_what_python_computes():
    x = 1
    for _ in range(4 * 10):
        x = (x + 3) ^ 5
    assert chains.single_cycles(1, 3, 5, 10) == x


def test_the_chains_stay_in_registers_of_the_full_width():
    """The assembly's loops hold fused multiply-adds on the widest vectors, as many as there are chains."""
    import numba
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    if not features.get("fma"):
        pytest.skip("this test reads x86 assembly with fused multiply-adds")
    register = "zmm" if features.get("avx512f") else "ymm"
    together = chains.vectors_together.dispatcher

    @numba.njit
    def kernel(x, m, b, k, steps):
        together(x, 0, k, m, b, steps)

    k = chains.most_chains()
    text = assembly(kernel, (numba.float64[::1], numba.float64, numba.float64, numba.int64, numba.int64))
    instruction = rf"vfmadd\w+pd\s+%{register}\d+, %{register}\d+, %{register}\d+"
    assert len(re.findall(instruction, text)) == k * (k + 1) // 2  # a loop for every number of chains
