"""practise as a learner meets it: a skeleton, what is wrong with it, its place on the ladder, and the watch."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

RIGHT = """import numpy as np
def summation(x):
    return np.sum(x)
"""
WRONG = RIGHT.replace("np.sum(x)", "np.sum(x[:-1]) if x.size > 3 else np.sum(x)")


def run(*args, folder, package="maths_exp", **environment):
    return subprocess.run(
        [sys.executable, "-m", package, "practise", *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"} | environment,
        cwd=folder,
        check=False,
        timeout=120,
    )


def test_a_skeleton_is_written_once_and_says_what_is_next(tmp_path):
    done = run("summation", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "practise summation --with summation.py" in done.stdout
    before = (tmp_path / "summation.py").read_text(encoding="utf-8")
    again = run("summation", folder=tmp_path)
    assert again.returncode == 2
    assert "summation.py is there already, and is left as it is" in again.stderr
    assert (tmp_path / "summation.py").read_text(encoding="utf-8") == before
    unfilled = run("summation", "--with", "summation.py", "--budget", "2", folder=tmp_path)
    assert unfilled.returncode == 1
    assert "NotImplementedError: write it here (line " in unfilled.stdout


def test_a_wrong_one_is_told_on_its_smallest_input(tmp_path):
    (tmp_path / "mine.py").write_text(WRONG)
    done = run("summation", "--with", "mine.py:summation", "--budget", "3", folder=tmp_path)
    assert done.returncode == 1
    assert "✗ mine.py:summation: it breaks relative error" in done.stdout
    assert "uniform   n = 4   float64   seed 0" in done.stdout
    assert "again" in done.stdout
    assert "--problem uniform --n 4 --dtype float64 --seed 0" in done.stdout
    assert "\x1b" not in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines() if line.startswith("  "))


def test_a_right_one_is_ranked(tmp_path):
    (tmp_path / "mine.py").write_text(RIGHT)
    done = run("summation", "--with", "mine.py", "--budget", "2", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ mine.py:summation: right on" in done.stdout
    assert "faster than" in done.stdout


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["qrr"], "no experiment is called 'qrr'; did you mean qr?"),
        (["qr", "qr.txt"], "a skeleton is a .py file"),
        (["qr", "no/such/folder/qr.py"], "cannot be written: No such file or directory"),
        (["qr", "--watch"], "--watch needs a file to watch"),
        (["qr", "a.py", "--with", "b.py"], "leave one out"),
        (["qr", "--with", "b.py"], "cannot read b.py"),
        (["qr", "--with", "b.py", "--watch"], "cannot read b.py"),
        (["qr", "--with", "b.py", "--budget", "0"], "--budget must be a positive number"),
        ([], "missing argument 'NAME'; python -m maths_exp practise --help shows what it takes"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(tmp_path, args, complaint):
    done = run(*args, folder=tmp_path)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("columns", ["40", "80"])
def test_a_narrow_terminal_folds_words(tmp_path, columns):
    pty = pytest.importorskip("pty", reason="pseudo-terminals are a Unix thing")
    (tmp_path / "mine.py").write_text(WRONG)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "maths_exp", "practise", "summation", "--with", "mine.py", "--budget", "2"]
    environment = os.environ | {"COLUMNS": columns, "NO_COLOR": "1", "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment, cwd=tmp_path) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                chunk = os.read(ours, 1000)
            except OSError:
                break
            if not chunk:
                break
            said += chunk
    assert process.returncode == 1
    assert "\x1b[3" not in said.decode(), "a colour"
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode())
    assert max(map(len, text.splitlines())) <= int(columns)
    assert "n = 4" in text


def test_the_watch_survives_a_broken_file_and_ends_with_a_summary(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(WRONG)
    command = [sys.executable, "-u", "-m", "maths_exp", "practise", "summation", "--with", "mine.py", "--watch"]
    with subprocess.Popen(
        [*command, "--budget", "1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path
    ) as process:
        said = until(process, "waiting for")
        assert "n = 4" in said
        file.write_text("def summation(:")
        assert "as Python" in until(process, "waiting for")
        aside = tmp_path / "aside"
        aside.write_text(RIGHT)
        aside.replace(file)
        assert "right on" in until(process, "waiting for")
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 130
    assert "checked 3 times, right 1; in the end: right" in rest
    assert "Traceback" not in rest


def until(process, words):
    """What it says, to the line with these words."""
    said = []
    for line in process.stdout:
        said.append(line)
        if words in line:
            time.sleep(0.1)  # so that the next change is one that it waits for
            return "".join(said)
    raise AssertionError("".join(said))


def test_a_kernel_is_diagnosed_by_the_emulator(tmp_path):
    emulator = pytest.importorskip("dl_exp.emulator", reason="kernels need dl_exp and MLX")
    if missing := emulator.unavailable():
        pytest.skip(str(missing))
    done = run("softmax", "mine.metal", folder=tmp_path, package="dl_exp")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "mine.metal").read_text(encoding="utf-8")
    assert "float* p" in text
    assert "N            template: here 50" in text
    assert "simd_max" not in text, "the skeleton does not give the body away"
    done = run("softmax", "--with", "mine.metal", "--budget", "5", folder=tmp_path, package="dl_exp")
    assert done.returncode == 1
    assert "unwritten output" in done.stdout
    assert "--metal --emulate" in done.stdout


def test_a_kernel_needs_a_kernel_to_stand_in_for(tmp_path):
    pytest.importorskip("mlx.core", reason="dl_exp needs MLX")
    done = run("gpt", "mine.cu", folder=tmp_path, package="dl_exp")
    assert done.returncode == 2
    assert "no cuda kernel" in done.stderr
    assert not (tmp_path / "mine.cu").exists()
