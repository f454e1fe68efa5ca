"""``book`` on the command line: what it says, and what it refuses before it works."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import webbrowser

import library
import pytest

from exp_core.cli.program import main

PACKAGE = "acme_told"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the command of a small package in this process; its exit code, output and errors."""
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.setenv("EXP_CORE_DATA", str(tmp_path / "data"))
    for module in ("exp_core.catalogue", "exp_core.book.contents"):
        monkeypatch.setattr(f"{module}.GROUP", "acme.alone")  # this package's experiments, and nobody else's
    files = {"alpha/first.py": library.plain(), "beta/broken.py": library.BROKEN}
    library.make_package(tmp_path / "packages", PACKAGE, files)
    library.forget(PACKAGE)

    def told(*args):
        with pytest.raises(SystemExit) as ended:
            main(PACKAGE, args=list(args))
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    yield told
    library.forget(PACKAGE)


def test_it_says_where_the_book_is(run, tmp_path):
    code, out, err = run("book", str(tmp_path / "out"))
    assert (code, out.strip()) == (0, str(tmp_path / "out" / "index.html"))
    assert "2 experiments (1 made, 0 up to date, 1 cannot be read: broken)" in err
    assert "1 up to date" in run("book", str(tmp_path / "out"))[2]


def test_without_a_folder_it_lies_beside_the_history(run, tmp_path):
    assert run("book")[1].strip() == str(tmp_path / "data" / "book" / "index.html")


def test_only_some(run, tmp_path):
    assert "1 experiment (1 made" in run("book", str(tmp_path / "out"), "--only", "first")[2]
    assert "2 experiments (1 made" in run("book", str(tmp_path / "out"), "--only", "broken")[2]  # first leads to it
    assert (
        "1 experiment (0 made, 1 up to date), beside 1 more" in run("book", str(tmp_path / "out"), "--only", "first")[2]
    )
    code, _, err = run("book", str(tmp_path / "out"), "--only", "frist")
    assert code == 2 and "did you mean first?" in err


def test_it_measures_what_was_never_measured(run, tmp_path):
    code, _, _err = run("book", str(tmp_path / "out"), "--measure", "--budget", "0.2")
    assert code == 0
    assert 'class="exp-ladder"' in (tmp_path / "out" / PACKAGE / "first.html").read_text()


def test_what_was_climbed_on_another_problem_alone_is_measured_too(run, tmp_path):
    """The index has an experiment's ordinary problem: it said "not measured yet" for good."""
    assert run("first", "--problem", "hard", "--budget", "0.2")[0] == 0
    args = ("book", str(tmp_path / "out"), "--only", "first")
    assert run(*args)[0] == 0
    assert "not measured yet" in (tmp_path / "out/index.html").read_text()
    assert run(*args, "--measure", "--budget", "0.2")[0] == 0
    assert "not measured yet" not in (tmp_path / "out/index.html").read_text()


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["{file}"], 2, "is a file"),
        (["{full}"], 2, "holds other things"),
        (["{file}/below"], 2, "could not be written"),
        (["--serve", "x"], 2, "--serve takes a whole number"),
        (["{new}", "--serve", "99999999"], 2, "there is no port 99999999"),
        (["--budget", "-1"], 2, "positive"),
    ],
)
def test_one_sentence_for_what_cannot_be(run, tmp_path, args, code, said):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis").write_text("mine")
    places = {name: tmp_path / name for name in ("file", "full", "new")}
    ended, _, err = run("book", *(arg.format(**places) for arg in args))
    assert ended == code and said in err.splitlines()[-1], err
    assert "Traceback" not in err


def test_a_port_that_is_taken_is_a_sentence_and_nothing_is_written(run, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, out, err = run("book", str(tmp_path / "new"), "--serve", str(port))
    assert (code, out) == (2, "")
    assert err.strip().endswith(f"--serve: port {port} is taken: name another, or none for a free one")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("opens", [True, False])
def test_without_a_browser_it_says_where_to_look(run, tmp_path, monkeypatch, opens):
    asked = []
    monkeypatch.setattr(webbrowser, "open", lambda address: asked.append(address) or opens)
    code, out, err = run("book", str(tmp_path / "out"), "--open")
    index = tmp_path / "out" / "index.html"
    assert (code, out.strip(), asked) == (0, str(index), [index.as_uri()])
    assert (f"no browser could be opened here: open {index} in one" in err) is not opens


@pytest.mark.parametrize("module", ["jinja2", "latex2mathml", "markdown_it", "matplotlib", "pygments"])
def test_a_missing_extra_is_a_sentence_with_the_command(run, monkeypatch, module):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == module else find(name, *rest))
    code, _, err = run("book")
    assert code == 3 and f"needs {module}" in err and "pip install" in err


def test_ctrl_c_ends_serving_cleanly(run, tmp_path):
    paths = [str(tmp_path / "packages")]
    text = f"import sys; sys.path[:0] = {paths!r}; from exp_core.cli import main; main({PACKAGE!r}, args=sys.argv[1:])"
    command = [sys.executable, "-c", text, "book", str(tmp_path / "out"), "--only", "first", "--serve"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=dict(os.environ)
    )
    assert process.stderr is not None
    said = next(line for line in process.stderr if "http://127.0.0.1:" in line)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0, said
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
