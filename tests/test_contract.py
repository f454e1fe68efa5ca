"""The contract, held against every experiment: a new file in a topic's folder is tested here by being there."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import io
import math
import subprocess
import sys
import tracemalloc
import warnings

import numpy as np
import pytest
from counting import Tally, counted

from exp_core.catalogue import HEADINGS, CatalogueError, read_catalogue
from exp_core.contestants import Contestant, arrays_in, as_numpy
from exp_core.ladder import checksum
from exp_core.machine import thread_limit

ENTRIES = [entry for command in ("maths_exp", "dl_exp") for entry in read_catalogue(command).entries.values()]
EMULATOR = "dl_exp.emulator"
SABOTAGE = 64  # times the bound: a result that far off must be caught
CONDITION = 1e15  # the largest condition number of a hard problem: there a result may have to be that much worse
COUNTED_FLOPS = 1e6  # more than that is not a tiny case: counting takes a microsecond each
MEMORY_SLACK = 200_000  # bytes that Python itself takes


def loaded():
    """Every experiment that can be loaded, and what is wrong with the others: one broken file fails one test."""
    experiments, faults = {}, {}
    for entry in ENTRIES:
        try:
            experiments[entry.module] = entry.load()
        except CatalogueError as error:
            faults[entry.name] = str(error)
    return experiments, faults


EXPERIMENTS, FAULTS = loaded()
BY_MODULE = {entry.module: entry for entry in ENTRIES if entry.module in EXPERIMENTS}
every_experiment = pytest.mark.parametrize("module", EXPERIMENTS, ids=[entry.name for entry in BY_MODULE.values()])
load = EXPERIMENTS.__getitem__


def test_every_file_can_be_loaded():
    assert not FAULTS


def on_devices(experiment):
    """Every implementation; what is written for GPUs on each of them, emulated."""
    return [(i, device) for i in experiment.implementations for device in i.devices or ("cpu",)]


def combinations(sizes_of):
    """One parameter set for each experiment, problem, dtype, sizes and implementation."""
    for module, entry in BY_MODULE.items():
        experiment = load(module)
        for problem in experiment.problems:
            for dtype in problem.dtypes or experiment.dtypes:
                for sizes in sizes_of(problem):
                    for implementation, device in on_devices(experiment):
                        if dtype in (implementation.dtypes or experiment.dtypes):
                            label = ",".join(f"{name}={value:g}" for name, value in sizes.items())
                            common = sizes == problem.small and dtype == (problem.dtypes or experiment.dtypes)[0]
                            yield pytest.param(
                                module,
                                problem.name,
                                dtype,
                                tuple(sizes.items()),
                                implementation,
                                device,
                                id=f"{entry.name}-{problem.name}-{dtype}-{label}-{implementation.name}"
                                + (f"@{device}" if implementation.devices else ""),
                                marks=() if common else pytest.mark.exhaustive,
                            )


NAMES = "module, problem, dtype, sizes, implementation, device"
everywhere = pytest.mark.parametrize(NAMES, list(combinations(lambda problem: (problem.small, *problem.awkward))))
when_small = pytest.mark.parametrize(NAMES, list(combinations(lambda problem: (problem.small,))))


@functools.lru_cache(maxsize=8)
def given(module, problem, dtype, sizes, seed=0):
    """The input of a case, and the oracle's answer."""
    experiment = load(module)
    made = experiment.problem(problem)
    for name in made.requires:
        pytest.importorskip(name, reason=f"the problem {problem} needs {name}")
    inputs = made.make(**dict(sizes), dtype=dtype, rng=np.random.default_rng(seed))
    return inputs, experiment.oracle(*inputs) if experiment.oracle else None


def ready(implementation, inputs, device):
    """A call of the implementation on these inputs; None where it is not made for them, and says so."""
    for name in implementation.modules:
        pytest.importorskip(name, reason=f"{implementation.name} needs {name}")
    contestant = Contestant(implementation, device, EMULATOR if implementation.devices else "")
    if contestant.emulated and (missing := importlib.import_module(EMULATOR).unavailable()):
        pytest.skip(str(missing))
    if skip := contestant.unsuited(inputs):
        assert skip.reason
        return None
    return contestant.ready(inputs)


def broken(experiment, implementation, result, inputs, truth):
    """The laws that a result breaks; a result that no law can measure breaks them all."""
    bounds = experiment.bounds(implementation, inputs)
    try:
        errors = experiment.errors(result, inputs, truth)
    except (ValueError, TypeError, IndexError):
        return list(bounds)
    return [law for law, error in errors.items() if not error <= bounds[law]]


@pytest.fixture(autouse=True)
def two_threads():
    """Enough to find races, few enough for any machine; an overflow is a result, not a warning."""
    with thread_limit(2), np.errstate(all="ignore"):
        yield


