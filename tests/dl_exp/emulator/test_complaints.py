"""What g++ and clang++ say, in the words of the kernel's language; and compilers that are not well."""

from __future__ import annotations

import shutil

import pytest
from emulated import run_body

from dl_exp.emulator import EmulatorMissing, KernelFault, compiler, unavailable
from dl_exp.emulator.complaints import complaint, plain


@pytest.mark.parametrize(
    ("said", "metal"),
    [
        (
            "conversion from 'Pointer<const gpu::Small<5, 10>,gpu::device_memory>' to non-scalar type "
            "'Pointer<float,gpu::device_memory>' requested",
            "'const device half*' cannot become 'device float*'",
        ),
        (
            "no viable conversion from 'Pointer<const float, constant_memory>' to 'gpu::Pointer<float, device_memory>'",
            "'const constant float*' cannot become 'device float*'",
        ),
        (
            "cannot convert 'gpu::Shared<float [4]>' to 'float' in assignment",
            "'threadgroup float[4]' cannot become 'float'",
        ),
        (
            "assigning to 'float' from incompatible type 'gpu::Shared<t_array>' (aka 'Shared<float[4]>')",
            "'threadgroup float[4]' cannot become 'float'",
        ),
        (
            "cannot convert 'const uint3' {aka 'const gpu::Vector<unsigned int, 3>'} to 'uint' {aka 'unsigned int'} "
            "in initialization",
            "'const uint3' cannot become 'uint'",
        ),
        (
            "'using float4 = struct gpu::Vector<float, 4>' {aka 'struct gpu::Vector<float, 4>'} has no member named "
            "'xy'; did you mean 'x'?",
            "the emulator has no swizzle .xy: write its components out, as in float2(v.x, v.y)",
        ),
        ("no member named 'zyx' in 'gpu::Vector<float, 4>'", "the emulator has no swizzle .zyx: write"),
        ("a function-definition is not allowed here before '{' token", "a body stands inside a function, and cannot"),
        ("function definition is not allowed here", "a body stands inside a function, and cannot"),
        (
            "assignment of read-only location 'x.gpu::Pointer<const float>::operator[](0)'",
            "assignment of read-only memory",
        ),
        ("'xs' was not declared in this scope; did you mean 'x'?", "'xs' was not declared in this scope; did you"),
    ],
)
def test_plain_words(said, metal):
    assert plain(said, "metal").startswith(metal)


def test_words_of_cuda():
    assert plain("no conversion from 'gpu::Pointer<const gpu::Small<8, 7>>'", "cuda").endswith("'const __nv_bfloat16*'")
    assert plain("to 'gpu::Shared<float [4]>'", "cuda") == "to '__shared__ float[4]'"


def test_the_line_of_what_goes_wrong_elsewhere():
    """In the emulator's own headers, or where a macro stands: the body's line led there."""
    said = """/x/metal.hpp: In instantiation of 'T metal::simd_sum(T)':
body:7:42:   required from here
/x/metal.hpp:72:27: error: no match for 'operator+' (operand types are 'kernel_body()::P' and 'kernel_body()::P')"""
    assert complaint(said, "metal") == (
        "it does not compile: line 7: no match for 'operator+' (operand types are 'P' and 'P')"
    )
    assert complaint("header:1000003:1: error: no", "metal") == "it does not compile: header line 3: no"
    assert complaint("ld: error: out of disk\nmore", "metal") == "it does not compile: out of disk"
    assert complaint("killed", "metal") == "it does not compile: killed"


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A compiler of the test's own, and an empty cache."""

    cached = (compiler.compiler, compiler.machine, compiler._version)

    def written(script):
        path = tmp_path / "c++"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("CXX", str(path))
        forget()

    def forget():
        for function in cached:
            function.cache_clear()

    monkeypatch.setattr(compiler, "folder", lambda: tmp_path)
    yield written
    monkeypatch.undo()
    forget()


def test_a_compiler_that_cannot_compile(fake):
    """Only half of it is installed: the kernel is not to blame."""
    fake("echo 'c++: cannot execute cc1plus' >&2; exit 1")
    skip = unavailable()
    assert "cannot compile the emulator (c++: cannot execute cc1plus)" in skip.reason
    assert skip.remedy == "mend it, or name another in CXX"
    with pytest.raises(EmulatorMissing, match="cannot compile the emulator"):
        run_body("cuda", "y[threadIdx.x] = 1;")


def test_a_compiler_that_is_not_there(fake, monkeypatch):
    """No other one steps in silently; an empty CXX asks for nothing."""
    fake("exit 1")
    monkeypatch.setenv("CXX", "g+++")
    skip = unavailable()
    assert skip.reason == "CXX names 'g+++', and no such program is here"
    assert skip.remedy == "name a C++ compiler in it, or unset it"
    compiler.compiler.cache_clear()
    monkeypatch.setenv("CXX", " ")
    assert shutil.which(compiler.compiler())


def test_a_compiler_that_never_ends(fake, monkeypatch):
    fake('test "$1" = --version || exec sleep 60')
    monkeypatch.setattr(compiler, "machine", tuple)
    monkeypatch.setattr(compiler, "LIMIT_S", 0.2)
    with pytest.raises(KernelFault, match=r"was still at it after 0\.2 s"):
        compiler.compiled("int main() {}", "metal")


def test_compilers_are_asked_in_english(fake, monkeypatch):
    """Its words are read here, whatever language the reader's other programs speak."""
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setattr(compiler, "machine", tuple)
    fake('echo "body:1:1: error: in $LC_ALL" >&2; exit 1')
    with pytest.raises(KernelFault, match=r"it does not compile: line 1: in C$"):
        compiler.compiled("int main() {}", "cuda")


def test_without_a_cache_folder_programs_are_kept_until_the_end(monkeypatch):
    from pathlib import Path

    monkeypatch.setattr(compiler, "cache_folder", lambda: Path("/dev/null/exp_core"))
    assert "dl_exp_emulator_" in compiler.folder().name and compiler.folder().is_dir()
