"""What other processes do, read from a made-up /proc and from the real one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from exp_core.timing.clock import SYSTEM
from exp_core.timing.fake import FakeClock, FakeSampler
from exp_core.timing.foreign import others
from exp_core.timing.race import race


def test_only_our_cores_and_only_work_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2}, raising=False)
    monkeypatch.setattr(os, "times", lambda: (1.0, 0.5, 0.25, 0.25, 99.0))
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    stat = "cpu 9 9 9 9\ncpu0 100 50 50 7777 7777 10 20 7777 5 5\ncpu1 900 900 900 0 0 0 0 0\ncpu2 300 0 70 1 1 0 0 1\n"
    (tmp_path / "stat").write_text(stat)
    assert others(tmp_path) == pytest.approx(6.0 - 2.0)


@pytest.mark.parametrize("stat", [None, "", "cpu0 what\n", "intr 1 2 3\n"])
def test_a_system_that_does_not_tell_gives_none(tmp_path, monkeypatch, stat):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0}, raising=False)
    if stat is not None:
        (tmp_path / "stat").write_text(stat)
    assert others(tmp_path) is None


@pytest.mark.skipif(others() is None, reason="this system does not tell")
def test_our_own_work_and_that_of_our_children_is_not_foreign():
    code = "import time\nwhile time.process_time() < 0.6: pass\nprint(flush=True)\ninput()"
    before = others()
    children = [subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) for _ in range(4)]
    for child in children:
        child.stdout.readline()
    while SYSTEM.busy() < 0.5:
        pass
    cores = len(os.sched_getaffinity(0))
    alive = others() - before
    for child in children:
        child.communicate("\n")
    # the children alone spent 2.4 s: had they been foreign, they would be in it whatever else ran meanwhile; the rest
    # can only be bounded by what the machine has
    assert alive >= -0.2 * cores


@pytest.mark.parametrize(("foreign", "cores"), [(None, None), (0.0, 0.0), (0.5, 0.5)])
def test_what_others_do_meanwhile_is_told(foreign, cores):
    clock = FakeClock(foreign)
    comparison = race({"a": FakeSampler(clock, 1e-3)}, 5.0, 0, lambda part: None, {}, clock)
    assert comparison.foreign_cores == (None if cores is None else pytest.approx(cores))
    assert ("other processes" in str(comparison)) == bool(cores)
