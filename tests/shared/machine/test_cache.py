"""A cache folder on its bad days: nothing is lost but time."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from exp_core.machine import Bandwidth, Device, Peaks, cache

PEAKS = Peaks(1, {"float64": 1e9}, (Bandwidth(2**14, 1e9, 1e9, 1e9), Bandwidth(2**20, 1e9, 0.0, 0.0)), "compiled")
NOW = 1_000_000_000.0


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache folder of our own, and a count of measurements."""
    measured = []
    monkeypatch.setattr(cache, "cache_path", lambda what, packages: tmp_path / "cache" / f"peaks-{what}.json")
    monkeypatch.setattr(cache, "measure", lambda threads: measured.append(threads) or PEAKS)
    monkeypatch.setattr(cache, "_known", {})
    monkeypatch.setattr(cache, "epoch", lambda: NOW)
    return tmp_path / "cache", measured


def forget(monkeypatch):
    monkeypatch.setattr(cache, "_known", {})


def test_what_was_measured_is_not_measured_again(folder, monkeypatch):
    _, measured = folder
    assert cache.peaks(1) == PEAKS
    forget(monkeypatch)  # another process
    assert cache.peaks(1) == PEAKS
    assert measured == [1]
    cache.peaks(2)
    assert measured == [1, 2]
    cache.peaks(1, refresh=True)
    assert measured == [1, 2, 1]


def test_a_look_lasts_ten_minutes_in_this_process_and_in_the_next(folder, monkeypatch):
    looked = []
    monkeypatch.setattr(cache, "measure_again", lambda known: looked.append(known) or PEAKS)
    assert cache.look(PEAKS) == PEAKS
    monkeypatch.setattr(cache, "epoch", lambda: NOW + cache.LOOK_EXPIRES_S)
    cache.look(PEAKS)
    forget(monkeypatch)
    cache.look(PEAKS)
    assert looked == [PEAKS]
    monkeypatch.setattr(cache, "epoch", lambda: NOW + cache.LOOK_EXPIRES_S + 1)
    cache.look(PEAKS)  # this process remembers a time as well
    assert looked == [PEAKS, PEAKS]


def test_the_cache_lasts_a_week(tmp_path):
    path = tmp_path / "p.json"
    cache.store(path, PEAKS, NOW)
    assert cache.load(path, NOW + cache.EXPIRES_S - 1) == (NOW, PEAKS)
    assert cache.load(path, NOW + cache.EXPIRES_S + 1) is None
    assert cache.load(path, NOW - 60) is None  # somebody has set the clock


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "\x00\xff",
        "[" * 100_000,
        "{}",
        json.dumps({"measured_at": "soon", "peaks": PEAKS.to_dict()}),
        json.dumps({"measured_at": NOW, "peaks": None}),
        json.dumps({"measured_at": NOW, "peaks": PEAKS.to_dict() | {"flops": {"float64": "fast"}}}),
        json.dumps({"measured_at": NOW, "peaks": PEAKS.to_dict() | {"flops": {"float64": -1}}}),
        json.dumps({"measured_at": NOW, "peaks": PEAKS.to_dict() | {"bandwidth": [1, 2]}}),
        json.dumps({"measured_at": NOW, "peaks": PEAKS.to_dict() | {"bandwidth": []}}),
    ],
)
def test_a_corrupt_file_is_measured_anew(folder, text):
    place, measured = folder
    place.mkdir()
    (place / "peaks-1.json").write_text(text, encoding="latin-1")
    assert cache.peaks(1) == PEAKS
    assert measured == [1]
    assert cache.load(place / "peaks-1.json", NOW) == (NOW, PEAKS)


def test_a_folder_that_cannot_be_made_is_done_without(folder):
    place, measured = folder
    place.write_text("a file where the folder should be")
    assert cache.peaks(1) == PEAKS
    assert cache.peaks(1) == PEAKS
    assert measured == [1]  # once a process


def test_a_place_that_cannot_be_written_is_done_without_and_left_clean(folder):
    place, _ = folder
    (place / "peaks-1.json").mkdir(parents=True)  # os.replace fails, even for root
    assert cache.peaks(1) == PEAKS
    assert os.listdir(place) == ["peaks-1.json"]


def test_two_processes_writing_at_once_leave_a_whole_file(tmp_path):
    path = tmp_path / "peaks.json"
    code = f"""
import sys
from pathlib import Path
from exp_core.machine import Bandwidth, Peaks, cache
curve = tuple(Bandwidth(i, 1.0, 1.0, 1.0) for i in range(1, 200))
p = Peaks(1, {{"float64": float(sys.argv[1])}}, curve, "x" * 200_000)
for _ in range(60):
    cache.store(Path({str(path)!r}), p, {NOW})
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    writers = [subprocess.Popen([sys.executable, "-c", code, rate], env=environment) for rate in ("1.0", "2.0")]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            found = cache.load(path, NOW)
            assert found is not None  # never half a file
            seen.add(found[1].flops["float64"])
    assert [writer.wait() for writer in writers] == [0, 0]
    assert cache.load(path, NOW) is not None
    assert seen <= {1.0, 2.0}
    assert os.listdir(tmp_path) == ["peaks.json"]


def test_each_number_of_threads_and_each_version_has_a_file_of_its_own(monkeypatch):
    assert cache.cache_path("1", ("numba",)) == cache.cache_path("1", ("numba",))
    assert cache.cache_path("1", ("numba",)) != cache.cache_path("2", ("numba",))
    before = cache.cache_path("1", ("numba",))
    monkeypatch.setattr(cache, "versions", lambda packages: {"numba": "99"})
    assert cache.cache_path("1", ("numba",)) != before


def test_a_device_that_cannot_be_measured_has_its_maker_s_figures_or_none(folder, monkeypatch):
    def fails(name):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(cache, "measure_device", fails)
    for title, expected in (("Apple M4 Max", 546e9), ("Apple M9", None), ("NVIDIA M4", None)):
        monkeypatch.setattr(cache, "require", lambda name, title=title: Device("metal", title, None))
        found = cache.device_peaks("metal")
        assert (found and found.bandwidth_at(2**30)) == expected
        assert found is None or found.method == "nominal"
    monkeypatch.setattr(cache, "measure_device", lambda name: PEAKS)
    assert cache.device_peaks("metal") == PEAKS
