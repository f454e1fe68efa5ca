"""Metal's address spaces, checked by Clang's front end where ``libclang`` is installed: pip install 'dl-exp[emulator]'.

C++ has no address spaces, but Clang's C++ for OpenCL has the same four under other names (device is __global,
threadgroup __local, constant __constant, thread __private).  A body is parsed as such a kernel, and only what Clang
says of address spaces is passed on: the emulator's own compiler judges the rest.
"""

from __future__ import annotations

import functools
import importlib.util
import re

from dl_exp.emulator.complaints import plainer
from dl_exp.emulator.faults import KernelFault
from dl_exp.emulator.program import Argument, c_type
from dl_exp.emulator.signature import metal_source
from dl_exp.kernel import Kernel, Launch
from exp_core.experiment import Skip

SPACES = re.compile(r"__(?:global|local|constant|private|generic)\b")
OWN = re.compile(r"'__private [^'*\[]*'")  # a variable that is no pointer and becomes none
NAMES = {"__global": "device", "__local": "threadgroup", "__constant": "constant", "__private": "thread"}
ARGUMENTS = (
    "-x",
    "cl",
    "-cl-std=clc++2021",
    "-cl-no-stdinc",
    "-target",
    "spir64",
    "-cl-ext=-all,+cl_khr_fp16",
    "-Wno-everything",
)
KINDS = ("float", "half", "int", "uint", "short", "ushort", "char", "uchar")
VECTORS = "\n".join(
    f"typedef {kind} {kind}{n} __attribute__((ext_vector_type({n})));" for kind in KINDS for n in (2, 3, 4)
)
PRELUDE = f"""
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
typedef unsigned uint; typedef unsigned char uchar; typedef unsigned short ushort; typedef unsigned long ulong;
typedef unsigned long size_t; typedef long int64_t; typedef unsigned long uint64_t; typedef int int32_t;
typedef unsigned uint32_t; typedef short int16_t; typedef unsigned short uint16_t; typedef signed char int8_t;
typedef unsigned char uint8_t; typedef half float16_t; typedef half bfloat; typedef half bfloat16_t;
{VECTORS}
#define INFINITY (__builtin_inff())
#define NAN (__builtin_nanf(""))
#define __METAL_VERSION__ 310
#define device __global
#define threadgroup __local
#define constant __constant
#define thread __private
namespace metal {{
enum class mem_flags {{ mem_none, mem_device, mem_threadgroup }};
enum memory_order {{ memory_order_relaxed }};
template <class T> struct atomic {{ T v; }};
void threadgroup_barrier(mem_flags); void simdgroup_barrier(mem_flags);
template <class T> T exp(T); template <class T> T log(T); template <class T> T sqrt(T); template <class T> T rsqrt(T);
template <class T> T max(T, T); template <class T> T min(T, T); template <class T> T fma(T, T, T);
template <class T> T simd_sum(T); template <class T> T simd_max(T); template <class T> T simd_min(T);
}}
using namespace metal;
"""


@functools.cache
def absent() -> Skip | None:
    """Why address spaces are not looked at here; None if they are."""
    if importlib.util.find_spec("clang") is None:
        return Skip("address spaces were not looked at", "pip install 'dl-exp[emulator]' adds Clang's eye for them")
    import clang.cindex

    try:
        clang.cindex.Index.create()
    except clang.cindex.LibclangError as error:  # Python's half of it is here, the library is not
        words = str(error).partition(". ")[0]
        return Skip(f"address spaces were not looked at: {words}", "pip install --force-reinstall libclang")
    return None


def check(kernel: Kernel, arguments: tuple[Argument, ...], launch: Launch) -> None:
    """Raises KernelFault where a pointer changes its address space; without libclang it says nothing."""
    if absent():
        return
    import clang.cindex

    before, source = _as_opencl(kernel, arguments, launch)
    files = [("kernel.clcpp", before + source)]
    first = before.count("\n")
    unit = clang.cindex.Index.create().parse("kernel.clcpp", unsaved_files=files, args=list(ARGUMENTS))
    for found in unit.diagnostics:
        words, line = found.spelling, found.location.line - first
        if found.severity >= clang.cindex.Diagnostic.Error and line > 0 and _of_spaces(words):
            for theirs, ours in NAMES.items():
                words = words.replace(theirs, ours)
            raise KernelFault(f"wrong address space: line {line}: {plainer(words.replace('*thread', '*'))}")


def _of_spaces(words: str) -> bool:
    """Whether a complaint is about two address spaces; the one that a variable itself lies in does not count."""
    named = set(SPACES.findall(OWN.sub("", words.replace("*__private", "*"))))
    return len(named) > 1 or "address space" in words


def _as_opencl(kernel: Kernel, arguments: tuple[Argument, ...], launch: Launch) -> tuple[str, str]:
    """The source as MLX assembles it, its template's arguments written out; what is before the body, and the body."""
    source = metal_source(kernel, arguments, launch)
    signature, _, body = source.removeprefix(kernel.header).partition(") {\n")
    signature = re.sub(r"^template <[^\n]*>\n", "", signature)
    signature = re.sub(r"\s*\[\[[^\]]*\]\]", "", signature.replace("[[kernel]] void", "__kernel void"))
    signature = re.sub(r"(constant \w+)& ", r"\1* ", signature)  # a kernel's parameters are no references in OpenCL
    lines = [
        f"constexpr int {name} = {int(value)};"
        if isinstance(value, int)
        else f"using {name} = {c_type(value, 'metal')};"
        for name, value in launch.template.items()
    ]
    return f"{PRELUDE}\n{kernel.header}\n{signature}) {{\n{' '.join(lines)}\n", body
