"""Training as a user meets it: in its own process, killed and interrupted."""

import csv
import os
import re
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("safetensors", reason="checkpoints need safetensors")
pytest.importorskip("mlx", reason="dl_exp needs MLX")

LOSSES = ("autograd", "--save-every", "40", "--no-store")


def command(*args):
    return [sys.executable, "-m", "dl_exp", *args]


def run(data, *args, code=0):
    done = subprocess.run(
        command(*args),
        capture_output=True,
        text=True,
        env=os.environ | {"EXP_CORE_DATA": str(data)},
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def curve(data):
    with (data / "training" / "autograd" / "log.csv").open() as file:
        return [(row["step"], row["loss"]) for row in csv.DictReader(file)]


def begun(data, *args, at=80):
    """A run in its own process, some way on."""
    process = subprocess.Popen(
        command(*LOSSES, *args),
        env=os.environ | {"EXP_CORE_DATA": str(data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if len(curve(data)) >= at:
                return process
        except (OSError, KeyError):
            pass
        time.sleep(0.01)
    process.kill()
    raise AssertionError(process.communicate())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    data = tmp_path_factory.mktemp("whole")
    run(data, *LOSSES, "--steps", "2000")
    return curve(data)


def test_killed_and_resumed_is_the_same_curve(tmp_path, whole):
    process = begun(tmp_path, "--steps", "2000")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(curve(tmp_path)) < 2000, "it was through before it was killed"
    run(tmp_path, *LOSSES, "--resume", "--steps", "2000")
    assert curve(tmp_path) == whole


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path, whole):
    process = begun(tmp_path, "--steps", "2000")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "to go on: python -m dl_exp autograd --steps 2000 --resume" in out
    run(tmp_path, *LOSSES, "--resume", "--steps", "2000")
    assert curve(tmp_path) == whole


def test_a_limit_on_file_sizes_is_one_sentence_and_loses_nothing(tmp_path):
    """A disk that takes no more, as far as a process can be made to see one."""
    resource = pytest.importorskip("resource", reason="limits are a Unix thing")
    run(tmp_path, *LOSSES, "--steps", "80")
    before = curve(tmp_path)

    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    done = subprocess.run(
        command(*LOSSES, "--steps", "400", "--resume"),
        capture_output=True,
        text=True,
        env=os.environ | {"EXP_CORE_DATA": str(tmp_path)},
        preexec_fn=limited,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2, done.stdout
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert curve(tmp_path)[:80] == before
    run(tmp_path, *LOSSES, "--steps", "120", "--resume")
    assert len(curve(tmp_path)) == 120


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--steps", "0"), "--steps"),
        (("--steps", "many"), "--steps takes a whole number"),
        (("--steps", "9", "--data", "mons"), "did you mean moons"),
        (("--steps", "9", "--sweep", "n=1,2"), "--sweep belongs to the ladder"),
        (("--steps", "9", "--n", "10"), "--n belongs to the ladder"),
        (("--steps", "9", "--only", "mx_grad"), "these do: tensor_tape_engine"),
        (("--steps", "9", "--save-every", "0"), "--save-every"),
        (("--save-every", "9"), "is for training"),
        (("--data", "moons"), "is for training"),
        (("--resume",), "train first"),
        (("--resume", "--checkpoint", "none.safetensors"), "no checkpoint"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, args, words):
    done = run(tmp_path, "autograd", *args, code=2)
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_wrong_checkpoints_are_refused(tmp_path):
    run(tmp_path, *LOSSES, "--steps", "40")
    latest = tmp_path / "training" / "autograd" / "latest.safetensors"
    kept = latest.read_bytes()
    for args, words in (
        (("mlp", "--resume", "--checkpoint", str(latest)), "a checkpoint of autograd, not of mlp"),
        (("autograd", "--resume", "--steps", "80", "--width", "8"), "Shape(inputs=2, width=16)"),
        (("autograd", "--resume", "--steps", "80", "--seed", "1"), "seed"),
        (("autograd", "--resume", "--steps", "80", "--batch", "8"), "batch"),
        (("autograd", "--resume", "--steps", "20"), "has 40 steps already"),
    ):
        done = run(tmp_path, *args, code=2)
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert latest.read_bytes() == kept


def test_piped_output_is_plain_lines_with_the_target(tmp_path):
    done = run(tmp_path, *LOSSES, "--steps", "200")
    lines = done.stdout.splitlines()
    assert "\x1b" not in done.stdout
    assert 10 <= len(lines) <= 40
    assert lines[0].startswith("step ")
    assert "points/s" in done.stdout
    assert re.fullmatch(r"moons: \d+ steps, loss [\d.e-]+, [\d,]+ points/s", lines[-2])
    assert "accuracy: 1   target ≥ 1 (micrograd's demo): reached" in lines[-1]


def test_a_new_run_sets_the_earlier_one_aside(tmp_path):
    run(tmp_path, *LOSSES, "--steps", "40")
    done = run(tmp_path, *LOSSES, "--steps", "40")
    assert "autograd-1" in done.stderr
    assert (tmp_path / "training" / "autograd-1" / "latest.safetensors").exists()


def test_csv_and_plot(tmp_path):
    pytest.importorskip("matplotlib", reason="--plot needs matplotlib")
    run(tmp_path, *LOSSES, "--steps", "40", "--csv", str(tmp_path / "c.csv"), "--plot", str(tmp_path / "c.png"))
    assert (tmp_path / "c.csv").read_text().startswith("step,loss,accuracy\n")
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_explain_says_how_it_is_trained(tmp_path):
    text = run(tmp_path, "autograd", "--explain").stdout
    assert "Training: --steps 200" in text
    assert "accuracy ≥ 1" in text
    assert "--data moons" in text