@everywhere
def test_right_deterministic_and_gentle_with_its_input(module, problem, dtype, sizes, implementation, device):
    """Every law holds within its bound, twice with the same bits, and the input is as it was."""
    experiment = load(module)
    inputs, truth = given(module, problem, dtype, sizes)
    before = checksum(inputs)
    if (call := ready(implementation, inputs, device)) is None:
        return
    result, again = as_numpy(call()), as_numpy(call())
    assert checksum(inputs) == before, "it changed its input"
    wrong = broken(experiment, implementation, result, inputs, truth)
    if problem not in implementation.unstable:
        errors, bounds = experiment.errors(result, inputs, truth), experiment.bounds(implementation, inputs)
        assert not wrong, f"{wrong}: {errors} above {bounds}"
    for one, other in zip(leaves(result), leaves(again), strict=True):
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes(), "two calls, two answers"


@when_small
def test_sabotage_is_caught(module, problem, dtype, sizes, implementation, device):
    """Each array of the result in turn: every entry off by some multiple of the bound, or a single one not a number."""
    experiment = load(module)
    if problem in implementation.unstable:
        return  # already outside of its bounds here, as it says
    inputs, truth = given(module, problem, dtype, sizes)
    if (call := ready(implementation, inputs, device)) is None:
        return
    result = as_numpy(call())
    bounds = experiment.bounds(implementation, inputs)
    assert all(math.isfinite(bound) for bound in bounds.values()), f"a bound that nothing can break: {bounds}"
    hard = experiment.problem(problem).kind == "hard"
    sizes = [
        SABOTAGE * max(bounds.values()) * condition for condition in ((1.0, 1e5, 1e10, CONDITION) if hard else (1.0,))
    ]
    for place, leaf in enumerate(leaves(result)):
        for how in (shaken, poisoned):
            spoilt = [with_leaf(result, place, changed) for size in sizes if (changed := how(leaf, size)) is not None]
            caught = [broken(experiment, implementation, one, inputs, truth) for one in spoilt]
            assert any(caught) or not spoilt, f"{how.__name__} in array {place} goes unseen"


@when_small
def test_cost_is_sane_and_memory_is_within_it(module, problem, dtype, sizes, implementation, device):
    """Finite, at least reading what is read once; what NumPy allocates stays within what the cost admits."""
    inputs, _ = given(module, problem, dtype, sizes)
    cost = implementation.cost(*inputs)
    assert math.isfinite(cost.flops + cost.bytes + cost.memory)
    assert cost.bytes > 0
    if implementation.rung not in ("textbook", "vectorised") or implementation.arrays == "mlx":
        return
    if (call := ready(implementation, inputs, device)) is None:
        return
    call()
    tracemalloc.start()
    try:
        result = call()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    results = sum(np.asarray(leaf).nbytes for leaf in leaves(as_numpy(result)))
    assert peak <= 2 * (cost.memory + results) + MEMORY_SLACK, f"{peak} bytes at the peak, {cost.memory} in the cost"


@when_small
def test_cost_is_recounted(module, problem, dtype, sizes, implementation, device):
    """The textbook's arithmetic, run on numbers that count: the cost's flops are right within a factor of 1.5."""
    if implementation.rung != "textbook":
        return
    inputs, _ = given(module, problem, dtype, sizes)
    if not all(array.dtype.kind == "f" for array in arrays_in(inputs)) or implementation.arrays != "numpy":
        return
    if ready(implementation, inputs, device) is None:
        return
    declared = implementation.cost(*inputs).flops
    if declared > COUNTED_FLOPS:
        return
    tally = Tally()
    prepared = implementation.prepare(*inputs) if implementation.prepare else inputs
    floats = [isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in prepared]
    try:
        implementation.function(*(counted(x, tally) if f else x for x, f in zip(prepared, floats, strict=True)))
    except TypeError:
        tally.flops = 0  # it needs real floats: its own test recounts it
    if tally.flops:
        assert declared / 1.5 <= tally.flops <= 1.5 * declared, f"{tally.flops} counted, {declared} declared"


@every_experiment
def test_the_file_reads_like_the_others(module):
    """Docstring headings, lengths, bare functions that say what is different about them."""
    entry, experiment = BY_MODULE[module], load(module)
    title, _, body = entry.docstring.partition("\n")
    assert ": " in title and title.endswith("."), "the title line is 'Name: what it is about.'"
    headings = [line.split("  ")[0] for line in body.splitlines() if line[:1].isalpha()]
    assert headings == list(HEADINGS)
    for path in (entry.path, *entry.path.parent.glob(f"_{entry.name}_*.py")):
        length = len(path.read_text(encoding="utf-8").splitlines())
        assert length <= 200, f"{path.name} has {length} lines: split the idea"
    for implementation in experiment.implementations:
        assert implementation.title, f"{implementation.name} needs a docstring that says what differs"
        assert implementation.function.__qualname__ == implementation.name, f"{implementation.name} is no bare function"
    for problem in experiment.problems:
        assert problem.title
        assert all(size.help for size in problem.sizes)


