"""Promises: kept within the timing, or refused; never timed as if they were results."""

import asyncio
from concurrent.futures import Future
from typing import NamedTuple

import numpy as np
import pytest

from exp_core.timing import FunctionSampler, Stopwatch, call_once, compare
from exp_core.timing.lazy import LOOKED_AT, Unevaluated, evaluated, forcing, leaves


async def coroutine():
    return 1


async def async_generator():
    yield 1


class Pair(NamedTuple):
    n: int
    y: object


PROMISES = {
    "generator": (lambda: (v for v in range(3)), r"a generator, .*return list\(\.\.\.\) of it"),
    "map": (lambda: map(abs, [1]), "a map, which computes when it is read"),
    "in a nest": (lambda: {"a": [1, (reversed([1]),)]}, "a list_reverseiterator"),
    "coroutine": (coroutine, "a coroutine that has not run"),
    "async generator": (async_generator, "an async_generator that has not run"),
    "future": (Future, r"a Future: wait for its \.result"),
}
VALUES = [None, 3, "text", [1, 2], {"a": 1}, range(5), np.ones(3), (np.ones(3), 4), {1, 2}, iter]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", PROMISES)
def test_a_promise_is_refused_with_a_remedy(name):
    function, sentence = PROMISES[name]
    with pytest.raises(Unevaluated, match=sentence):
        forcing(function())
    found = compare({"lazy": function, "fine": lambda: sum(range(100))}, budget_s=0.05)
    assert found.timings["lazy"].failure.startswith("Unevaluated: it returned a")
    assert found.timings["lazy"].median_s is None and found.timings["fine"].median_s


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_left_alone(value):
    assert forcing(value) is None
    assert evaluated(lambda: value)() is value


def test_a_dask_collection_is_refused():
    array = pytest.importorskip("dask.array")
    with pytest.raises(Unevaluated, match=r"a dask Array that is not computed: call \.compute\(\) in it"):
        forcing((1, array.ones(10) + 1))


def test_an_endless_nest_is_looked_at_and_not_read():
    assert len(list(leaves([[0] * 10**6] * 10**6))) <= LOOKED_AT**2


def test_a_coroutine_that_ran_is_a_value():
    assert forcing(asyncio.run(coroutine())) is None


@pytest.mark.parametrize("kind", ["array", "tuple", "named tuple", "mapping"])
def test_an_mlx_array_is_computed_while_the_clock_runs(kind):
    mx = pytest.importorskip("mlx.core")
    a = mx.random.normal((500, 500))
    mx.eval(a)
    shapes = {
        "array": lambda y: y,
        "tuple": lambda y: (1, y),
        "named tuple": lambda y: Pair(1, y),
        "mapping": lambda y: {"n": 1, "y": [y]},
    }

    def lazy(a):
        return shapes[kind](a @ a @ a)

    def forced(a):
        result = a @ a @ a
        mx.eval(result)
        return result

    seconds = min(call_once(forced, a)[1] for _ in range(3)) / 20  # a recipe is written in a thousandth of the time
    sampler = FunctionSampler(lazy, (a,))
    assert sampler.sample(1) > seconds, "the first call"
    assert sampler.sample(2) > 2 * seconds, "and all others"
    assert sampler.in_flight is not None
    watch = Stopwatch()
    taken = sampler.in_flight.sample(3)
    assert 3 * seconds < taken <= watch.elapsed(), "in flight or not, all of it is done when the clock stops"


def test_numpy_has_nothing_in_flight():
    sampler = FunctionSampler(np.sum, (np.ones(3),))
    sampler.sample(2)
    assert sampler.in_flight is None
    assert compare({"a": np.sum}, np.ones(10), budget_s=0.05).timings["a"].in_flight == ()


def test_throughput_is_told_apart_from_latency():
    mx = pytest.importorskip("mlx.core")
    x = mx.ones((10,))
    mx.eval(x)
    timing = compare({"a": lambda x: x + 1}, x, budget_s=0.6).timings["a"]
    assert timing.in_flight and timing.samples
    assert timing.in_flight_s < timing.median_s, "waiting after each call costs a trip to the device and back"
