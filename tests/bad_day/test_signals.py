"""Ctrl-C at every stage, SIGTERM, SIGHUP: what is known is printed and stored, and the exit code is 130.

A stage is found by waiting for what the program shows, never by guessing how long it takes.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import pytest
from bad_day.program import LADDER, OnTerminal, also, run, shell

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and pseudo-terminals are a Unix thing")

LONG = ("maths_exp", "summation", "--n", "300000", "--only", "naive,pairwise,numpy_sum", "--budget", "60")
SWEEP = ("maths_exp", "summation", "--only", "naive,numpy_sum", "--sweep", "n=64:1024:x2", "--budget", "3")
TRAIN = ("dl_exp", "autograd", "--only", "tensor_tape_engine", "--steps", "100000")

INTERRUPTING = """
import importlib.abc, os, signal, sys
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
"""


def stopped(terminal: OnTerminal, words: str, number: int = signal.SIGINT):
    """Wait for the words, send the signal, and see how it ends."""
    assert terminal.wait_for(words), terminal.heard
    os.kill(terminal.process.pid, number)
    done = terminal.end()
    assert done.code == 130, done
    assert "Traceback" not in done.out + done.err
    assert terminal.cursor_shown
    return done


@pytest.mark.parametrize(
    "module",
    ["exp_core.cli", "click", "exp_core.catalogue", "exp_core.cli.climb", "maths_exp.basics.summation", "numpy",
     "rich.console", "exp_core.ladder", "exp_core.history.store"],
)  # fmt: skip
def test_ctrl_c_while_a_module_is_imported(module, tmp_path, swift):
    custom = INTERRUPTING + (swift / "sitecustomize.py").read_text()
    (tmp_path / "sitecustomize.py").write_text(custom)
    done = run("maths_exp", "summation", "--n", "10", "--only", "naive", "--budget", "0.02", custom=tmp_path,
               INTERRUPT_AT=module)  # fmt: skip
    assert done.code == 130, done
    assert "Traceback" not in done.out + done.err
    assert done.err.strip() in ("", "maths_exp: interrupted")


@pytest.mark.parametrize("stage", ["making the input", "trying naive", "checking naive", "timing"])
def test_ctrl_c_at_a_stage_of_a_ladder(stage, swift):
    """The table holds what was known by then, each implementation in it."""
    done = stopped(OnTerminal(LONG, custom=swift), stage)
    assert "interrupted: the table holds what was known by then" in done.out
    for name in ("naive", "pairwise", "numpy_sum"):
        assert name in done.out


def test_ctrl_c_while_a_function_is_compiled(tmp_path, swift):
    pytest.importorskip("numba")
    words = ("maths_exp", "summation", "--n", "1000", "--only", "naive_compiled", "--budget", "60")
    done = stopped(OnTerminal(words, custom=swift, NUMBA_CACHE_DIR=str(tmp_path)), "compiling")
    assert "interrupted" in done.out


@pytest.mark.parametrize("kept", [True, False])
def test_an_interrupt_that_a_library_swallows_is_raised_once_more(kept):
    """LLVM calls Python back while it compiles: what is raised there goes no further, and Ctrl-C did nothing."""
    script = (
        "import ctypes, signal, time\n"
        "from exp_core.cli import streams\n"
        f"{'streams.keep_interrupts()' if kept else ''}\n"
        "called = ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGINT))\n"
        "try:\n"
        "    called()\n"
        f"    for _ in range({1000 if kept else 20}): time.sleep(0.01)\n"
        "    print('lost')\n"
        "except KeyboardInterrupt:\n"
        "    print('heard')\n"
    )
    done = shell('exec "$PY" -c "$SCRIPT"', SCRIPT=script)
    assert (done.out.strip(), "Traceback" in done.err) == (("heard", False) if kept else ("lost", True)), done


def test_ctrl_c_in_a_sweep_keeps_the_points_and_the_next_one_takes_them_over(tmp_path, swift):
    done = stopped(OnTerminal(SWEEP, custom=swift, EXP_CORE_DATA=str(tmp_path)), "[345]/5")
    assert "interrupted: these points were finished by then" in done.out
    again = run(*SWEEP, "--json", "-", custom=swift, EXP_CORE_DATA=str(tmp_path))
    assert sum(point["reused"] for point in json.loads(again.out)["points"]) >= 2


def test_ctrl_c_while_a_picture_is_drawn(tmp_path, swift):
    """The measurements are printed and stored before; no part of a file is left."""
    pytest.importorskip("matplotlib")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(INTERRUPTING + (swift / "sitecustomize.py").read_text())
    folder = tmp_path / "out"
    folder.mkdir()
    done = run(*LADDER, "--plot", str(folder / "x.png"), custom=tmp_path / "site", INTERRUPT_AT="matplotlib.figure",
               EXP_CORE_DATA=str(tmp_path / "data"))  # fmt: skip
    assert done.code == 130, done
    assert done.err.strip() == "maths_exp: interrupted"
    assert "naive" in done.out
    assert not list(folder.iterdir())
    held = run("maths_exp", "history", "--json", "-", EXP_CORE_DATA=str(tmp_path / "data"))
    assert json.loads(held.out)[0]["runs"] == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, *also(signal.SIGHUP)])
def test_a_training_run_that_is_told_to_end_is_saved_and_goes_on(number, tmp_path):
    pytest.importorskip("safetensors")
    done = stopped(OnTerminal(TRAIN, EXP_CORE_DATA=str(tmp_path)), "loss", number)
    assert "saved; to go on: python -m dl_exp autograd" in done.out
    step = int(done.out.rpartition("stopped after step ")[2].split()[0])
    again = run(*TRAIN[:-1], str(step + 1), "--resume", EXP_CORE_DATA=str(tmp_path))
    assert again.code == 0, again
    assert f"step {step + 1}/{step + 1}" in again.out


@pytest.mark.parametrize("number", [signal.SIGHUP, *also(signal.SIGTERM)])
def test_a_ladder_that_is_told_to_end_prints_and_stores_what_it_knows(number, tmp_path, swift):
    done = stopped(OnTerminal(LONG, custom=swift, EXP_CORE_DATA=str(tmp_path)), "timing", number)
    assert "interrupted: the table holds what was known by then" in done.out
    exported = run("maths_exp", "history", "--export", "-", EXP_CORE_DATA=str(tmp_path))
    assert json.loads(exported.out)["result"]["interrupted"]


def test_what_nohup_has_switched_off_stays_off(tmp_path, swift):
    """SIGHUP is ignored where the caller ignores it: the run goes on after its terminal has gone."""
    from exp_core.cli import streams

    before = signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGTERM)
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        streams.end_as_by_ctrl_c()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert callable(signal.getsignal(signal.SIGTERM))
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # once is enough: the saving goes on
    finally:
        signal.signal(signal.SIGHUP, before[0])
        signal.signal(signal.SIGTERM, before[1])


def test_ctrl_c_while_a_cluster_is_started(swift):
    pytest.importorskip("distributed")
    words = ("maths_exp", "summation", "--only", "naive", "--sweep", "n=64:128:x2", "--cluster", "local")
    terminal = OnTerminal(words, custom=swift, EXP_CORE_DATA=os.environ["EXP_CORE_DATA"])
    assert terminal.wait_for("summation"), terminal.heard
    os.kill(terminal.process.pid, signal.SIGINT)
    done = terminal.end()
    assert done.code in (130, -signal.SIGINT), done  # a shell calls both 130
    assert "Traceback" not in done.out + done.err


def test_ctrl_c_while_kernels_are_emulated():
    pytest.importorskip("mlx")
    words = ("dl_exp", "softmax", "--metal", "--emulate", "--rows", "64", "--n", "512")
    terminal = OnTerminal(words)
    assert terminal.wait_for("checking"), terminal.heard
    os.kill(terminal.process.pid, signal.SIGINT)
    done = terminal.end()
    assert done.code in (0, 130), done  # the last stage may have ended already
    assert "Traceback" not in done.out + done.err


def test_the_user_s_function_dies_with_the_program(tmp_path, swift):
    """Killed outright while the user's function hangs: its process does not stay behind."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells a process that its parent has gone")
    (tmp_path / "mine.py").write_text(
        f"import os, time\ndef f(x):\n    open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "    while True: pass\n"
    )
    words = ("maths_exp", "summation", "--n", "100", "--only", "naive", "--with", f"{tmp_path / 'mine.py'}:f")
    terminal = OnTerminal((*words, "--budget", "100"), custom=swift)
    assert terminal.wait_for("checking mine.py:f"), terminal.heard
    from exp_core.timing import Deadline

    deadline = Deadline(60)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert deadline.left()
    worker = int((tmp_path / "pid").read_text())
    os.kill(terminal.process.pid, signal.SIGKILL)
    terminal.end()
    while alive(worker):
        assert deadline.left(), "the worker goes on without its parent"


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and that nobody has asked about does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
