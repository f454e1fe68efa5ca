"""NVIDIA's own compiler as a second opinion on a CUDA body, where it is on the machine: it needs no GPU."""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from dl_exp.emulator.compiler import LIMIT_S, folder
from dl_exp.emulator.faults import KernelFault
from dl_exp.emulator.program import Argument
from dl_exp.emulator.signature import cuda_source
from dl_exp.kernel import Kernel, Launch

INCLUDES = """
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cooperative_groups.h>
#include <cuda/std/array>
#include <cuda/std/limits>
namespace mlx::core::cu {  // as mlx/backend/cuda/device/utils.cuh has them
using Shape = cuda::std::array<int, 10>;
using Strides = cuda::std::array<int64_t, 10>;
template <class I> __device__ I elem_to_loc(I element, const int* shape, const int64_t* strides, int ndim);
}
"""
FLAGS = ("-std=c++17", "-arch=sm_80", "-ptx", "-w")
ERROR = re.compile(r"^(body|header)\((\d+)\): error: (.*)$", re.MULTILINE)

_passed: set[str] = set()


@functools.cache
def nvcc() -> str | None:
    """The path of nvcc; None where it is not installed."""
    return shutil.which("nvcc")


def check(kernel: Kernel, arguments: tuple[Argument, ...], launch: Launch) -> None:
    """Compile the body once for its types, and remember that it passed.  Raises KernelFault for what nvcc refuses."""
    path = nvcc()
    if path is None:
        return
    types = [(a.name, a.dtype, a.ndim > 0) for a in arguments], [str(d) for d in launch.dtypes]
    names = {name: value for name, value in launch.template.items() if not isinstance(value, int)}
    key = repr((kernel, types, names, INCLUDES, FLAGS, path))
    mark = folder() / f"nvcc-{hashlib.sha256(key.encode()).hexdigest()[:24]}.passed"
    if key in _passed or mark.exists():
        return
    with tempfile.TemporaryDirectory() as place:
        written = Path(place, "kernel.cu")
        written.write_text(cuda_source(kernel, arguments, launch, INCLUDES), encoding="utf-8")
        command = [path, *FLAGS, str(written), "-o", str(Path(place, "kernel.ptx"))]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    if done.returncode:
        said = done.stderr + done.stdout
        found = ERROR.search(said)
        where = (
            {"body": "line", "header": "header line"}[found[1]] + f" {found[2]}: {found[3]}" if found else said[:300]
        )
        raise KernelFault(f"nvcc refuses it: {where}")
    _passed.add(key)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
