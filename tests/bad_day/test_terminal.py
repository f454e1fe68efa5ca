"""Terminals and pipes as they come: closed, missing, narrow, without colours, signs or fonts."""

from __future__ import annotations

import json
import os

import pytest
from bad_day.program import ESCAPE, LADDER, OnTerminal, also, run, shell

LATIN = {"PYTHONIOENCODING": "latin-1"}
ASCII = {"PYTHONIOENCODING": "ascii"}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": None}
POSIX = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONIOENCODING": None}
unix = pytest.mark.skipif(os.name != "posix", reason="a Unix thing")


@unix
@pytest.mark.parametrize("command", ["summation --explain", "list", "--help", " ".join(LADDER[1:])])
def test_a_closed_pipe(command, swift):
    done = shell(f"set -o pipefail; $PY -m maths_exp {command} | head -1; echo ${{PIPESTATUS[0]}}", custom=swift)
    assert done.err == ""
    assert done.out.splitlines()[-1] == "0"


@unix
def test_a_closed_pipe_keeps_what_was_measured(tmp_path, swift):
    done = shell(f"$PY -m maths_exp {' '.join(LADDER[1:])} | true; echo ${{PIPESTATUS[0]}}", custom=swift,
                 EXP_CORE_DATA=str(tmp_path))  # fmt: skip
    assert (done.out, done.err) == ("0\n", "")
    assert json.loads(run("maths_exp", "history", "--json", "-", EXP_CORE_DATA=str(tmp_path)).out)[0]["runs"] == 1


@unix
@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", *also(">&-", "2>&-")])
def test_closed_standard_streams(closed, tmp_path, swift):
    """What is stored is not written into: the next file that is opened must not get the number of standard output."""
    done = shell(f"$PY -m maths_exp {' '.join(LADDER[1:])} --json x.json {closed}; echo $?", custom=swift, cwd=tmp_path,
                 EXP_CORE_DATA=str(tmp_path))  # fmt: skip
    assert done.out.splitlines()[-1] == "0"
    assert "Traceback" not in done.err
    assert json.loads((tmp_path / "x.json").read_text())["experiment"] == "summation"


@pytest.mark.parametrize("surroundings", [ASCII, C_LOCALE, *also(LATIN, POSIX)], ids=["ascii", "C", "latin-1", "POSIX"])
def test_an_encoding_without_our_signs(surroundings, swift):
    """The marks of a table are told apart, and JSON is UTF-8 whatever the terminal speaks."""
    done = run(*LADDER, "--problem", "absorbing", custom=swift, **surroundings)
    assert done.code == 0, done
    lines = [line for line in done.out.splitlines() if "numpy_sum" in line]
    assert lines
    assert lines[0].lstrip("| ")[0] == "+"
    assert "x library" in done.out or "\ufffd library" in done.out  # Latin-1 has the sign, in one byte
    document = run(*LADDER, "--json", "-", custom=swift, **surroundings)
    assert json.loads(document.out)["experiment"] == "summation"
    assert run("maths_exp", "fft", "--explain", **surroundings).code == 0


def test_marks_are_told_apart_in_ascii():
    from exp_core.cli.streams import plain
    from exp_core.report.ladder_table import MARKS

    marks = [plain(mark) for mark, _ in MARKS.values()]
    assert len(set(marks)) == len(marks)
    assert all(len(mark) == 1 and mark.isascii() for mark in marks)


@unix
@pytest.mark.parametrize("columns", ["20", "40", *also("1", "400")])
def test_a_terminal_of_any_width(columns, swift):
    terminal = OnTerminal(LADDER, out=True, custom=swift, COLUMNS=columns, LINES="24")
    done = terminal.end()
    assert done.code == 0, done
    assert "Traceback" not in done.err
    if int(columns) >= 40:
        table = [line for line in ESCAPE.sub("", done.err).splitlines() if line.lstrip().startswith("✓")]
        assert len(table) == 3
        assert all(len(line.rstrip()) <= int(columns) and "…" not in line for line in table)


@unix
@pytest.mark.parametrize("words", [LADDER, ("maths_exp", "list"), ("maths_exp", "summation", "--source", "naive")])
def test_no_color_and_a_dumb_terminal(words, swift):
    for changes in ({"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb", "NO_COLOR": ""}):
        done = OnTerminal(words, out=True, custom=swift, **changes).end()
        assert done.code == 0, done
        assert not [code for code in ESCAPE.findall(done.err) if code.endswith("m") and "3" in code], changes


@unix
def test_no_terminal_at_all(swift):
    """A new session without a controlling terminal, as under cron: plain text, nothing on standard error."""
    done = shell(f"setsid -w $PY -m maths_exp {' '.join(LADDER[1:])}", custom=swift, TERM=None)
    assert done.code == 0, done
    assert "\x1b" not in done.out
    assert done.err == ""


def test_no_fonts_but_matplotlib_s_own(tmp_path, swift):
    """No font of the system, and no place for Matplotlib's list of fonts: it is drawn all the same."""
    pytest.importorskip("matplotlib")
    (tmp_path / "config").write_text("a file in the way")
    done = run(*LADDER, "--plot", str(tmp_path / "x.svg"), custom=swift, MPLCONFIGDIR=str(tmp_path / "config"),
               FONTCONFIG_FILE="/dev/null", FONTCONFIG_PATH=str(tmp_path), XDG_DATA_DIRS=str(tmp_path))  # fmt: skip
    assert done.code == 0, done
    assert "Traceback" not in done.err
    assert (tmp_path / "x.svg").read_text().startswith("<?xml")
