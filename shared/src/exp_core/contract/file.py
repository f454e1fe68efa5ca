"""What an experiment's file promises as a whole: that it reads like the others, and that its ladder is complete."""

from __future__ import annotations

import io
import warnings

import numpy as np

from exp_core.case import Case
from exp_core.catalogue import HEADINGS, Entry
from exp_core.checksum import checksum
from exp_core.contract.trial import Broken, require
from exp_core.experiment import Experiment
from exp_core.nests import arrays_in
from exp_core.new.template import BLANK

LONGEST = 200  # lines of a file
SMALLEST_PICTURE = 5_000  # bytes: an empty one has fewer


def filled_in(entry: Entry) -> None:
    """Nothing of the template is left."""
    lines = entry.path.read_text(encoding="utf-8").splitlines()
    blanks = [f"line {n}: {line.strip()}" for n, line in enumerate(lines, 1) if f"{BLANK} in " in line]
    if blanks:
        raise Broken(f"{entry.path.name} has {len(blanks)} blanks to fill in:\n" + "\n".join(blanks))


def reads_like_the_others(entry: Entry, experiment: Experiment) -> None:
    """Docstring headings, lengths, bare functions that say what is different about them."""
    title, _, body = entry.docstring.partition("\n")
    require(": " in title and title.endswith("."), "the title line is 'Name: what it is about.'")
    headings = [line.split("  ")[0] for line in body.splitlines() if line[:1].isalpha()]
    require(headings == list(HEADINGS), f"the docstring's headings are {', '.join(HEADINGS)}, not {headings}")
    for path in (entry.path, *entry.path.parent.glob(f"_{entry.name}_*.py")):
        length = len(path.read_text(encoding="utf-8").splitlines())
        require(length <= LONGEST, f"{path.name} has {length} lines: split the idea")
    for implementation in experiment.implementations:
        name = implementation.name
        require(bool(implementation.title), f"{name} needs a docstring that says what differs")
        require(implementation.function.__qualname__ == name, f"{name} is no bare function")
    for problem in experiment.problems:
        require(bool(problem.title), f"the problem {problem.name} needs a docstring")
        require(all(size.help for size in problem.sizes), f"a size of the problem {problem.name} has no help")


def ladder_is_complete(entry: Entry, experiment: Experiment) -> None:
    """A textbook's rung, one that is fast, a library, a hard problem, awkward sizes."""
    rungs = {implementation.rung for implementation in experiment.implementations}
    require("textbook" in rungs, "the ladder has no textbook's rung")
    require("library" in rungs, "the ladder has no library beside it")
    require(bool(rungs & {"compiled", "kernel"}), "the ladder has neither a compiled rung nor a kernel")
    require(any(problem.kind == "hard" for problem in experiment.problems), "there is no hard problem")
    unsized = [problem.name for problem in experiment.problems if problem.sizes and not problem.small]
    require(not unsized, f"sizes, but none that are small: {', '.join(unsized)}")
    require(any(problem.awkward for problem in experiment.problems), "no problem has awkward sizes")


def seed_is_an_input(entry: Entry, experiment: Experiment) -> None:
    """The same seed makes the same input, in the dtype that was asked for."""
    for problem in experiment.problems:
        for dtype in problem.dtypes or experiment.dtypes:
            case = Case(problem.name, problem.small, dtype)
            inputs = case.inputs(experiment)
            require(checksum(inputs) == checksum(case.inputs(experiment)), f"{problem.name}: one seed, two inputs")
            names = {array.dtype.name for array in arrays_in(inputs) if array.dtype.kind not in "biu"}
            parts = dtype.replace("complex128", "float64").replace("complex64", "float32")
            require(names <= {dtype, parts}, f"{problem.name}: {dtype} was asked for, and {names} was made")


def picture_draws(entry: Entry, experiment: Experiment) -> None:
    """On every problem's small input, with no warning, and with words on the axes."""
    from matplotlib.figure import Figure

    for problem in experiment.problems:
        dtype = (problem.dtypes or experiment.dtypes)[0]
        inputs = Case(problem.name, problem.small, dtype).inputs(experiment)
        figure = Figure(figsize=(9, 7), layout="constrained")
        part = figure.subfigures(2, 1, squeeze=False)[0, 0]  # as the ladder draws it: above its own bars
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            experiment.picture(part, *inputs)
            figure.savefig(file := io.BytesIO(), format="png")
        require(file.getbuffer().nbytes > SMALLEST_PICTURE, f"the picture of {problem.name} is empty")
        require(any(axes.get_title() for axes in figure.axes), f"the picture of {problem.name} has no title")
