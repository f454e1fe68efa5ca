"""MLX's own Metal kernels, from the headers of its wheel: nobody wrote them with this emulator in mind."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from emulated import run_body
from kernel_checks import needs_a_compiler

from dl_exp.emulator import KernelFault

pytestmark = needs_a_compiler

LIMITS = """#define SOFTMAX_N_READS 4
template <typename U> struct Limits {
  static constexpr U max = INFINITY, min = -INFINITY, finite_min = -3.0e38f, finite_max = 3.0e38f; };
"""
ME = """uint gid = threadgroup_position_in_grid.x, lid = thread_position_in_threadgroup.x,
     lsize = threads_per_threadgroup.x, lane = thread_index_in_simdgroup, simd = simdgroup_index_in_threadgroup;
"""


def header(name):
    """A header of the wheel, its kernels made functions that a body can call."""
    core = pytest.importorskip("mlx.core", reason="MLX's wheel brings the headers")
    path = Path(core.__file__).with_name("include") / "mlx/backend/metal/kernels" / name
    if not path.exists():
        pytest.skip(f"this MLX has no {name}")
    text = re.sub(r"\[\[(?:kernel|host_name)[^\]]*\]\] void|\bkernel void", "inline void", path.read_text("utf-8"))
    return LIMITS + text


@pytest.mark.parametrize(
    ("function", "n", "group", "more"),
    [
        ("softmax_single_row", 1000, 256, ""),
        ("softmax_single_row", 37, 32, ""),
        ("softmax_looped", 5000, 1024, "lsize, "),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_softmax(function, n, group, more, dtype):
    x = (3 * np.random.default_rng(0).normal(size=(3, n))).astype(dtype)
    body = f"{ME}{function}<T, float, 4>(x, y, {n}, gid, lid, {more}lane, simd);"
    how = {"grid": 3 * group, "group": group, "shape": x.shape, "dtype": dtype, "template": {"T": dtype}}
    y = run_body("metal", body, {"x": x}, header=header("softmax.h"), **how)
    powers = np.exp(x.astype(float) - x.astype(float).max(1, keepdims=True))
    rounding = {"float32": (2**-24, 0), "float16": (2**-11, 2**-25)}[dtype]  # to a normal number, and to a denormal
    wanted = powers / powers.sum(1, keepdims=True)
    np.testing.assert_allclose(y.astype(float), wanted, rtol=1e-5 + rounding[0], atol=rounding[1])


def test_what_they_take_for_granted_is_seen():
    """MLX calls the looped kernel with 1024 threads; with fewer, 24 of 32 partial maxima are whatever was there."""
    x = np.ones((1, 5000), np.float32)
    body = f"{ME}softmax_looped<float, float, 4>(x, y, 5000, gid, lid, lsize, lane, simd);"
    with pytest.raises(KernelFault, match=r"reads local_max\[8\], which nobody has written"):
        run_body("metal", body, {"x": x}, grid=256, group=256, shape=x.shape, header=header("softmax.h"))


def test_their_barriers_matter_too():
    text = header("softmax.h")
    barrier = "threadgroup_barrier(mem_flags::mem_threadgroup);"
    x = np.random.default_rng(0).normal(size=(1, 1000)).astype(np.float32)
    body = f"{ME}softmax_single_row<float, float, 4>(x, y, 1000, gid, lid, lane, simd);"
    how = {"grid": 256, "group": 256, "shape": x.shape}
    start, end = text.index("softmax_single_row"), text.index("softmax_looped")
    caught = 0
    places = [found.start() for found in re.finditer(re.escape(barrier), text) if start < found.start() < end]
    for place in places:
        try:
            run_body("metal", body, {"x": x}, header=text[:place] + ";" + text[place + len(barrier) :], **how)
        except KernelFault as fault:
            caught += "missing barrier" in str(fault) or "read before written" in str(fault)
    assert caught == len(places) > 0


def test_logsumexp():
    x = (3 * np.random.default_rng(0).normal(size=(3, 1000))).astype(np.float32)
    body = f"{ME}logsumexp<float, float, 4>(x, y, 1000, gid, lid, lane, simd);"
    y = run_body("metal", body, {"x": x}, grid=768, group=256, shape=(3,), header=header("logsumexp.h"))
    np.testing.assert_allclose(y, np.log(np.exp(x.astype(float)).sum(1)), rtol=1e-6)
