"""What is rewritten, and that lines stay where they are."""

from __future__ import annotations

import pytest

from dl_exp.emulator.translate import Untranslatable, translate


@pytest.mark.parametrize(
    ("metal", "cpp"),
    [
        ("const device T* row = x;", "gpu::Pointer<const T, gpu::device_memory> row = x;"),
        ("device const T* row = x;", "gpu::Pointer<const T, gpu::device_memory> row = x;"),
        ("constant int& n", "const int& n"),
        ("const constant int& n", "const int& n"),
        ("constant const int* n", "gpu::Pointer<const int, gpu::constant_memory> n"),
        ("thread float v[4];", "float v[4];"),
        ("threadgroup float* p", "gpu::Pointer<float, gpu::threadgroup_memory> p"),
        ("(const device float4*)x", "(gpu::Pointer<const float4, gpu::device_memory>)x"),
        ("device atomic<float>* p", "gpu::Pointer<atomic<float>, gpu::device_memory> p"),
        ("device metal::vec<T, 4>* p", "gpu::Pointer<metal::vec<T, 4>, gpu::device_memory> p"),
        ("threadgroup float a[8][9];", "GPU_SHARED((float), a, [8][9]);"),
        ("threadgroup float a[N], b;", "GPU_SHARED((float), a, [N]);GPU_SHARED((float), b, );"),
        ("threadgroup_barrier(mem_flags::mem_threadgroup);", "threadgroup_barrier(mem_flags::mem_threadgroup);"),
        ("float x [[buffer(0)]]", "float x "),
        ("y = a * b; // device T* c", "y = a * b; // device T* c"),
        ("volatile threadgroup float* p", "gpu::Pointer<float, gpu::threadgroup_memory> p"),
        ("threadgroup volatile float a[2];", "GPU_SHARED((float), a, [2]);"),
    ],
)
def test_metal(metal, cpp):
    assert "".join(translate(metal, "metal", ["T"]).split()) == "".join(cpp.split())


@pytest.mark.parametrize(
    ("cuda", "cpp"),
    [
        ("const T* row = x + i;", "gpu::Pointer<const T> row = x + i;"),
        ("const float* __restrict__ x", "gpu::Pointer<const float> __restrict__ x"),
        ("y = a * b;", "y = a * b;"),
        ("volatile float* p = a;", "gpu::Pointer<float> p = a;"),
        ("const unsigned int* p;", "gpu::Pointer<const unsigned int> p;"),
        ("const volatile float* p;", "gpu::Pointer<const float> p;"),
        ("volatile __shared__ float a[2];", "GPU_SHARED((float), a, [2]);"),
        ("y = float(a) * b;", "y = float(a) * b;"),
        ("reinterpret_cast<const float4*>(x)", "gpu::cast<gpu::Pointer<const float4>>(x)"),
        ("__shared__ float a[32];", "GPU_SHARED((float), a, [32]);"),
        ("struct Pair { float a; }; Pair* p;", "struct Pair { float a; }; gpu::Pointer<Pair> p;"),
    ],
)
def test_cuda(cuda, cpp):
    assert "".join(translate(cuda, "cuda", ["T"]).split()) == "".join(cpp.split())


@pytest.mark.parametrize("language", ["metal", "cuda"])
def test_lines_stay(language):
    source = """#include <metal_stdlib>
/* a comment
   of two lines */
const device
  float* p = x;
threadgroup
  float a[3],
        b[4];
__shared__ float
  c[2];
"""
    assert translate(source, language).count("\n") == source.count("\n")


def test_what_cannot_be():
    with pytest.raises(Untranslatable, match="line 2: threadgroup memory cannot be initialised"):
        translate("\nthreadgroup float a = 0;", "metal")
    with pytest.raises(Untranslatable, match="dynamic shared memory"):
        translate("extern __shared__ float a[];", "cuda")
    with pytest.raises(Untranslatable, match="write the type after"):
        translate("float device* p;", "metal")
    with pytest.raises(Untranslatable, match="threadgroup memory needs a type and a name"):
        translate("__shared__ ;", "cuda")


@pytest.mark.parametrize("language", ["metal", "cuda"])
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("for (;;) {\n  y[0] = 1;\n", "line 1: this { is never closed"),
        ("if (i) {\n y[0] = f(1;\n}", "line 2: this ( is never closed"),
        ("\ny[0] = 1;\n}\n", "line 3: this } closes nothing"),
        ("y[0] = 1;\n/* to be done", "line 2: this /* is never closed"),
    ],
)
def test_halves_of_brackets(language, source, said):
    with pytest.raises(Untranslatable) as refused:
        translate(source, language)
    assert str(refused.value) == said


def test_brackets_that_are_none():
    """In comments, texts and directives; and each branch of the preprocessor may open one."""
    for source in ("// {", "/* ( */", 'f("{");', "c = '{';", "#define OPEN {", "#if A\nif (x) {\n#else\n{\n#endif\n}"):
        assert translate(source, "metal") == source


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("metal", "\nkernel void f(device float* x) { x[0] = 1; }"),
        ("metal", "\n[[kernel]] void f(device float* x) { x[0] = 1; }"),
        ("cuda", "\n__global__ void f(float* x) { x[0] = 1; }"),
    ],
)
def test_a_whole_kernel_is_no_body(language, source):
    with pytest.raises(
        Untranslatable, match="line 2: this is a whole kernel: leave only what stands between its braces"
    ):
        translate(source, language)
