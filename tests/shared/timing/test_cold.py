"""Cold caches: everybody's, before each call, and none of it in the time."""

import numpy as np
import pytest

from exp_core.machine.processor import read_processor
from exp_core.timing import FunctionSampler, Stopwatch, compare
from exp_core.timing.cold import Cold, _walkers, flush
from exp_core.timing.fake import FakeClock, FakeSampler


def test_each_call_is_timed_alone_and_comes_after_a_flush(monkeypatch):
    log, clock = [], FakeClock()
    monkeypatch.setattr("exp_core.timing.cold.flush", lambda: log.append(("flush", 0)))
    sampler = FakeSampler(clock, 1e-3, name="a", log=log)
    assert Cold(sampler).sample(3) == pytest.approx(3e-3)
    assert log == [("flush", 0), ("a", 1)] * 3


def test_the_flush_itself_is_not_counted():
    def nothing():
        pass

    flush()
    sampler = Cold(FunctionSampler(nothing, ()))
    parts = []
    for _ in range(5):  # somebody else may have the processor during one of them
        watch = Stopwatch()
        parts.append(sampler.sample(20) / watch.elapsed())
    assert min(parts) < 1 / 10


def test_the_buffers_are_larger_than_the_caches():
    _, buffers = _walkers()
    processor = read_processor()
    assert sum(buffer.nbytes for buffer in buffers) > (processor.l3_bytes or 0)
    assert all(buffer.nbytes > (processor.l2_bytes or 0) for buffer in buffers)
    before = [int(buffer[0]) for buffer in buffers]
    flush()
    assert all(int(buffer[0]) == (old + 1) % 256 for buffer, old in zip(buffers, before, strict=True))


def test_what_fits_into_the_cache_is_slower_from_memory():
    x = np.ones(2**14)  # 128 kB
    timing = compare({"sum": np.sum}, x, budget_s=1.0, cold=True).timings["sum"]
    assert timing.cold and len(timing.cold) == len(timing.samples), "they take the same rounds"
    assert timing.cold_s > timing.median_s


def test_nobody_is_flushed_unasked(monkeypatch):
    monkeypatch.setattr("exp_core.timing.cold.flush", lambda: 1 / 0)
    assert compare({"sum": sum}, [1, 2], budget_s=0.02).timings["sum"].cold == ()
