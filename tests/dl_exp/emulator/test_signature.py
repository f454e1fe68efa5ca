"""The signature is MLX's own, letter by letter: MLX prints what it would compile while a call is exported."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from dl_exp.emulator.program import Argument, extra_buffers
from dl_exp.emulator.signature import cuda_source, metal_source
from dl_exp.kernel import Kernel, Launch

BODY = """
uint3 at = thread_position_in_grid; uint lane = thread_index_in_simdgroup;
y[at.x] = T(many[at.x]) + T(few[0]) + T(one) + T(few_shape[0] + many_strides[0] + many_ndim) + N + FLAG;
z[at.x] = half(threads_per_threadgroup.x);
"""
KERNEL = Kernel("probe", inputs=("many", "few", "one"), outputs=("y", "z"), metal=BODY, cuda=BODY, header="// header\n")
LAUNCH = Launch(
    {"T": "bfloat16", "N": 3, "FLAG": True}, (40, 1, 1), (8, 1, 1), ((40,), (40,)), ("bfloat16", "float16"), None
)
ARGUMENTS = (Argument("many", "float32", 2, 40), Argument("few", "float16", 1, 7), Argument("one", "int32", 0, 1))

SCRIPT = f"""
import tempfile, mlx.core as mx
kernel = mx.fast.metal_kernel(name="probe", input_names=["many", "few", "one"], output_names=["y", "z"],
                              source={BODY!r}, header="// header\\n", atomic_outputs=ATOMIC)
inputs = [mx.zeros((4, 10)), mx.zeros((7,), mx.float16), mx.array(1)]
with tempfile.TemporaryDirectory() as folder:
    mx.export_function(folder + "/k", lambda *a: kernel(
        inputs=list(a), verbose=True, template=[("T", mx.bfloat16), ("N", 3), ("FLAG", True)], grid=(40, 1, 1),
        threadgroup=(8, 1, 1), output_shapes=[(40,), (40,)], output_dtypes=[mx.bfloat16, mx.float16]), *inputs)
"""


@pytest.mark.parametrize("atomic", [False, True])
def test_metals_signature_is_the_one_that_mlx_prints(atomic):
    pytest.importorskip("mlx.core", reason="MLX is what this is compared with")
    script = SCRIPT.replace("ATOMIC", str(atomic))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    printed = re.search(r"```\n(.*)\n```", done.stdout, re.DOTALL)
    if printed is None:
        pytest.skip(f"this MLX does not print kernels where it has no Metal: {done.stderr.strip().splitlines()[-1:]}")
    theirs = re.sub(r"\ntemplate \[\[host_name.*", "", printed[1], flags=re.DOTALL)
    theirs = re.sub(r"custom_kernel_probe\w*", "custom_kernel_probe", theirs)
    kernel = Kernel("probe", KERNEL.inputs, KERNEL.outputs, BODY, BODY, KERNEL.header, atomic_outputs=atomic)
    assert metal_source(kernel, ARGUMENTS, LAUNCH) == theirs


def test_cudas_signature():
    """As mlx/backend/cuda/custom_kernel.cpp assembles it: a number of no dimensions is a pointer there."""
    source = cuda_source(KERNEL, ARGUMENTS, LAUNCH, "// includes")
    for line in (
        "const float* many,",
        "const __grid_constant__ Strides many_strides,",
        "const __grid_constant__ int many_ndim,",
        "const __half* few,",
        "const __grid_constant__ Shape few_shape,",
        "const int32_t* one,",
        "__nv_bfloat16* y,",
        "__half* z) {",
        "using T = __nv_bfloat16;",
        "constexpr int N = 3;",
        "constexpr bool FLAG = true;",
    ):
        assert line in source


def test_what_comes_with_an_input_is_found_in_the_text():
    assert extra_buffers(ARGUMENTS[0], BODY) == ["strides", "ndim"]
    assert extra_buffers(ARGUMENTS[1], BODY) == ["shape"]
    assert extra_buffers(Argument("one", "int32", 0, 1), "one_shape") == []  # no dimensions, no shape
    assert extra_buffers(Argument("x", "int32", 1, 1), "// x_shape in a comment") == ["shape"]
