"""The sources that MLX hands to the compilers of Metal and CUDA, for whoever wants to show them to a compiler here.

Source: mlx/backend/common/metal_kernel.cpp and mlx/backend/cuda/custom_kernel.cpp, MLX 0.32.
"""

from __future__ import annotations

from dl_exp.emulator.program import ATTRIBUTES, FEW, Argument, c_type, extra_buffers, template_lines
from dl_exp.kernel import Kernel, Launch


def metal_source(kernel: Kernel, arguments: tuple[Argument, ...], launch: Launch) -> str:
    """What follows MLX's own header: the kernel's header, its signature and its body."""
    body = kernel.metal
    parameters: list[str] = []
    buffer = 0

    def add(declaration: str) -> None:
        nonlocal buffer
        parameters.append(f"  {declaration} [[buffer({buffer})]]")
        buffer += 1

    for argument in arguments:
        space = "constant" if argument.size < FEW else "device"
        reference = "*" if argument.ndim else "&"
        add(f"const {space} {c_type(argument.dtype, 'metal')}{reference} {argument.name}")
        forms = {"shape": "const constant int*", "strides": "const constant int64_t*", "ndim": "const constant int&"}
        for what in extra_buffers(argument, body):
            add(f"{forms[what]} {argument.name}_{what}")
    for name, dtype in zip(kernel.outputs, launch.dtypes, strict=True):
        type_ = c_type(dtype, "metal")
        add(f"device {f'atomic<{type_}>' if kernel.atomic_outputs else type_}* {name}")
    for name, form in ATTRIBUTES.items():
        if name in body:
            parameters.append(f"  {form.partition(' ')[0]} {name} [[{name}]]")
    names = [f"{_kind(value)} {name}" for name, value in launch.template.items()]
    template = f"template <{', '.join(names)}>\n" if names else ""
    listed = ",\n".join(parameters)
    return f"{kernel.header}{template}[[kernel]] void custom_kernel_{kernel.name}(\n{listed}) {{\n{body}\n}}\n"


def cuda_source(kernel: Kernel, arguments: tuple[Argument, ...], launch: Launch, includes: str) -> str:
    """The whole file, with these includes for MLX's own; lines of the body count from 1."""
    body = kernel.cuda
    parameters: list[str] = []
    for argument in arguments:
        parameters.append(f"    const {c_type(argument.dtype, 'cuda')}* {argument.name}")
        forms = {"shape": "Shape", "strides": "Strides", "ndim": "int"}
        extras = extra_buffers(argument, body)
        parameters += [f"    const __grid_constant__ {forms[what]} {argument.name}_{what}" for what in extras]
    for name, dtype in zip(kernel.outputs, launch.dtypes, strict=True):
        parameters.append(f"    {c_type(dtype, 'cuda')}* {name}")
    constants = "".join(f"  {line}\n" for line in template_lines(launch, "cuda"))
    listed = ",\n".join(parameters)
    return f"""{includes}
#line 1 "header"
{kernel.header}
namespace mlx::core::cu {{

namespace cg = cooperative_groups;

__global__ void custom_kernel_{kernel.name}(
{listed}) {{
{constants}
#line 1 "body"
{body}
}}

}} // namespace mlx::core::cu
"""


def _kind(value: object) -> str:
    return "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "typename"
