"""The roofline: arithmetic on made-up machines, and a short look at the real one."""

from __future__ import annotations

import importlib.util
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from exp_core import Cost
from exp_core.machine import Bandwidth, Peaks, measure
from exp_core.machine import peaks as measured_peaks
from exp_core.machine.measure import level_of, working_sets
from exp_core.machine.processor import read_processor


def machine(sizes=(2**14, 2**18, 2**22, 2**27), rates=(200e9, 100e9, 50e9, 20e9)):
    points = tuple(
        Bandwidth(size, rate, 0.9 * rate, 0.8 * rate, level)
        for size, rate, level in zip(sizes, rates, ("L1", "L2", "L3", "DRAM"), strict=True)
    )
    return Peaks(1, {"float64": 50e9, "float32": 100e9}, points, "compiled", 3e9)


@pytest.fixture
def peaks():
    return machine()


def test_the_slower_of_arithmetic_and_traffic_is_the_limit(peaks):
    assert peaks.limit_s(Cost(flops=50e9, bytes=1), "float64", 2**28) == pytest.approx(1.0)
    assert peaks.limit_s(Cost(flops=1, bytes=20e9), "float64", 2**28) == pytest.approx(1.0)


def test_single_precision_and_complex_numbers_use_the_rate_of_their_parts(peaks):
    cost = Cost(flops=100e9)
    assert peaks.limit_s(cost, "float32", 1) == peaks.limit_s(cost, "complex64", 1) == pytest.approx(1.0)
    assert peaks.limit_s(cost, "float64", 1) == peaks.limit_s(cost, "complex128", 1) == pytest.approx(2.0)


def test_without_a_peak_there_is_no_limit_to_arithmetic_but_one_to_traffic(peaks):
    assert peaks.limit_s(Cost(flops=1, bytes=20e9), "float16", 2**28) is None
    assert peaks.limit_s(Cost(bytes=20e9), "int64", 2**28) == pytest.approx(1.0)
    assert peaks.limit_s(Cost(), "float64", 2**28) is None


def test_between_two_points_the_faster_one_counts(peaks):
    assert peaks.bandwidth_at(1) == peaks.bandwidth_at(2**14) == peaks.bandwidth_at(2**18) == 200e9
    assert peaks.bandwidth_at(2**18 + 1) == 100e9
    assert peaks.bandwidth_at(2**40) == 20e9


def test_a_dent_in_the_curve_is_filled():
    assert machine(rates=(200e9, 10e9, 50e9, 20e9)).bandwidth_at(2**20) == 50e9


