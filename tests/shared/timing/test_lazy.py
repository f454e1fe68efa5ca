"""Promises: kept within the timing, or refused; never timed as if they were results."""

import asyncio
from concurrent.futures import Future
from typing import NamedTuple

import numpy as np
import pytest

from exp_core.timing import FunctionSampler, compare
from exp_core.timing import sampler as sampling
from exp_core.timing.fake import FakeClock
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


@pytest.fixture
def told(monkeypatch):
    """What happens, in order: the clock is read, a function called, its result begun or waited for.  And MLX."""
    mx = pytest.importorskip("mlx.core")
    events = []

    def telling(name, function):
        return lambda *given: (events.append(name), function(*given))[1]

    monkeypatch.setattr(mx, "eval", telling("wait", mx.eval))
    monkeypatch.setattr(mx, "async_eval", telling("begin", mx.async_eval))
    return events, mx, telling


class Reading(FakeClock):
    """Tells when it is read."""

    def __init__(self, events):
        super().__init__()
        self.events = events

    def now(self):
        self.events.append("clock")
        return super().now()


@pytest.mark.parametrize("kind", ["array", "tuple", "named tuple", "mapping"])
def test_an_mlx_array_is_computed_while_the_clock_runs(kind, told):
    events, mx, telling = told
    shapes = {
        "array": lambda y: y,
        "tuple": lambda y: (1, y),
        "named tuple": lambda y: Pair(1, y),
        "mapping": lambda y: {"n": 1, "y": [y]},
    }
    sampler = FunctionSampler(telling("call", lambda x: shapes[kind](x + 1)), (mx.ones((3,)),), Reading(events))
    sampler.sample(1)
    assert events == ["clock", "call", "wait", "clock"], "the first call"
    events.clear()
    sampler.sample(2)
    assert events == ["clock", *2 * ["call", "wait"], "clock"], "and all others"
    assert sampler.in_flight is not None
    events.clear()
    sampler.in_flight.sample(3)
    assert events == ["clock", *3 * ["call", "begin"], "wait", "clock"], "in flight: all is done when the clock stops"


def test_what_is_not_waited_for_would_be_seen(told, monkeypatch):
    events, mx, telling = told
    monkeypatch.setattr(sampling, "forcing", lambda result: None)
    FunctionSampler(telling("call", lambda x: x + 1), (mx.ones((3,)),), Reading(events)).sample(1)
    assert events == ["clock", "call", "clock"]


def test_numpy_has_nothing_in_flight():
    sampler = FunctionSampler(np.sum, (np.ones(3),))
    sampler.sample(2)
    assert sampler.in_flight is None
    assert compare({"a": np.sum}, np.ones(10), budget_s=0.05).timings["a"].in_flight == ()


def test_throughput_is_told_apart_from_latency(told):
    """Waiting after each call costs a trip to the device and back; in flight, only the last of many is waited for."""
    events, mx, telling = told
    timing = compare({"a": telling("call", lambda x: x + 1)}, mx.ones((10,)), budget_s=0.1).timings["a"]
    assert timing.in_flight and timing.samples
    begun, waited, called = (events.count(name) for name in ("begin", "wait", "call"))
    assert called - begun < waited < called, "one wait for each call that is not begun in flight, and some for those"
