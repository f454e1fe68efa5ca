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
from exp_core.machine.measure import working_sets
from exp_core.machine.processor import read_processor


def machine(sizes=(2**14, 2**18, 2**22, 2**27), rates=(200e9, 100e9, 50e9, 20e9)):
    points = tuple(Bandwidth(size, rate, 0.9 * rate, 0.8 * rate) for size, rate in zip(sizes, rates, strict=True))
    return Peaks(1, {"float64": 50e9, "float32": 100e9}, points, "compiled")


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


def test_facts_name_each_fall_of_the_bandwidth(peaks):
    assert [value for name, value in peaks.facts() if name.startswith("bandwidth")] == [
        "200 GB/s",
        "100 GB/s",
        "50 GB/s",
        "20 GB/s",
    ]


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
        monkeypatch.setattr(measure, "_numba_is_there", lambda: False)
    elif importlib.util.find_spec("numba") is None:
        pytest.skip("Numba is not installed")
    monkeypatch.setattr(measure, "BUDGET_S", 0.0)
    monkeypatch.setattr(measure, "PASSES", 1)
    monkeypatch.setattr(measure, "LARGEST", 2**17)
    found = measure.measure(1)
    assert found.method == method
    assert set(found.flops) == {"float64", "float32"}
    assert Peaks.from_dict(found.to_dict()) == found


def test_the_loop_in_registers_does_what_it_says():
    pytest.importorskip("numba")
    from exp_core.machine import _compiled_kernels as kernels

    bits = {"float64": 64, "float32": 32}
    for dtype, kernel in (("float64", kernels.multiply_add_float64), ("float32", kernels.multiply_add_float32)):
        lanes = kernels.VECTOR_BYTES * 8 // bits[dtype]
        start = np.arange(kernels.CHAINS)
        assert kernel(1) == pytest.approx(lanes * (0.5 * start + 0.25).sum())  # one step of x = x/2 + 1/4
        assert kernel(200) == pytest.approx(lanes * kernels.CHAINS * 0.5)  # its fixed point is 1/2
        assert kernels.multiply_add_flops(bits[dtype]) == 2 * lanes * kernels.CHAINS


@pytest.mark.parametrize("module", ["_compiled_kernels", "_numpy_kernels"])
def test_the_loops_through_memory_do_what_they_say(module):
    if module == "_compiled_kernels":
        pytest.importorskip("numba")
    kernels = importlib.import_module(f"exp_core.machine.{module}")
    x = np.arange(12.0)
    kernels.copy(x, 1)
    assert x.tolist() == [6, 7, 8, 9, 10, 11] * 2
    x = np.arange(12.0)
    kernels.triad(x, 1)
    factor = 0.5 if module == "_compiled_kernels" else 1.0
    assert x[:4].tolist() == [4 + factor * 8, 5 + factor * 9, 6 + factor * 10, 7 + factor * 11]
    if module == "_compiled_kernels":
        assert kernels.read(np.arange(12.0), 3) == 3 * 66


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads_have_no_peak(threads):
    with pytest.raises(ValueError, match="threads"):
        measured_peaks(threads)
