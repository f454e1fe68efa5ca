"""Samples that lie far out are counted, kept, and decide nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from exp_core.timing import Timing
from exp_core.timing.fake import FakeClock, FakeSampler
from exp_core.timing.outliers import Outliers, classify
from exp_core.timing.race import race


def test_tukeys_fences():
    calm = [float(x) for x in range(1, 12)]  # quartiles 3.5 and 8.5: fences at -4, 16 and -11.5, 23.5
    assert classify(calm) == Outliers()
    assert classify([*calm[1:-1], 6.0, 22.0]).high_mild + classify([*calm[1:-1], 6.0, 22.0]).high_severe == 1
    assert classify([-100.0, *calm, -5.0, 18.0, 400.0]).low_severe == 1
    assert classify([-100.0, *calm, 400.0]) == Outliers(1, 0, 0, 1)
    assert classify([1.0, 1.0, 9.0]) == Outliers()
    assert str(Outliers()) == "none" and "2 severe high" in str(Outliers(high_severe=2))


def test_they_stay_in_the_samples_and_are_held_against_their_own_process():
    samples = (*[1.0, 1.01, 1.02] * 4, 50.0, *[2.0, 2.01, 2.02] * 4)
    timing = Timing.of("a", None, samples, 1, "", 0, groups=(13, 12))
    assert timing.outliers == 1 and timing.samples == samples
    assert timing.outlier_kinds == Outliers(high_severe=1)


class Jumping(FakeSampler):
    """The clock is set, or the process stopped, in the middle of some samples."""

    def __init__(self, clock, call_s, jumps, seed):
        super().__init__(clock, call_s, noise=0.005, seed=seed)
        self.jumps = jumps

    def sample(self, calls):
        jump = self.jumps.get(sum(n > 100 for _, n in self.log), 0.0) if calls > 100 else 0.0  # of the samples only
        seconds = super().sample(calls) + jump
        self.clock.time += jump
        return seconds


@pytest.mark.parametrize("jump_s", [2.0, 0.5, -1.0])
def test_a_clock_that_jumps_changes_no_verdict(jump_s):
    clock = FakeClock()
    jumps = dict.fromkeys((10, 20, 33), jump_s)
    samplers = {"a": Jumping(clock, 1e-4, jumps, 1), "b": FakeSampler(clock, 1.1e-4, noise=0.005, seed=2)}
    comparison = race(samplers, 10.0, 0, lambda part: None, {}, clock)
    a = comparison.timings["a"]
    assert a.failure == "" and a.median_s == pytest.approx(1e-4, rel=0.01)
    assert comparison.verdict("a", to="b") == "faster"
    assert a.outliers >= (jump_s > 0)


CHILD = """
from exp_core.timing import compare
def work(n):
    for _ in range(n): pass
print("ready", flush=True)
found = compare({"a": lambda: work(2000), "b": lambda: work(8000)}, budget_s=2)
print(found.verdict("a", to="b"), found.timings["a"].failure or "fine", found.ratio("a", to="b").value, max(
    max(t.samples) / t.median_s for t in found.timings.values()))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
def test_a_process_that_is_stopped_in_the_middle_tells_the_truth():
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True)

    def stop_and_go():
        child.stdout.readline()
        time.sleep(0.5)
        for _ in range(3):
            os.kill(child.pid, signal.SIGSTOP)
            time.sleep(0.05)
            os.kill(child.pid, signal.SIGCONT)
            time.sleep(0.03)

    thread = threading.Thread(target=stop_and_go)
    thread.start()
    thread.join()
    verdict, failure, ratio, _ = child.communicate(timeout=120)[0].split()
    assert failure == "fine"
    assert verdict in ("faster", "undecided"), "on a busy machine it may be too early to tell, but it is never slower"
    assert verdict == "undecided" or 3 < float(ratio) < 5