@every_experiment
def test_the_ladder_is_complete(module):
    """A textbook's rung, one that is fast, a library, a hard problem, awkward sizes."""
    experiment = load(module)
    rungs = {implementation.rung for implementation in experiment.implementations}
    assert {"textbook", "library"} <= rungs
    assert rungs & {"compiled", "kernel"}
    assert any(problem.kind == "hard" for problem in experiment.problems)
    assert all(problem.small or not problem.sizes for problem in experiment.problems), "sizes, but none that are small"
    assert any(problem.awkward for problem in experiment.problems)


@every_experiment
def test_everybody_gets_a_turn(module):
    """No implementation is skipped on every problem, size and dtype of the tests."""
    experiment = load(module)
    for implementation in experiment.implementations:
        if any(importlib.util.find_spec(name) is None for name in implementation.modules):
            continue
        turns = 0
        for problem in experiment.problems:
            if any(importlib.util.find_spec(name) is None for name in problem.requires):
                continue
            for dtype in implementation.dtypes or problem.dtypes or experiment.dtypes:
                for sizes in (problem.small, *problem.awkward):
                    inputs, _ = given(module, problem.name, dtype, tuple(sizes.items()))
                    turns += implementation.skip is None or implementation.skip(*inputs) is None
        assert turns, f"{implementation.name} never runs"


@every_experiment
def test_a_seed_is_an_input(module):
    """The same seed makes the same input, in the dtype that was asked for."""
    experiment = load(module)
    for problem in experiment.problems:
        for dtype in problem.dtypes or experiment.dtypes:
            inputs, _ = given(module, problem.name, dtype, tuple(problem.small.items()))
            again = problem.make(**problem.small, dtype=dtype, rng=np.random.default_rng(0))
            assert checksum(inputs) == checksum(again)
            names = {array.dtype.name for array in arrays_in(inputs) if array.dtype.kind not in "biu"}
            assert names <= {dtype, dtype.replace("complex128", "float64").replace("complex64", "float32")}


@every_experiment
def test_the_picture_draws(module):
    """On every problem's small input, with no warning, and with words on the axes."""
    figure_module = pytest.importorskip("matplotlib.figure", reason="pictures need matplotlib")
    for problem in load(module).problems:
        dtype = (problem.dtypes or load(module).dtypes)[0]
        inputs, _ = given(module, problem.name, dtype, tuple(problem.small.items()))
        figure = figure_module.Figure(figsize=(9, 7), layout="constrained")
        part = figure.subfigures(2, 1)[0]  # as the ladder draws it: above its own bars
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            load(module).picture(part, *inputs)
            figure.savefig(file := io.BytesIO(), format="png")
        assert file.getbuffer().nbytes > 5_000
        assert any(axes.get_title() for axes in figure.axes)


def test_importing_has_no_side_effects():
    """Neither output nor heavy libraries nor a touched random state: every experiment in one fresh process."""
    heavy = ("numba", "matplotlib", "mlx", "dask", "sklearn", "pandas")
    script = f"""
import importlib, random, sys
import numpy as np
states = random.getstate(), np.random.get_state()[1].tolist()
for module in {list(BY_MODULE)!r}:
    importlib.import_module(module)
assert (random.getstate(), np.random.get_state()[1].tolist()) == states, "random state touched"
print([name for name in {heavy!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def leaves(result):
    """The arrays and numbers of a result, in order."""
    if isinstance(result, (tuple, list)):
        return [leaf for item in result for leaf in leaves(item)]
    return [result]


def with_leaf(result, place, leaf):
    """The same result with the leaf at one place exchanged."""
    left = iter(range(len(leaves(result))))

    def rebuild(value):
        if isinstance(value, (tuple, list)):
            items = [rebuild(item) for item in value]
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        return leaf if next(left) == place else value

    return rebuild(result)


def shaken(leaf, size):
    """Every float moved by the largest entry times the size; one integer moved by one; None if nothing can be moved."""
    if type(leaf) is int:
        return None  # a count that the result carries along for its figures: no part of the answer
    array = np.asarray(leaf)
    out = array.copy()
    if array.dtype.kind in "iu" and array.size:
        flat = out.reshape(-1)
        flat[array.size // 2] += -1 if flat[array.size // 2] else 1
        return out
    if array.dtype.kind == "b" or not array.size or not np.any(array):
        return None  # nothing to scale by
    if size == 0:  # an answer without rounding: one number becomes its neighbour
        place = np.flatnonzero(np.isfinite(array))
        if not place.size:
            return None
        flat = out.reshape(-1)
        flat[place[place.size // 2]] = np.nextafter(flat[place[place.size // 2]], array.dtype.type(1.5))
        return out
    scale = float(np.abs(array.astype(complex if array.dtype.kind == "c" else float)).max())
    signs = np.where(np.arange(array.size).reshape(array.shape) % 2, 1.0, -1.0)
    return (array + scale * size * signs).astype(array.dtype)


def poisoned(leaf, size):
    """One entry is not a number."""
    array = np.asarray(leaf)
    if array.dtype.kind not in "fcV" or not array.size:
        return None
    out = array.copy()
    out.reshape(-1)[array.size // 2] = np.nan
    return out
