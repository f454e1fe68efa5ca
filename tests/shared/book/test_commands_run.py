"""Every command on a page does what the page says, typed into a shell as it stands, in an empty folder."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from exp_core.book.commands import commands_of, history_command
from exp_core.book.contents import read_contents

SHELL = shutil.which("bash") or shutil.which("sh")
LIMIT_S = 300
BUDGET = " --budget 0.5"
STEPS = " --steps 2"
USUAL_BUDGET_S = 10  # what a reader's command has
ASKS = re.compile(r"choose smaller sizes, or --budget (\d+)$", re.MULTILINE)
UNWRITTEN = 1  # the skeleton is not filled in, and that is wrong
INTERRUPTED = 130

pytestmark = [
    pytest.mark.skipif(SHELL is None, reason="needs a shell"),
    pytest.mark.xdist_group("commands that run"),
]
CHAPTERS = {f"{chapter.command} {chapter.entry.name}": chapter for chapter in read_contents("maths_exp").chapters}
FEW = (
    ("maths_exp summation", "python -m maths_exp summation"),
    ("maths_exp summation", "python -m maths_exp practise summation summation.py"),
    ("dl_exp softmax", "python -m dl_exp softmax --plot softmax.png"),
)


def lines_of(name: str) -> list[str]:
    """What the page of an experiment tells its reader to type, from top to bottom."""
    chapter = CHAPTERS[name]
    lines = [line for _, some in commands_of(chapter, chapter.entry.load()) for line in some]
    return [*lines, history_command(chapter)]


def shortened(line: str) -> str:
    """The same command, so that it needs seconds: what is said last on the command line holds."""
    if "--steps" in line:
        return line + STEPS
    takes_budget = " history " not in line and (" practise " not in line or "--with" in line)
    return line + BUDGET if takes_budget else line


def typed(line: str, folder: Path) -> tuple[int, str]:
    """The exit code and all that was said; a watch is ended by Ctrl-C as soon as it waits."""
    beside = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "100",
    }
    assert SHELL is not None
    # exec, so that the signal meets Python and not the shell that waits for it
    process = subprocess.Popen(
        [SHELL, "-c", f"exec {line}"], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    if "--watch" in line:
        assert process.stdout is not None
        heard = ""
        for heard_line in process.stdout:
            heard += heard_line
            if heard_line.startswith("waiting for"):
                process.send_signal(signal.SIGINT)
                break
        rest, _ = process.communicate(timeout=LIMIT_S)
        return process.returncode, heard + rest
    try:
        said, _ = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, said


def does_what_it_says(line: str, folder: Path) -> None:
    """Run it, and look: the exit code, the files that it promises, and no traceback.  Raises AssertionError."""
    code, said = typed(shortened(line), folder)
    if (asks := ASKS.search(said)) and int(asks[1]) <= USUAL_BUDGET_S:  # the test was too short, not the page wrong
        code, said = typed(f"{line} --budget {asks[1]}", folder)
    expected = INTERRUPTED if "--watch" in line else UNWRITTEN if "--with" in line else 0
    assert code == expected, f"{line}\n{said}"
    assert "Traceback" not in said, f"{line}\n{said}"
    words = shlex.split(line)
    if "--plot" in words:
        assert (folder / words[words.index("--plot") + 1]).stat().st_size > 1000, line
    if "practise" in words and "--with" not in words:
        assert "NotImplementedError" in (folder / words[-1]).read_text(encoding="utf-8"), line
    if "--with" in words:
        assert "write it here" in said, f"{line}\n{said}"


@pytest.mark.parametrize(("name", "line"), FEW, ids=[line.partition("-m ")[2] for _, line in FEW])
def test_some_commands_run(name, line, tmp_path):
    if name.startswith("dl_exp"):
        pytest.importorskip("mlx.core", reason="needs MLX: pip install ./dl_exp")
    assert line in lines_of(name), "it is one that a page shows"
    does_what_it_says(line, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHAPTERS)
def test_every_command_runs(name, tmp_path):
    """From top to bottom, as a reader would: the file that one line writes is the one that the next line checks."""
    if name.startswith("dl_exp"):
        pytest.importorskip("mlx.core", reason="needs MLX: pip install ./dl_exp")
    for line in lines_of(name):
        does_what_it_says(line, tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "python -m maths_exp summatoin",
        "python -m maths_exp summation --n 100 --plot nowhere/summation.png",
        "python -c 'raise SystemExit(0)' practise summation.py",
        "python -c 'print(\"Traceback\")'",
    ],
    ids=["name", "folder", "nothing written", "traceback"],
)
def test_a_command_that_does_not_do_it_is_seen(line, tmp_path):
    with pytest.raises((AssertionError, FileNotFoundError)):
        does_what_it_says(line, tmp_path)
