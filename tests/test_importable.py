"""Every implementation is an ordinary function: had by its name from its module, and called with arrays alone."""

import importlib
import inspect

import numpy as np
import pytest

from exp_core.catalogue import read_catalogue
from exp_core.installed import missing_modules
from exp_core.nests import as_numpy
from exp_core.tensor import from_numpy

ENTRIES = [entry for package in ("maths_exp", "dl_exp") for entry in read_catalogue(package).entries.values()]


@pytest.mark.parametrize("module", [entry.module for entry in ENTRIES])
def test_every_implementation_is_importable_by_its_name_and_says_what_it_does(module):
    found = importlib.import_module(module)
    for implementation in found.EXPERIMENT.implementations:
        function = getattr(found, implementation.name)
        assert callable(function)
        assert inspect.getdoc(function), f"{module}.{implementation.name} has no docstring"
        assert inspect.getdoc(function).splitlines()[0].rstrip(".") == implementation.title


@pytest.mark.parametrize("module", [entry.module for entry in ENTRIES])
def test_it_works_on_plain_arrays_without_any_set_up(module):
    """No ladder, no device, no threads set, as a reader would: the first rung, and the last that is not compiled."""
    entry = next(entry for entry in ENTRIES if entry.module == module)
    found = importlib.import_module(module)
    experiment = found.EXPERIMENT
    problem = next((p for p in experiment.problems if not missing_modules(entry.package, p.requires)), None)
    sizes = {size.name: size.default for size in problem.sizes} | dict(problem.small)
    inputs = problem.make(**sizes, dtype=experiment.dtypes[0], rng=np.random.default_rng(0))
    truth = experiment.oracle(*inputs) if experiment.oracle else None
    here = [
        i
        for i in experiment.implementations
        if not i.devices and i.arrays != "dask" and not missing_modules(entry.package, i.modules)
        and not (i.skip and i.skip(*inputs)) and problem.name not in i.unstable
    ]  # fmt: skip
    assert here
    for implementation in (here[0], [i for i in here if i.rung in ("textbook", "vectorised")][-1]):
        arguments = inputs
        if implementation.arrays == "mlx":
            arguments = tuple(from_numpy(x, "mlx") if isinstance(x, np.ndarray) else x for x in inputs)
        if implementation.prepare:
            arguments = implementation.prepare(*arguments)
        result = as_numpy(implementation.function(*arguments))
        errors, bounds = experiment.errors(result, inputs, truth), experiment.bounds(implementation, inputs)
        assert all(errors[law] <= bounds[law] for law in errors), (implementation.name, errors, bounds)
