"""Clang on address spaces and nvcc on CUDA, where they are installed: what they refuse is a fault of the body."""

from __future__ import annotations

import numpy as np
import pytest

from dl_exp.emulator import KernelFault, address_spaces, nvcc, unseen
from dl_exp.emulator.program import Argument
from dl_exp.kernel import Kernel, Launch
from dl_exp.kernels._softmax_kernel import SOFTMAX

LAUNCH = Launch({"T": "float16", "N": 64}, (256, 1, 1), (256, 1, 1), ((4, 64),), ("float16",))
MANY, FEW = (Argument("x", "float16", 2, 256),), (Argument("x", "float16", 2, 4),)
needs_clang = pytest.mark.skipif(address_spaces.absent() is not None, reason=str(address_spaces.absent()))
needs_nvcc = pytest.mark.skipif(nvcc.nvcc() is None, reason="needs nvcc, which is not on this machine")


def metal(body):
    return Kernel("probe", inputs=("x",), outputs=("y",), metal=body, cuda="")


def cuda(body):
    return Kernel("probe", inputs=("x",), outputs=("y",), metal="", cuda=body)


@needs_clang
@pytest.mark.parametrize("arguments", [MANY, FEW])
def test_softmax_has_its_pointers_right(arguments):
    """Also with fewer than 8 scores, which are in constant memory."""
    address_spaces.check(SOFTMAX, arguments, LAUNCH)


@needs_clang
@pytest.mark.parametrize(
    "body",
    [
        "threadgroup float t[4];\ndevice float* p = t;\ny[0] = T(p[0]);",
        "float q = 0;\ndevice float* p = &q;\ny[0] = T(p[0]);",
        "thread half v[4];\nconst device half* p = v;\ny[0] = p[0];",
        "int i = 0;\nconst constant half* p = x;\ny[i] = p[0];",
    ],
)
def test_a_pointer_into_other_memory(body):
    with pytest.raises(KernelFault, match="wrong address space: line 2"):
        address_spaces.check(metal(body), MANY, LAUNCH)


@needs_clang
def test_what_is_right_and_looks_odd():
    body = """threadgroup float t[N];
threadgroup float* p = t + 3;
thread float v[4]; thread float* q = v; q[0] = x[0];
float4 w = float4(1.0f); w.xy = w.zw;
y[0] = T(p[0] + q[0] + w.x + simd_shuffle_rotate_down(1.0f, 1));"""
    address_spaces.check(metal(body), MANY, LAUNCH)


@needs_clang
def test_what_is_not_about_address_spaces_is_left_to_the_compiler():
    address_spaces.check(metal("half h = x;\ny[0] = nonsense(h);"), MANY, LAUNCH)


@pytest.fixture
def forgotten():
    """What is known of libclang on this machine."""
    address_spaces.absent.cache_clear()
    yield
    address_spaces.absent.cache_clear()


def test_without_libclang_it_says_what_was_not_looked_at(monkeypatch, forgotten):
    monkeypatch.setattr(address_spaces.importlib.util, "find_spec", lambda name: None)
    assert str(unseen("metal")) == (
        "address spaces were not looked at; pip install 'dl-exp[emulator]' adds Clang's eye for them"
    )
    assert unseen("cuda") is None
    address_spaces.check(metal("float q = 0;\ndevice float* p = &q;"), MANY, LAUNCH)


def test_half_a_libclang(monkeypatch, forgotten):
    cindex = pytest.importorskip("clang.cindex")

    def broken():
        raise cindex.LibclangError("libclang.so: no such file. To provide a path ...")

    monkeypatch.setattr(cindex.Index, "create", broken)
    said = "address spaces were not looked at: libclang.so: no such file; pip install --force-reinstall libclang"
    assert str(unseen("metal")) == said


@needs_nvcc
def test_nvcc_takes_softmax():
    nvcc.check(SOFTMAX, MANY, LAUNCH)


@needs_nvcc
@pytest.mark.parametrize(
    "body", ["int i = 0;\nx[i] = 1;", "int i = 0;\ny[i] = no_such_function(x[i]);", "int i = 0;\nfloat* p = x;"]
)
def test_nvcc_refuses(body):
    with pytest.raises(KernelFault, match="nvcc refuses it: line 2"):
        nvcc.check(cuda(body), MANY, LAUNCH)


@needs_nvcc
def test_what_nvcc_took_is_remembered_by_its_types(monkeypatch, tmp_path):
    """Another N is the same body; another dtype is not."""
    calls = []
    monkeypatch.setattr(nvcc, "folder", lambda: tmp_path)
    monkeypatch.setattr(nvcc, "_passed", set())
    real = nvcc.subprocess.run
    monkeypatch.setattr(nvcc.subprocess, "run", lambda *a, **k: calls.append(1) or real(*a, **k))
    probe = cuda("y[threadIdx.x] = x[threadIdx.x] * static_cast<T>(static_cast<float>(N));")
    for n, dtype in ((64, "float16"), (65, "float16"), (64, "float32")):
        launch = Launch({"T": dtype, "N": n}, (32, 1, 1), (32, 1, 1), ((32,),), (dtype,))
        nvcc.check(probe, (Argument("x", dtype, 2, 256),), launch)
    assert len(calls) == 2
    assert np.size(list(tmp_path.iterdir())) == 2
