"""``practise softmax softmax.metal``: the body of a kernel to be filled in, and all that MLX writes around it."""

from __future__ import annotations

import inspect
from pathlib import Path

from dl_exp.emulator.own import LANGUAGE_OF, stood_in_for
from dl_exp.emulator.program import c_type
from dl_exp.kernel import Kernel, Language, Launched, first_launch
from exp_core import Experiment, Implementation
from exp_core.case import Case
from exp_core.catalogue import Entry
from exp_core.contestants import Contestant
from exp_core.practise.skeleton import hints, plain, wrapped
from exp_core.report.docstring import sections
from exp_core.tensor import dtype_name

KNOWN = {
    "metal": "thread_position_in_grid, threadgroup_position_in_grid, thread_position_in_threadgroup and the others of "
    "Metal are there if the body names them",
    "cuda": "the grid is rounded up to whole blocks: ask whether a thread has anything to do",
}
COMMENT = "// "
WIDTH = 100 - len(COMMENT)


def kernel_skeleton(entry: Entry, experiment: Experiment, command: str, text: str) -> str:
    """The text of ``FILE`` or ``FILE:KERNEL``.  command: ``python -m dl_exp``.  Raises ValueError in one sentence."""
    file = text.partition(":")[0]
    language = LANGUAGE_OF[Path(file).suffix]
    implementation, kernel = stood_in_for(experiment, text)
    title, _, body = entry.docstring.partition("\n")
    words = dict(sections(body))
    lines = [plain(title), "", *wrapped(plain(words.get("Problem", "")), "", WIDTH), ""]
    lines += [f"    {command} practise {entry.name} --with {text}            the emulator runs it: no GPU is needed"]
    lines += [f"    {command} practise {entry.name} --with {text} --watch    again after each save", ""]
    lines += _around(experiment, implementation, kernel, language)
    found = [f"{COMMENT}{line}".rstrip() for line in lines]
    found += ["", "// Write the body here: what stands between the braces of the kernel.", "", ""]
    for number, (name, said) in enumerate(hints(words, experiment), 1):
        found += [f"// #region Hint {number}: {name}", *(f"{COMMENT}{line}".rstrip() for line in said)]
        found += ["// #endregion", ""]
    return "\n".join(found).rstrip() + "\n"


def _around(experiment: Experiment, implementation: Implementation, kernel: Kernel, language: Language) -> list[str]:
    """Inputs, outputs, template, grid, and the function that launches it."""
    problem = experiment.problems[0]
    sizes = {size.name: size.default for size in problem.sizes} | dict(problem.small)
    inputs = Case(problem.name, sizes, experiment.dtypes[0]).inputs(experiment)
    seen = first_launch(Contestant(implementation, emulator="dl_exp.emulator").ready(inputs))
    at = ", ".join(f"{name} = {value:g}" for name, value in sizes.items())
    lines = [f"MLX writes the signature around the body; this is what it has with {at}:"]
    lines += _launch(seen, language) if seen else [f"    inputs {', '.join(kernel.inputs)}, outputs {kernel.outputs}"]
    lines += [*wrapped(KNOWN[language], "", WIDTH), "", "It is launched by", ""]
    return lines + [f"    {line}" for line in inspect.getsource(implementation.function).rstrip().splitlines()]


def _launch(seen: Launched, language: Language) -> list[str]:
    kernel, launch = seen.kernel, seen.launch
    atomic = "atomic " if kernel.atomic_outputs and language == "metal" else ""
    rows = [
        (f"{c_type(dtype_name(x), language)}* {name}" if getattr(x, "ndim", 0) else name, f"input {_shape(x)}")
        for name, x in zip(kernel.inputs, seen.inputs, strict=True)
    ]
    for name, shape, dtype in zip(kernel.outputs, launch.shapes, launch.dtypes, strict=True):
        rows.append((f"{c_type(dtype, language)}* {name}", f"{atomic}output {tuple(shape)}"))
    rows += [(name, f"template: here {_written(value)}") for name, value in launch.template.items()]
    rows += [("grid", f"{launch.grid} threads"), ("threadgroup", f"{launch.threadgroup} threads")]
    width = max(len(name) for name, _ in rows)
    return [f"    {name:<{width}}  {what}" for name, what in rows]


def _shape(x: object) -> tuple[int, ...]:
    return tuple(getattr(x, "shape", ()))


def _written(value: object) -> str:
    return str(value) if isinstance(value, (int, float)) else dtype_name(value)
