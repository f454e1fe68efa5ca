"""kill -9 at random moments, and two runs at once: what was printed as stored is there, and no file is half."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from bad_day.program import LADDER, TRAIN, environment, run

from exp_core.training import checkpoint

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a Unix thing")

# Stores runs, one after the other, each with its files, and says of each when it is stored.
WORK = """
import json, sys
sys.path.insert(0, {tests!r})
import past
from pathlib import Path
from exp_core.history import store
from exp_core.report.export import write
print("begun", flush=True)
for i in range(100000):
    run = past.run(at=i, key=f"{{sys.argv[1]}}-{{i}}")
    store([run], measured_now=False)
    write(Path(sys.argv[2]) / f"{{i % 3}}.json", json.dumps({{"i": i, "fill": "x" * 5000}}))
    print(run.uuid, flush=True)
"""


def kill_at_random(words: list[str], rng: random.Random, changes: dict[str, str], begun: bytes) -> list[str]:
    """Start it, wait until it is at work, kill it after a random number of lines and microseconds; the lines said."""
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               env=environment(changes))  # fmt: skip
    while line := process.stdout.readline():
        if line.startswith(begun):
            break
    lines = [process.stdout.readline().decode() for _ in range(rng.randrange(6))]
    _spin(rng.random() * 20_000)
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate(timeout=60)
    return [*lines, *rest.decode("utf-8", "replace").splitlines(keepends=True)]


def _spin(steps: float) -> None:
    """A short while that is no whole number of anything."""
    for _ in range(int(steps)):
        pass


def sound_runs(path: os.PathLike[str]) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {uuid for (uuid,) in database.execute("SELECT uuid FROM runs")}


@pytest.mark.parametrize("kills", [8, pytest.param(120, marks=pytest.mark.slow)])
def test_killed_while_storing_and_writing(kills, tmp_path, record_property):
    """Every run of which it was said that it is stored is there, and every document is whole."""
    import past

    rng = random.Random(kills)
    (tmp_path / "work.py").write_text(WORK.format(tests=os.path.dirname(past.__file__)))
    out = tmp_path / "out"
    out.mkdir()
    said: set[str] = set()
    for number in range(kills):
        lines = kill_at_random([str(tmp_path / "work.py"), str(number), str(out)], rng,
                               {"EXP_CORE_DATA": str(tmp_path)}, b"begun")  # fmt: skip
        said |= {line.strip() for line in lines if line.endswith("\n") and len(line) == 37}
        assert said <= sound_runs(tmp_path / "history.db")
        for file in out.glob("*.json"):
            assert len(json.loads(file.read_text())["fill"]) == 5000
    assert said
    record_property("stored", len(said))
    print(f"{kills} kills, {len(said)} runs said to be stored, 0 lost")


@pytest.mark.parametrize("kills", [3, pytest.param(80, marks=pytest.mark.slow)])
def test_killed_while_training(kills, tmp_path):
    """There is always a checkpoint that is whole, never older than the last one known; and the run goes on."""
    pytest.importorskip("safetensors")
    rng = random.Random(kills)
    folder = tmp_path / "training" / "autograd"
    words = ["-m", *TRAIN[:-1], "1000000", "--save-every", "1"]
    known = 0
    for number in range(kills):
        kill_at_random([*words, *(["--resume"] if number else [])], rng, {"EXP_CORE_DATA": str(tmp_path)}, b"step")
        step = checkpoint.read(checkpoint.path_to_read(folder)).step
        assert step >= known > 0 or not number, (step, known)
        known = step
    done = run(*TRAIN[:-1], str(known + 2), "--resume", EXP_CORE_DATA=str(tmp_path))
    assert done.code == 0, done
    steps = [int(line.split(",")[0]) for line in (folder / "log.csv").read_text().splitlines()[1:]]
    assert steps == list(range(1, known + 3))  # no step twice, none missing
    print(f"{kills} kills, {known} steps, none lost")


def test_two_runs_at_once(tmp_path, swift):
    """Both are stored, and both write a whole document into one place."""
    words = [sys.executable, "-m", *LADDER, "--json", str(tmp_path / "x.json")]
    given = environment({"EXP_CORE_DATA": str(tmp_path / "data")}, str(swift))
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=given) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert len(sound_runs(tmp_path / "data" / "history.db")) == 2
    assert json.loads((tmp_path / "x.json").read_text())["experiment"] == "summation"
    assert not list(tmp_path.glob("*.part"))


def test_two_first_starts_at_once(tmp_path, swift):
    """Nothing is compiled, cached or copied yet: both put OpenBLAS beneath MLX, both compile, both make the history."""
    pytest.importorskip("mlx")
    pytest.importorskip("numba")
    folders = {name: str(tmp_path / name) for name in ("EXP_CORE_DATA", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR")}
    commands = (
        ("maths_exp", "summation", "--n", "100", "--only", "naive,naive_compiled", "--budget", "0.05"),
        ("dl_exp", "softmax", "--rows", "2", "--n", "16", "--rung", "library", "--budget", "0.05"),
    )
    given = environment(folders, str(swift))
    started = [
        subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=given)
        for words in commands
        for _ in range(2)
    ]
    said = [process.communicate(timeout=240) for process in started]
    assert [process.returncode for process in started] == [0] * 4, said
    assert all(not err for _, err in said), said
    assert len(sound_runs(tmp_path / "EXP_CORE_DATA" / "history.db")) == 4
    assert not list((tmp_path / "XDG_CACHE_HOME").rglob("*.tmp"))
