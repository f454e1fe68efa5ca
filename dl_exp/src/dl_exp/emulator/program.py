"""The C++ program around a kernel: the signature that MLX would write, as variables, and the translated body."""

from __future__ import annotations

from dataclasses import dataclass

from dl_exp.emulator.translate import translate
from dl_exp.kernel import Kernel, Language, Launch
from exp_core.tensor import dtype_name

FEW = 8  # inputs of fewer elements are in Metal's constant memory (mlx/backend/common/metal_kernel.cpp)
C_TYPES = {
    "bool": "bool",
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "uint32": "uint32_t",
    "int64": "int64_t",
    "uint64": "uint64_t",
    "float32": "float",
}
HALVES = {
    "metal": {"float16": "float16_t", "bfloat16": "bfloat16_t"},
    "cuda": {"float16": "__half", "bfloat16": "__nv_bfloat16"},
}
ATTRIBUTES = {  # Metal's, in MLX's order; those that the body names are there
    "dispatch_quadgroups_per_threadgroup": "uint {} = (gpu::group.size + 3) / 4",
    "dispatch_simdgroups_per_threadgroup": "uint {} = (gpu::group.size + 31) / 32",
    "dispatch_threads_per_threadgroup": "uint3 {} = three(gpu::group.whole)",
    "grid_origin": "uint3 {} = uint3(0)",
    "grid_size": "uint3 {} = three(gpu::group.grid)",
    "quadgroup_index_in_threadgroup": "uint {} = gpu::self().index / 4",
    "quadgroups_per_threadgroup": "uint {} = (gpu::group.size + 3) / 4",
    "simdgroup_index_in_threadgroup": "uint {} = gpu::self().index / 32",
    "simdgroups_per_threadgroup": "uint {} = (gpu::group.size + 31) / 32",
    "thread_execution_width": "uint {} = 32",
    "thread_index_in_quadgroup": "uint {} = gpu::self().index % 4",
    "thread_index_in_simdgroup": "uint {} = gpu::self().index % 32",
    "thread_index_in_threadgroup": "uint {} = gpu::self().index",
    "thread_position_in_grid": "uint3 {} = position_in_grid()",
    "thread_position_in_threadgroup": "uint3 {} = three(gpu::self().position)",
    "threadgroup_position_in_grid": "uint3 {} = three(gpu::group.position)",
    "threadgroups_per_grid": "uint3 {} = three(gpu::group.count)",
    "threads_per_grid": "uint3 {} = three(gpu::group.grid)",
    "threads_per_simdgroup": "uint {} = 32",
    "threads_per_threadgroup": "uint3 {} = three(gpu::group.shape)",
}


@dataclass(frozen=True)
class Argument:
    """An array as a kernel sees it: what MLX's signature depends on."""

    name: str
    dtype: str
    ndim: int
    size: int


def c_type(dtype: object, language: Language) -> str:
    """MLX's name of a dtype in a kernel.  Raises ValueError for one that kernels here do not take."""
    name = dtype_name(dtype)
    try:
        return (C_TYPES | HALVES[language])[name]
    except KeyError:
        raise ValueError(f"the emulator has no {name}: it has {', '.join([*C_TYPES, *HALVES[language]])}") from None


def template_lines(launch: Launch, language: Language) -> list[str]:
    """The template as declarations."""
    lines: list[str] = []
    for name, value in launch.template.items():
        if isinstance(value, bool):
            lines.append(f"constexpr bool {name} = {str(value).lower()};")
        elif isinstance(value, int):
            lines.append(f"constexpr int {name} = {value};")
        else:
            lines.append(f"using {name} = {c_type(value, language)};")
    return lines


def extra_buffers(argument: Argument, body: str) -> list[str]:
    """Which of shape, strides and ndim come with an input: those that the body's text names, as MLX has it."""
    return [what for what in ("shape", "strides", "ndim") if argument.ndim and f"{argument.name}_{what}" in body]


def program(kernel: Kernel, language: Language, arguments: tuple[Argument, ...], launch: Launch) -> str:
    """The whole source; lines of the body count from 1, those of the header from memory.hpp's HEADER."""
    body = kernel.body(language)
    buffers: list[str] = []
    variables = template_lines(launch, language)
    for argument in arguments:
        type_ = c_type(argument.dtype, language)
        space = "gpu::any_memory"
        if language == "metal":
            space = "gpu::constant_memory" if argument.size < FEW else "gpu::device_memory"
        if argument.ndim == 0 and language == "metal":
            variables.append(f"const {type_}& {argument.name} = *({type_}*)gpu::buffers[{len(buffers)}].region->base;")
        else:
            variables.append(_pointer(f"Pointer<const {type_}, {space}>", argument.name, len(buffers)))
        buffers.append(_buffer(argument.name, "input", type_))
        for what in extra_buffers(argument, body):
            name, integer = f"{argument.name}_{what}", "int64_t" if what == "strides" else "int"
            if what == "ndim":
                variables.append(f"const int {name} = *(int*)gpu::buffers[{len(buffers)}].region->base;")
            else:
                pointer = "Pointer<{}, gpu::constant_memory>" if language == "metal" else "Extents<{}>"
                variables.append(_pointer(pointer.format(f"const {integer}"), name, len(buffers)))
            buffers.append(_buffer(name, "input", integer))
    for name, dtype in zip(kernel.outputs, launch.dtypes, strict=True):
        type_ = c_type(dtype, language)
        seen = f"metal::atomic<{type_}>" if kernel.atomic_outputs and language == "metal" else type_
        space = "gpu::device_memory" if language == "metal" else "gpu::any_memory"
        variables.append(_pointer(f"Pointer<{seen}, {space}>", name, len(buffers)))
        buffers.append(_buffer(name, "output", type_))
    if language == "metal":
        variables += [f"const {form.format(name)};" for name, form in ATTRIBUTES.items() if name in body]
    types = [name for name, value in launch.template.items() if not isinstance(value, (bool, int))]
    listed = ",\n".join(buffers)
    return f"""#include "{language}.hpp"
#define GPU_UNPACK(...) __VA_ARGS__
#define GPU_SHARED(T, name, extents) \\
  using name##_element = GPU_UNPACK T; \\
  using name##_array = name##_element extents; \\
  static gpu::Shared<name##_array> name(#name); \\
  name.enter()
inline uint3 three(gpu::Index i) {{ return uint3(i.x, i.y, i.z); }}
inline uint3 position_in_grid() {{
  auto at = gpu::self().position, group = gpu::group.position, whole = gpu::group.whole;
  return uint3(group.x * whole.x + at.x, group.y * whole.y + at.y, group.z * whole.z + at.z);
}}
std::vector<gpu::Buffer> gpu::buffers = {{
{listed}
}};
#line 1000001 "header"
{translate(kernel.header, language)}
#line 1 "signature"
static void kernel_body() {{
{chr(10).join(variables)}
#line 1 "body"
{translate(body, language, types)}
}}
void gpu::body() {{ kernel_body(); }}
"""


def _pointer(type_: str, name: str, buffer: int) -> str:
    region = f"gpu::buffers[{buffer}].region"
    return f"gpu::{type_} {name}((decltype(gpu::{type_}::p)){region}->base, {region});"


def _buffer(name: str, kind: str, type_: str) -> str:
    return (
        f'{{"{name}", gpu::Kind::{kind}, sizeof({type_}), gpu::Poison<{type_}>::pattern, gpu::Poison<{type_}>::sparse}}'
    )
