"""history and compare as a user meets them: stored by a run, shown, carried, held against each other."""

import json
import os
import sqlite3
import subprocess
import sys

import past
import pytest

from exp_core.history import store

QUICK = ("summation", "--n", "500", "--only", "naive,numpy_sum", "--budget", "0.2")


@pytest.fixture
def run(tmp_path):
    """The command line with a history of its own."""

    def run_it(*args, stdin=None, **environment):
        given = {"PYTHONIOENCODING": "utf-8", "EXP_CORE_DATA": str(tmp_path / "data")}
        done = subprocess.run(
            [sys.executable, "-m", "maths_exp", *args], input=stdin, capture_output=True, text=True, encoding="utf-8",
            env=os.environ | given | environment, check=False, timeout=120,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done

    run_it.path = tmp_path / "data" / "history.db"
    return run_it


def toy(*rows, **given):
    """A run that the command of maths_exp shows."""
    return past.run(*rows, **{"experiment": "summation", "package": "maths_exp"} | given)


def test_a_run_is_stored_and_shown_unless_it_is_not_wanted(run):
    assert "nothing is stored yet" in run("history").stdout
    assert run(*QUICK, "--no-store").returncode == 0
    assert not run.path.exists()
    assert run(*QUICK).returncode == 0
    assert " summation " in run("history").stdout
    table = run("history", "summation").stdout
    assert "uniform   n = 500   float64" in table
    for word in ("naive", "numpy_sum", "#1", "× library"):
        assert word in table
    (row, _) = json.loads(run("history", "summation", "--json", "-").stdout)
    assert row["configuration"]["sizes"] == '{"n": 500}'
    assert len(row["points"][0]["source"]) == 16


def test_a_sweep_is_stored_point_by_point_and_not_measured_twice(run):
    sweep = ("summation", "--only", "naive,numpy_sum", "--budget", "0.4", "--sweep", "n=64:128:x2")
    assert "measured before" not in run(*sweep).stdout
    with sqlite3.connect(run.path) as database:
        assert database.execute("SELECT count(*), count(DISTINCT key) FROM runs").fetchone() == (2, 2)
    assert "2 of 2 points had been measured before" in run(*sweep).stdout
    assert "measured before" not in run(*sweep, "--no-store").stdout


def test_what_cannot_be_stored_is_printed_all_the_same(run):
    run.path.parent.write_text("a file where the folder should be")
    done = run(*QUICK)
    assert done.returncode == 0
    assert "numpy_sum" in done.stdout
    assert done.stderr.startswith("not stored: ")
    assert len(done.stderr.splitlines()) == 1
    assert "EXP_CORE_DATA" in done.stderr
    sweep = run("summation", "--only", "naive,numpy_sum", "--budget", "0.4", "--sweep", "n=64:128:x2")
    assert len(sweep.stderr.splitlines()) == 1


def test_a_damaged_history_is_set_aside_with_one_sentence(run):
    run.path.parent.mkdir()
    run.path.write_bytes(b"garbage " * 1000)
    asked = run("history")
    assert asked.returncode == 2
    assert "is damaged" in asked.stderr
    done = run(*QUICK)
    assert done.returncode == 0
    assert "damaged" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "summation" in run("history").stdout


def test_export_and_import_carry_every_run_once(run, tmp_path):
    store([toy(at=i) for i in range(5)], run.path)
    file = tmp_path / "out.jsonl"
    assert "5 runs written" in run("history", "--export", str(file)).stderr
    text = file.read_text()
    assert run("history", "summation", "--export", "-").stdout == text
    other = {"EXP_CORE_DATA": str(tmp_path / "other")}
    assert "5 runs imported, 0 were there" in run("history", "--import", str(file), **other).stdout
    assert "0 runs imported, 5 were there" in run("history", "--import", "-", stdin=text, **other).stdout
    assert run("history", "--export", "-", **other).stdout == text
    broken = run("history", "--import", "-", stdin=text + "{}\n")
    assert broken.returncode == 2
    assert "line 6" in broken.stderr


def test_history_draws_itself(run, tmp_path):
    pytest.importorskip("matplotlib", reason="--plot needs matplotlib")
    store([toy(at=i * 1e5, machine=f"m{i % 2}") for i in range(6)], run.path)
    file = tmp_path / "out.png"
    done = run("history", "summation", "--plot", str(file))
    assert done.returncode == 0, done.stderr
    assert file.read_bytes().startswith(b"\x89PNG")
    assert "3 earlier runs not shown" in run("history", "summation", "--limit", "3").stdout


def test_compare_exits_1_on_a_regression_only(run, tmp_path):
    library = past.row("library", rung="library")
    runs = [toy(past.row(median_s=seconds), library, at=i) for i, seconds in enumerate((1e-3, 1e-3, 1.3e-3, 0.9e-3))]
    store(runs, run.path)
    assert "equivalent" in run("compare", "1", "2").stdout
    assert run("compare", "#1", "2").returncode == 0
    worse = run("compare", "1", "3")
    assert worse.returncode == 1
    assert "slower, a regression" in worse.stdout
    assert run("compare", "1", "3", "--within", "50").returncode == 0
    assert run("compare", "previous", "last").returncode == 0
    (document,) = json.loads(run("compare", "1", "3", "--json", "-").stdout)
    assert [row["regression"] for row in document["implementations"]] == [True, False]
    file = tmp_path / "out.json"
    file.write_text(json.dumps(runs[2].result.to_dict()))
    assert run("compare", str(file), "last").returncode == 0
    assert run("compare", "last", str(file)).returncode == 1


def test_compare_with_a_baseline_takes_the_sources_as_they_are(run):
    """Whatever state this checkout is in; without one the answer is a sentence."""
    from exp_core.catalogue import read_catalogue
    from exp_core.history.revision import revision_of

    state = revision_of(read_catalogue("maths_exp").entries["summation"].path)
    if state.revision is None:
        assert "no commit" in run("compare", "--baseline", "HEAD").stderr
        return
    slow = past.row(median_s=2e-3)
    then = toy(revision="a" * 40, dirty=False)
    now = toy(slow, revision=state.revision, dirty=state.dirty)
    store([then, now], run.path)
    for args in (("--baseline", "aaaaaaa"), ("summation", "--baseline", "aaaaaaa")):
        assert run("compare", *args).returncode == 1
    assert "no run of bbbbbbb" in run("compare", "--baseline", "bbbbbbb").stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["history", "sumation"], "did you mean summation"),
        (["history", "summation"], "nothing is stored of summation"),
        (["history", "--plot"], "name it"),
        (["history", "--limit", "0"], "--limit"),
        (["history", "--size", "n"], "--size takes"),
        (["history", "--size", "n=many"], "--size takes"),
        (["history", "--import", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        (["history", "summation", "--import", "x"], "--import stands alone"),
        (["compare"], "takes two runs"),
        (["compare", "1"], "takes two runs"),
        (["compare", "1", "2"], "no run 1 is stored"),
        (["compare", "last", "previous"], "nothing is stored yet"),
        (["compare", "1", "2", "--within", "little"], "--within takes per cent"),
        (["compare", "1", "2", "--within", "-1"], "zero or more"),
        (["compare", "a", "b", "--baseline", "HEAD"], "at most one NAME"),
        (["compare", "--baseline", "no such branch"], "no commit"),
    ],
)
def test_bad_input_is_one_sentence(run, args, words):
    done = run(*args)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_neither_help_nor_list_opens_a_database():
    script = """
import sys
from exp_core.cli import main
try:
    main("maths_exp", args=sys.argv[1:])
finally:
    print([name for name in ("sqlite3", "numpy", "exp_core.history") if name in sys.modules])
"""
    for args in ([], ["--help"], ["list"]):
        done = subprocess.run([sys.executable, "-c", script, *args], capture_output=True, text=True, check=False)
        assert done.stdout.splitlines()[-1] == "[]"
