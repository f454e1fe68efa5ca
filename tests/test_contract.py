"""The contract, held against every experiment: a new file in a topic's folder is tested here by being there."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from counting import Tally, counted

from exp_core.case import Case
from exp_core.catalogue import CatalogueError, read_catalogue
from exp_core.contract import file as whole
from exp_core.contract import trial as contract
from exp_core.contract.trial import Trial
from exp_core.machine import thread_limit
from exp_core.nests import arrays_in

ENTRIES = [entry for command in ("maths_exp", "dl_exp") for entry in read_catalogue(command).entries.values()]
EMULATOR = "dl_exp.emulator"
COUNTED_FLOPS = 1e6  # more than that is not a tiny case: counting takes a microsecond each


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


def trial(module, problem, dtype, sizes, implementation, device):
    """A trial, if what it needs is here."""
    experiment = load(module)
    made = experiment.problem(problem)
    for name in made.requires:
        pytest.importorskip(name, reason=f"the problem {problem} needs {name}")
    for name in implementation.modules:
        pytest.importorskip(name, reason=f"{implementation.name} needs {name}")
    if implementation.devices and (missing := importlib.import_module(EMULATOR).unavailable()):
        pytest.skip(str(missing))
    return Trial(experiment, implementation, made, dtype, sizes, device, EMULATOR)


@pytest.fixture(autouse=True)
def two_threads():
    """Enough to find races, few enough for any machine; an overflow is a result, not a warning."""
    with thread_limit(2), np.errstate(all="ignore"):
        yield


@everywhere
def test_right_deterministic_and_gentle_with_its_input(module, problem, dtype, sizes, implementation, device):
    contract.right_deterministic_and_gentle(trial(module, problem, dtype, sizes, implementation, device))


@when_small
def test_sabotage_is_caught(module, problem, dtype, sizes, implementation, device):
    contract.sabotage_is_caught(trial(module, problem, dtype, sizes, implementation, device))


@when_small
def test_cost_is_sane_and_memory_is_within_it(module, problem, dtype, sizes, implementation, device):
    contract.cost_is_sane_and_memory_within_it(trial(module, problem, dtype, sizes, implementation, device))


@when_small
def test_cost_is_recounted(module, problem, dtype, sizes, implementation, device):
    """The textbook's arithmetic, run on numbers that count: the cost's flops are right within a factor of 1.5."""
    if implementation.rung != "textbook":
        return
    tried = trial(module, problem, dtype, sizes, implementation, device)
    inputs = tried.inputs
    if not all(array.dtype.kind == "f" for array in arrays_in(inputs)) or implementation.arrays != "numpy":
        return
    if tried.ready() is None:
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
    whole.filled_in(BY_MODULE[module])
    whole.reads_like_the_others(BY_MODULE[module], load(module))


@every_experiment
def test_the_ladder_is_complete(module):
    whole.ladder_is_complete(BY_MODULE[module], load(module))


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
                    inputs = Case(problem.name, sizes, dtype).inputs(experiment)
                    turns += implementation.skip is None or implementation.skip(*inputs) is None
        assert turns, f"{implementation.name} never runs"


@every_experiment
def test_a_seed_is_an_input(module):
    here(module)
    whole.seed_is_an_input(BY_MODULE[module], load(module))


@every_experiment
def test_the_picture_draws(module):
    pytest.importorskip("matplotlib.figure", reason="pictures need matplotlib")
    here(module)
    whole.picture_draws(BY_MODULE[module], load(module))


def here(module):
    """Skip where a problem's data need what is not installed."""
    for problem in load(module).problems:
        for name in problem.requires:
            pytest.importorskip(name, reason=f"the problem {problem.name} needs {name}")


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
