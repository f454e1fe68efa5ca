"""STREAM's four loops, through the caches and past them, at every alignment and length."""

from __future__ import annotations

import re

import numpy as np
import pytest
from assembly import assembly

pytest.importorskip("numba", reason="the loops are compiled")

from exp_core.machine import streams

FORMULAS = {
    streams.COPY: lambda b, c, s: b,
    streams.SCALE: lambda b, c, s: s * b,
    streams.ADD: lambda b, c, s: b + c,
    streams.TRIAD: lambda b, c, s: b + s * c,
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("loop", [streams.stream, streams.stream_past_caches], ids=["through", "past"])
def test_the_definition_to_the_last_bit(loop, dtype):
    rng = np.random.default_rng(0)
    for n in (0, 1, 7, 8, 63, 64, 1003):
        b, c = rng.standard_normal((2, n)).astype(dtype)
        s = b.dtype.type(3)
        for operation, formula in FORMULAS.items():
            for offset in (0, 1, 5):
                room = np.full(n + offset + 1, -7, dtype)
                loop(operation, room[offset : offset + n], b, c, s)
                assert np.array_equal(room[offset : offset + n], formula(b, c, s)), (operation, n, offset)
                assert room[-1] == -7
                assert np.all(room[:offset] == -7)


def test_stores_go_past_the_caches():
    """Non-temporal stores of vectors in the assembly, and a barrier after them."""
    import numba
    from llvmlite import binding

    if not binding.get_host_cpu_features().get("avx"):
        pytest.skip("this test reads x86 assembly with AVX")
    line, wait = streams.triad_line.dispatcher, streams.wait_for_stores.dispatcher

    @numba.njit
    def kernel(a, b, c):
        line(a, b, c, 3.0, 0)
        wait()

    text = assembly(kernel, 3 * (numba.float64[::1],))
    assert re.search(r"vmovntp[ds]\s+%[yz]mm", text)
    assert re.search(r"\bmfence\b|\block\b\s+or", text)
