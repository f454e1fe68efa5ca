from __future__ import annotations

import pytest

from exp_core.machine.advice import ALWAYS_SLOW, THREADS, slow_clock, slow_container, slow_environment, slow_hardware
from exp_core.machine.processor import Frequency


@pytest.mark.parametrize("name", ALWAYS_SLOW)
def test_a_variable_that_slows_a_library_is_named_with_its_remedy(name):
    (sentence,) = slow_environment({name: "Haswell"}, cores=8)
    assert f"{name}=Haswell" in sentence
    assert f"`unset {name}`" in sentence


@pytest.mark.parametrize("name", THREADS)
def test_fewer_threads_than_cores_are_named(name):
    assert len(list(slow_environment({name: "1"}, cores=8))) == 1
    assert list(slow_environment({name: "8"}, cores=8)) == []
    assert list(slow_environment({name: "1"}, cores=1)) == []
    assert list(slow_environment({name: "many"}, cores=8)) == []


def test_a_clean_environment_earns_no_advice():
    assert list(slow_environment({"PATH": "/bin", "OPENBLAS_CORETYPE": "", "NUMBA_DISABLE_JIT": "0"}, cores=8)) == []


def test_numba_that_compiles_nothing_is_named():
    assert "plain Python" in next(slow_environment({"NUMBA_DISABLE_JIT": "1"}, cores=8))


def test_a_quota_below_the_cores_is_named(tmp_path):
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    (group / "cpu.max").write_text("150000 100000\n")
    (group / "cpu.stat").write_text("nr_throttled 12\n")
    sentences = list(slow_container(4, tmp_path))
    assert "1.5 of 4 cores" in sentences[0]
    assert "12 times" in sentences[1]


def test_a_single_core_is_named(tmp_path):
    assert "one core" in next(slow_container(1, tmp_path))
    assert list(slow_container(4, tmp_path)) == []


def test_a_saving_governor_and_heat_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr("exp_core.machine.advice._load", lambda: 0.0)
    monkeypatch.setattr("exp_core.machine.advice._on_battery", lambda: False)
    monkeypatch.setattr("exp_core.machine.advice._swapped", lambda: 0.0)
    assert list(slow_hardware(tmp_path)) == []
    cpu = tmp_path / "sys/devices/system/cpu/cpu0"
    (cpu / "cpufreq").mkdir(parents=True)
    (cpu / "cpufreq/scaling_governor").write_text("powersave\n")
    (cpu / "thermal_throttle").mkdir()
    (cpu / "thermal_throttle/core_throttle_count").write_text("7\n")
    governor, heat = slow_hardware(tmp_path)
    assert "powersave" in governor
    assert "7 times" in heat


def test_load_and_battery_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr("exp_core.machine.advice._load", lambda: 1000.0)
    monkeypatch.setattr("exp_core.machine.advice._on_battery", lambda: True)
    monkeypatch.setattr("exp_core.machine.advice._swapped", lambda: 0.0)
    battery, load = slow_hardware(tmp_path)
    assert "plug it in" in battery
    assert "1000.0" in load


def test_stolen_time_and_a_full_memory_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr("exp_core.machine.advice._load", lambda: 0.0)
    monkeypatch.setattr("exp_core.machine.advice._on_battery", lambda: False)
    monkeypatch.setattr("exp_core.machine.advice._swapped", lambda: 0.3)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text("cpu  50 0 0 40 0 0 0 10 0 0\ncpu0 1 2\n")
    stolen, swapped = slow_hardware(tmp_path)
    assert stolen.startswith("10% of this virtual machine's time")
    assert "30% of the memory" in swapped
    (tmp_path / "proc/stat").write_text("cpu  50 0 0 40 0 0 0 1 0 0\n")
    assert len(list(slow_hardware(tmp_path))) == 1


def test_a_clock_far_below_what_its_maker_says_is_named():
    frequency = Frequency(now_hz=None, most_hz=4e9, governor=None)
    assert "2.00 of 4.00 GHz" in next(slow_clock(2e9, frequency))
    for clock_hz, most_hz in ((3.2e9, 4e9), (None, 4e9), (2e9, None)):
        assert list(slow_clock(clock_hz, Frequency(None, most_hz, None))) == []