def test_no_honest_implementation_exceeds_the_limit():
    """A machine whose caches end anywhere between the points, and implementations that use all of its bandwidth."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        ends = np.sort(np.exp(rng.uniform(math.log(2**12), math.log(2**28), 3)))
        rates = np.sort(rng.uniform(10e9, 300e9, 4))[::-1]

        def true_rate(size, ends=ends, rates=rates):
            return float(rates[np.searchsorted(ends, size)])

        sizes = [2**14 * 2 ** (k / 2) for k in range(28)]
        curve = Peaks(1, {}, tuple(Bandwidth(s, true_rate(s), 0, 0) for s in sizes), "compiled")
        for size in np.exp(rng.uniform(math.log(2**14), math.log(2**30), 50)):
            seconds = size / true_rate(size)
            assert curve.limit_s(Cost(bytes=size), "float64", size) / seconds <= 1 + 1e-12


def test_json_and_back(peaks):
    assert Peaks.from_dict(json.loads(json.dumps(peaks.to_dict()))) == peaks


@pytest.mark.parametrize("bad", [math.nan, 0.0, -1.0, math.inf])
def test_rates_that_cannot_be_are_refused(peaks, bad):
    with pytest.raises(ValueError, match="positive"):
        replace(peaks, flops={"float64": bad})


def test_a_level_is_its_middle_point_and_main_memory_the_last_one():
    sizes, levels = range(1, 10), ("L1", "L1", "L1", "L2", "L2", "DRAM", "DRAM", "DRAM", "DRAM")
    points = tuple(Bandwidth(size, 1.0, 1.0, 1.0, level) for size, level in zip(sizes, levels, strict=True))
    found = Peaks(1, {}, points, "compiled")
    assert [point.working_set for point in found.levels] == [2, 5, 9]
    assert [point.working_set for point in found.middles] == [2, 5, 8]


def test_drift_is_now_over_then_and_only_raises(peaks):
    now = replace(
        peaks,
        flops={"float64": 40e9, "float32": 110e9},
        bandwidth=tuple(point.times(0.5 if point.level == "L2" else 1.6) for point in peaks.bandwidth[1:]),
    )
    drift = peaks.drift(now)
    assert drift == pytest.approx({"float64": 0.8, "float32": 1.1, "L2": 0.5, "L3": 1.6, "DRAM": 1.6})
    raised = peaks.raised(drift)
    assert raised.flops == pytest.approx({"float64": 50e9, "float32": 110e9})
    assert [point.best for point in raised.bandwidth] == pytest.approx([200e9, 100e9, 80e9, 32e9])


def test_a_level_ends_where_its_cache_does():
    processor = replace(read_processor(), l1d_bytes=2**15, l2_bytes=2**19, l3_bytes=2**23)
    sizes = (2**15, 2**15 + 1, 2**20, 2**20 + 1, 2**23, 2**23 + 1)
    assert [level_of(size, 1, processor) for size in sizes] == ["L1", "L2", "L3", "L3", "L3", "DRAM"]
    assert [level_of(size, 2, processor) for size in sizes] == ["L1", "L1", "L2", "L3", "L3", "DRAM"]
    assert level_of(2**30, 1, replace(processor, l3_bytes=None)) == "DRAM"


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_working_sets_reach_from_the_first_cache_to_main_memory(threads):
    processor = replace(read_processor(), l2_bytes=2**20, l3_bytes=2**25)
    sizes = working_sets(threads, processor, available=2**36)
    assert sizes == sorted(set(sizes))
    assert sizes[0] == 2**14 * threads
    assert sizes[-1] >= 4 * 2**25
    assert all(size % (64 * threads) == 0 for size in sizes)
    assert max(working_sets(threads, processor, available=2**26)) <= 2**23


@pytest.mark.parametrize("method", ["compiled", "blas"])
def test_a_short_measurement_of_this_machine_is_a_valid_one(method, monkeypatch):
    if method == "blas":
        monkeypatch.setattr(measure, "numba_is_there", lambda: False)
    elif importlib.util.find_spec("numba") is None:
        pytest.skip("Numba is not installed")
    monkeypatch.setattr(measure, "BUDGET_S", 0.0)
    monkeypatch.setattr(measure, "PASSES", 1)
    monkeypatch.setattr(measure, "LARGEST", 2**17)
    found = measure.measure(1)
    assert found.method == method
    assert set(found.flops) == {"float64", "float32"}
    assert Peaks.from_dict(found.to_dict()) == found
    assert (found.clock_hz is None) == (method == "blas")
    again = found.drift(measure.measure_again(found))
    assert set(again) == {*found.flops, *(point.level for point in found.bandwidth)}
    assert all(math.isfinite(factor) and factor > 0 for factor in again.values())


@pytest.mark.parametrize("module", ["_compiled_kernels", "_numpy_kernels"])
def test_what_is_measured_does_what_it_says(module):
    if module == "_compiled_kernels":
        pytest.importorskip("numba")
    kernels = importlib.import_module(f"exp_core.machine.{module}")
    for copy in kernels.WAYS["copy"]:
        x = np.arange(100.0)
        copy.kernel(x, 1)
        assert x.tolist() == 2 * list(range(50, 100))
    for triad in kernels.WAYS["triad"]:
        x = np.arange(99.0)
        triad.kernel(x, 1)
        factor = 0.5 if module == "_compiled_kernels" else 1.0
        assert x[:33].tolist() == [33 + i + factor * (66 + i) for i in range(33)]
    for in_place in kernels.WAYS["in_place"]:
        x = np.arange(99.0)
        in_place.kernel(x, 3)
        assert x.tolist() == [-i for i in range(99)]
    task, flops = kernels.multiply_adds("float32")
    task(3)
    assert flops > 0


def test_reading_reads_everything_every_time():
    pytest.importorskip("numba")
    from exp_core.machine._compiled_kernels import read_often

    assert read_often(np.arange(12.0), 3) == 3 * 66


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads_have_no_peak(threads):
    with pytest.raises(ValueError, match="threads"):
        measured_peaks(threads)


def test_what_is_read_only_has_a_lower_limit(peaks):
    both = replace(peaks, bandwidth=(Bandwidth(2.0**28, 44e9, 41e9, 55e9, "DRAM", 66e9),))
    assert [both.bandwidth_at(2**28, writes) for writes in (False, True, None)] == [44e9, 66e9, 66e9]
    only_copied = replace(peaks, bandwidth=(Bandwidth(2.0**28, copy=41e9),))
    assert [only_copied.bandwidth_at(2**28, writes) for writes in (False, True, None)] == [41e9] * 3
    assert Peaks.from_dict(both.to_dict()) == both
    old = both.to_dict()
    del old["bandwidth"][0]["in_place"]
    assert Peaks.from_dict(old).bandwidth[0].in_place == 0.0, "as they were stored before"
