"""The race in fresh processes: pooled where they answer, a sentence where one does not."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import toys

from exp_core import replicas
from exp_core.ladder import climb
from exp_core.replicas import race_in_processes
from exp_core.user_file import find_user_function

KEYS = {"doubled@cpu": 0.1, "library@cpu": 0.1}


def request(**changes):
    return toys.request("doubled", "library", "looped", **({"processes": 2, "budget_s": 0.4} | changes))


def racer(script):
    """What stands in for the process that times: a line of Python."""
    return lambda *args, **kwargs: popen([sys.executable, "-c", script], **kwargs)


popen = subprocess.Popen
ANSWER = """
import json, sys
from exp_core.timing import Comparison, Timing
number = json.loads(sys.stdin.readline())["number"]
timing = Timing.of("a", 0.1, (1.0 + number,) * 6, 1, "", 0)
print(json.dumps({"progress": 0.5}))
print(json.dumps({"comparison": Comparison.of([timing], 0, (0.0,) * 6, 0.0).to_dict(), "odd": ["odd"] * number}))
"""


def test_each_process_times_those_whose_first_call_is_known():
    parts = []
    found = race_in_processes(request(), KEYS, parts.append)
    assert found.failures == [] and not found.interrupted
    comparison = found.pooled()
    assert set(comparison.timings) == set(KEYS)
    for timing in comparison.timings.values():
        assert len(timing.groups) == 2 and sum(timing.groups) == len(timing.samples)
        assert timing.first_call_s == 0.1
    assert parts == sorted(parts) and 0.5 in parts and parts[-1] == 1.0


def test_the_ladder_pools_them_and_ranks(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def f(x): return x * 2")
    result = climb(request(user=find_user_function(f"{file}:f")))
    assert [row.status for row in result.rows] == ["ok"] * 4, [row.reason for row in result.rows]
    assert result.processes == 2
    for row in result.rows:
        assert row.ratio_to_library > 0 and row.race.samples


def test_a_process_that_dies_is_a_sentence_and_the_others_stand(monkeypatch):
    mortal = ANSWER.replace("timing =", "number or __import__('os').abort(); timing =")
    monkeypatch.setattr(replicas.subprocess, "Popen", racer(mortal))
    found = race_in_processes(request(), KEYS, lambda part: None)
    assert found.failures == [
        "process 1 of 2 ended in the middle of the race (killed by SIGABRT); the others stand",
        "in process 2 of 2, odd",
    ]
    assert found.pooled().timings["a"].samples == (2.0,) * 6


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("", "ended in the middle of the race (exit code 0)"),
        ("import sys; sys.exit(3)", "(exit code 3)"),
        ('print(\'{"error": "failed: OSError: x"}\')', "failed: OSError: x"),
        ("print('{', end='')", "ended in the middle of the race"),
        ("import time; time.sleep(60)", "was silent for 1 s and was stopped"),
    ],
)
def test_every_way_to_fail_is_a_sentence(monkeypatch, script, sentence):
    monkeypatch.setattr(replicas.subprocess, "Popen", racer(script))
    monkeypatch.setattr(replicas, "START_S", 1.0)
    found = race_in_processes(request(budget_s=0.1, processes=1), KEYS, lambda part: None)
    assert sentence in found.failures[0]
    assert found.pooled() is None


def test_without_any_answer_no_row_pretends_to_be_timed(monkeypatch):
    monkeypatch.setattr(replicas.subprocess, "Popen", racer("import os; os.abort()"))
    result = climb(request())
    assert {row.status for row in result.rows} == {"failed"}
    assert result.exit_code == 1
    assert len(result.notes) == 2


def test_ctrl_c_keeps_what_is_complete(monkeypatch):
    """The second process is interrupted in the middle: it sends its complete rounds, and the third is not started."""
    asked = []

    def press(part):
        asked.append(part)
        if part > 0.6 and len([p for p in asked if p > 0.6]) == 1:
            raise KeyboardInterrupt

    found = race_in_processes(request(processes=3, budget_s=3.0), KEYS, press)
    assert found.interrupted
    assert 1 <= len(found.comparisons) <= 2
    assert found.pooled().rounds > 0


def is_racer(pid):
    """Whether it is one of the processes that time; the machine's facts may be asked of others before."""
    try:
        return b"exp_core.racer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended since
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists a process's children")
def test_ctrl_c_on_the_command_line_leaves_a_table_and_no_process(tmp_path):
    file = tmp_path / "out.json"
    command = [sys.executable, "-m", "maths_exp", "summation", "--n", "1000", "--rung", "vectorised,library"]
    process = popen([*command, "--budget", "60", "--processes", "2", "--json", str(file)], stdout=subprocess.DEVNULL)
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    deadline = time.monotonic() + 120
    racers = []
    while not racers and time.monotonic() < deadline:
        time.sleep(0.1)
        if os.path.exists(children):
            racers = [pid for pid in Path(children).read_text().split() if is_racer(pid)]
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 130  # it may be compiling, which is not broken off
    document = json.loads(file.read_text())
    assert document["interrupted"] is True
    assert racers, "else nobody had started to time"
    assert not [pid for pid in racers if os.path.exists(f"/proc/{pid}")]
