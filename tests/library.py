"""A small package of experiments on the disk, a history of it, and the Book of both: for the tests of the Book."""

from __future__ import annotations

import importlib
import sys
import uuid
from dataclasses import replace
from pathlib import Path

from exp_core.book.contents import Contents, contents_of
from exp_core.book.measured import Measured, read_measured
from exp_core.catalogue import read_catalogue
from exp_core.history import Run, store
from exp_core.raced import Raced
from exp_core.results import Result
from exp_core.row import Check, Row

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&</style>"
EXPERIMENT = '''r"""Doubling: {title}

Problem   $y_i = 2 x_i$; x is float64, shape (n,).
Idea      Add `x` to itself: $\\sum_i x_i \\le n \\max_i |x_i|$, arXiv:1805.02867.
Look for  {look}
Source    https://example.org/doubling
"""
from typing import Annotated

import numpy as np

from exp_core import Cost, Experiment, Implementation, Problem

KERNEL = """
kernel void twice(device float* x) {{
    // two & more: {look}
    for (int i = 0; i < 2; i++)
        x[i] = x[i] < 1 ? 2 * x[i] : x[i];
}}
"""


def helper(x):
    """What the others call."""
    return KERNEL and x


def looped(x):
    """Double it, one by one: $2 x_i$."""
    y = np.empty_like(x)
    for i in range(x.size):
        y[i] = 2 * x[i]
    return y


def looped_backwards(x):
    """The same from the end."""
    y = np.empty_like(x)
    for i in reversed(range(x.size)):
        y[i] = 2 * x[i]
    return y


def doubled(x):
    """All at once."""
    return helper(x) + x


def library(x):
    """np.multiply."""
    return np.multiply(x, 2)


def error(y, x):
    """Largest difference: $\\\\max_i |y_i - 2 x_i|$."""
    return float(np.abs(y - 2 * x).max())


def normal(n: Annotated[int, "length {look}"] = 64, *, dtype, rng):
    """A normal vector."""
    return (rng.standard_normal(n).astype(dtype),)


def hard(n: Annotated[int, "length"] = 64, *, dtype, rng):
    """The same, but harder."""
    return (rng.standard_normal(n).astype(dtype),)


def picture(figure, x):
    """A line."""
    axes = figure.subplots()
    axes.plot(x, label="{look}")
    axes.set_title("{look}")
    axes.legend()


def make(function, rung):
    return Implementation(
        function, rung, cost=lambda x: Cost(flops=x.size, bytes=2 * x.nbytes), bound=lambda x: 0.0
    )


EXPERIMENT = Experiment(
    problems=(Problem(normal), Problem(hard, kind="hard")),
    laws={{"difference": error}},
    implementations=(
        make(looped, "textbook"), make(looped_backwards, "textbook"), make(doubled, "vectorised"),
        make(library, "library"),
    ),
    picture=picture,
)
'''
BROKEN = '"""Broken: its file raises."""\nraise RuntimeError("<b>no</b>")\n'
QUITTING = '"""Quitting: its file ends the program."""\nimport sys\nsys.exit()\n'


def make_package(folder: Path, name: str, files: dict[str, str]) -> None:
    """A package whose files are given by their paths, ``topic/experiment.py``."""
    for path, text in files.items():
        file = folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for topic in {file.parent for file in (folder / name).rglob("*.py")} | {folder / name}:
        if not (topic / "__init__.py").exists():
            (topic / "__init__.py").write_text(f'"""{topic.name.capitalize()}: a topic."""\n')


def plain(title: str = "twice as much", look: str = "Nothing.") -> str:
    """The source of an experiment."""
    return EXPERIMENT.format(title=title, look=look)


def forget(name: str) -> None:
    """Import the package anew the next time."""
    from exp_core.history.module import read_module

    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]
    importlib.invalidate_caches()
    read_module.cache_clear()


def contents(name: str) -> Contents:
    """The Book's contents with this package alone."""
    return contents_of({name: read_catalogue(name)})


def result(package: str, experiment: str, problem: str = "normal", n: int = 64, median_s: float = 1e-3) -> Result:
    """A ladder that was measured."""
    row = Row(
        "doubled", "vectorised", title="All at once", status="ok", checks=(Check("difference", 0.0, 0.0),),
        first_call_s=median_s, median_s=median_s, ci95=(0.9 * median_s, 1.1 * median_s), ratio_to_library=2.0,
        ratio_ci95=(1.9, 2.1), flops=1e6, bytes=1e6, limit_s=median_s / 4, race=Raced(verdict="faster"),
    )  # fmt: skip
    rows = (
        replace(row, name="looped", rung="textbook", median_s=50 * median_s, ratio_to_library=0.04, race=None),
        replace(row, name="looped_backwards", rung="textbook", status="skipped", reason="too slow", median_s=None),
        row,
        replace(row, name="library", rung="library", median_s=2 * median_s, ratio_to_library=1.0, ratio_ci95=(1, 1)),
    )
    return Result(
        experiment, package, "Doubling", problem, {"n": n}, "float64", 0, rows, noise_floor=0.01, machine=MACHINE
    )


def history(path: Path, *results: Result) -> Measured:
    """A history that holds these, an hour apart."""
    runs = [
        Run(each, str(uuid.uuid4()), f"2026-11-{1 + hour // 24:02}T{hour % 24:02}:00:00.000000Z")
        for hour, each in enumerate(results)
    ]
    store(runs, path, measured_now=False)
    return read_measured(path)


MACHINE = {
    "system": "Linux",
    "release": "6.1",
    "processor": {"model": "A processor", "architecture": "x86_64", "logical_cores": 2, "l1d_bytes": 32768},
    "usable_cores": 2,
    "memory_bytes": 8 * 2**30,
    "versions": {"python": "3.11.7", "numpy": "2.4"},
    "blas": [{"name": "openblas", "version": "0.3", "kernel": "Zen", "threads": 2}],
    "devices": [{"name": "cpu", "title": "A processor"}],
    "fingerprint": "0123456789ab",
    "limits": {
        "peaks": {
            "threads": 1,
            "flops": {"float64": 1e11},
            "bandwidth": [
                {"working_set": 2**14, "read": 4e11, "copy": 4e11, "triad": 4e11, "level": "L1"},
                {"working_set": 2**27, "read": 2e10, "copy": 2e10, "triad": 2e10, "level": "DRAM"},
            ],
            "method": "compiled",
            "clock_hz": 3e9,
        },
        "drift": {},
        "notes": [],
    },
}
