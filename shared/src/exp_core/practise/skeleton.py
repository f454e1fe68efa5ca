"""The file that a learner fills in: signature, shapes, the problem, hints to unfold, and the command that checks it."""

from __future__ import annotations

import textwrap

from exp_core.catalogue import Entry, printable
from exp_core.experiment import Experiment, first_line
from exp_core.practise.described import Described, described
from exp_core.report.docstring import readable, sections
from exp_core.signature import parameters

WIDTH = 100


def skeleton(entry: Entry, experiment: Experiment, command: str, file: str) -> str:
    """The text of the file.  command: ``python -m maths_exp``.  file: as the user has named it."""
    title, _, body = entry.docstring.partition("\n")
    words = dict(sections(body))
    arguments = parameters(experiment)
    on_mlx = any(i.arrays == "mlx" for i in experiment.implementations)
    check = f"{command} practise {entry.name} --with {file}:{entry.name}"
    head = [
        plain(title),
        "",
        *wrapped(plain(words.get("Problem", "")), ""),
        "",
        f"    {check}            is it right? how fast is it?",
        f"    {check} --watch    again after each save",
        f"    {command} {entry.name} --explain",
    ]
    lines = ['"""' + head[0], *head[1:], '"""', "", *_imports(experiment), "", ""]
    lines += [f"def {entry.name}({', '.join(arguments)}):", '    """Your own version.', ""]
    lines += [f"    {line}" for line in _contract(experiment, described(experiment, entry.package), on_mlx)]
    lines += ['    """', '    raise NotImplementedError("write it here")', "", ""]
    for number, (name, text) in enumerate(hints(words, experiment), 1):
        lines += [f"# region Hint {number}: {name}", *(f"# {line}".rstrip() for line in text), "# endregion", ""]
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def hints(words: dict[str, str], experiment: Experiment) -> list[tuple[str, list[str]]]:
    """What helps, from the least to the most: never a source."""
    found: list[tuple[str, list[str]]] = []
    for heading, name in (("Idea", "the idea"), ("Look for", "what to look for")):
        if text := words.get(heading):
            found.append((name, wrapped(plain(text), "", WIDTH - 2)))
    steps = [
        line
        for i in experiment.implementations
        if i.rung != "library"
        for line in wrapped(f"{i.name} [{i.rung}]: {plain(i.title)}", "    ", WIDTH - 2)
    ]
    return [*found, ("how others go about it, step by step", steps)]


def _contract(experiment: Experiment, known: Described | None, on_mlx: bool) -> list[str]:
    """What comes in, what goes out, and what must hold."""
    lines: list[str] = []
    if known:
        names = [name.removeprefix("*") for name in parameters(experiment)]
        names += [f"{names[-1]}[{n}]" for n in range(1, 1 + len(known.inputs) - len(names))] if names else []
        for name, what in zip(names, known.inputs, strict=False):
            lines += wrapped(f"{name}: {_on_mlx(what) if on_mlx else what}", "    ", WIDTH - 4)
        several = len(known.result) > 1
        returned = f"a tuple of {len(known.result)}" if several else known.result[0]
        lines += wrapped(f"Returns {returned}{':' if several else '.'}", "    ", WIDTH - 4)
        lines += [f"    {what}" for what in known.result] if several else []
    if len(experiment.dtypes) > 1:
        lines.append(f"It is asked in {', '.join(experiment.dtypes)}: the result follows the input.")
    lines += ["", "It is right if, within the bound that theory derives:"]
    for name, law in experiment.laws.items():
        lines += wrapped(f"    {name}: {plain(first_line(law)) or 'is small'}", "        ", WIDTH - 4)
    return lines


def _on_mlx(what: str) -> str:
    return f"mlx.core {what}" if " array" in what else what


def _imports(experiment: Experiment) -> list[str]:
    on_mlx = any(i.arrays == "mlx" for i in experiment.implementations)
    return ["import mlx.core as mx", "import numpy as np"] if on_mlx else ["import numpy as np"]


def plain(text: str) -> str:
    """Words that can stand in a docstring and a comment: formulas in Unicode, no backslash, no end of the string."""
    return printable(readable(text)).replace("\\", "/").replace('"""', "'''")


def wrapped(text: str, indent: str, width: int = WIDTH) -> list[str]:
    """Lines of that width; all but the first are indented."""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
