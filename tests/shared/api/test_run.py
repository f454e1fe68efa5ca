"""A ladder from Python: the same flow, values instead of text, and refusals of one sentence."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import dl_exp
import exp_core
import maths_exp
from exp_core.results import Result

QUICK = {"n": 500, "only": "naive,kahan,numpy_sum", "budget": 0.2, "store": False}


def forgetful(x):
    """All but the last one."""
    print("a thousand times over")
    return float(np.sum(x[:-1]))


def exact(x):
    import math

    return math.fsum(x)


def test_importing_costs_nothing_and_changes_nothing():
    script = """
import sys
before = dict(sys.modules), list(sys.meta_path), list(sys.path_hooks), sys.stdout
import maths_exp, dl_exp
new = set(sys.modules) - set(before[0])
print(sorted(name for name in new if name.partition(".")[0] in ("numpy", "click", "rich", "mlx", "numba", "exp_core")))
print(list(sys.meta_path) == before[1], list(sys.path_hooks) == before[2], sys.stdout is before[3])
print("run" in dir(maths_exp), "TOPICS" in dir(dl_exp))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "True True True", "True True"]


def test_a_result_is_had_printed_and_asked():
    r = maths_exp.run("summation", **QUICK)
    assert isinstance(r, Result)
    assert [row.name for row in r] == ["naive", "kahan", "numpy_sum"]
    assert r["kahan"].status == "ok"
    assert r["kahan"].worst.holds
    assert "kahan" in r
    assert "kahn" not in r
    with pytest.raises(KeyError, match="no row is called 'kahn': naive, kahan, numpy_sum"):
        r["kahn"]
    assert repr(r).startswith("summation, uniform, n = 500, float64: 3 right; best: ")
    assert "\n" not in repr(r)
    assert "× library" in str(r)
    assert repr(r["kahan"]).startswith("kahan: right, ")
    assert r.to_dict()["sizes"] == {"n": 500}
    assert r.exit_code == 0


def test_what_python_prints_is_what_the_command_prints(capsys, monkeypatch):
    """One flow: the table of ``print(r)`` is the command's, on a terminal as wide."""
    monkeypatch.setenv("COLUMNS", "200")
    from exp_core.report.console import console
    from exp_core.report.terminal import print_result

    r = maths_exp.run("summation", **QUICK)
    print_result(r, console())
    assert str(r).split() == capsys.readouterr().out.split()


def test_the_same_request_as_on_the_command_line(monkeypatch):
    """Same arguments, same request: only then are the histories of both one."""
    from click.testing import CliRunner

    from exp_core.cli.app import Application
    from exp_core.request import describe_request

    seen = []

    def climb(request, progress=None):
        seen.append(describe_request(request))
        raise exp_core.Refused("enough")

    monkeypatch.setattr("exp_core.ladder.climb", climb)
    with pytest.raises(maths_exp.Refused, match="enough"):
        asked = {"rows": 50, "problem": "conditioned", "dtype": np.float32, "seed": 3, "threads": 1, "budget": 4}
        maths_exp.run("qr", **asked, rung="library")
    words = ["qr", "--rows", "50", "--problem", "conditioned", "--dtype", "float32", "--seed", "3", "--threads", "1"]
    CliRunner().invoke(Application("maths_exp", ()), [*words, "--budget", "4", "--rung", "library"])
    with pytest.raises(dl_exp.Refused, match="enough"):
        dl_exp.run("softmax", device="cpu")
    CliRunner().invoke(Application("dl_exp", ("metal", "cuda", "cpu")), ["softmax", "--cpu"])
    assert len(seen) == 4
    assert seen[0] == seen[1]
    assert seen[2] == seen[3]


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("qrr", {}, "no experiment is called 'qrr'; did you mean qr?"),
        ("nothing like it", {}, "maths_exp.experiments() lists them"),
        (3, {}, "no experiment is called 3"),
        ("qr", {"rows": 0}, "rows must be at least 1 and at most 2**62, not 0"),
        ("qr", {"rows": 1.5}, "rows takes a whole number, not 1.5"),
        ("qr", {"rows": "512"}, "rows takes a number, not '512'"),
        ("qr", {"rows": float("nan")}, "rows takes a finite number, not nan"),
        ("qr", {"rows": 10**400}, "at most 2**62"),
        ("qr", {"rows": None}, "rows takes a number, not None"),
        ("qr", {"rows": True}, "rows takes a whole number, not True"),
        ("qr", {"rows": np.array([1, 2])}, "rows takes a number"),
        ("qr", {"rows": 10**12}, "rows=1000000000000 cols=32 makes an input of"),
        ("qr", {"row": 5}, "the problem gaussian has no row; it has rows, cols"),
        ("qr", {"device": "metal"}, "the problem gaussian has no device"),
        ("qr", {"problem": "gausian"}, "did you mean gaussian?"),
        ("qr", {"problem": 7}, "no problem is called '7'"),
        ("qr", {"dtype": "float65"}, "did you mean float64?"),
        ("qr", {"dtype": np.int8}, "no dtype is called 'int8'"),
        ("qr", {"only": "housholder"}, "did you mean householder?"),
        ("qr", {"only": ()}, "no implementation is named"),
        ("qr", {"only": 3}, "implementations are named by text"),
        ("qr", {"rung": "kernel"}, "only and rung leave nothing of qr to run"),
        ("qr", {"seed": -1}, "seed must be at least 0"),
        ("qr", {"budget": 0}, "budget must be a positive number of seconds, not 0"),
        ("qr", {"budget": "3"}, "budget takes a number, not '3'"),
        ("qr", {"threads": 4096}, "threads=4096 is more than the"),
        ("qr", {"processes": 0}, "processes must be at least 1"),
        ("qr", {"processes": 2, "cluster": "local", "only": "tsqr_dask"}, "leave out processes"),
        ("qr", {"cluster": "local", "only": "householder"}, "nothing of qr is distributed here"),
        ("qr", {"cluster": 5}, "cluster takes an address"),
        ("qr", {"with_": 3}, "with_ takes a function"),
        ("qr", {"with_": {"mine": 3}}, "mine is 3"),
        ("qr", {"with_": "nowhere.py:f"}, "with_ cannot read nowhere.py"),
        ("qr", {"with_": {"householder": exact}}, "one of ours is called householder too"),
        ("qr", {"with_": exact, "processes": 2}, "leave out processes"),
    ],
)
def test_what_makes_no_sense_is_one_sentence_in_python_s_spelling(name, arguments, sentence):
    with pytest.raises(maths_exp.Refused) as refused:
        maths_exp.run(name, **arguments, store=False)
    said = str(refused.value)
    assert sentence in said
    assert "--" not in said
    assert "\n" not in said
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_devices_of_dl_exp():
    for arguments, kind, sentence in (
        ({"device": "mental"}, dl_exp.Refused, "did you mean metal?"),
        ({"emulate": True}, dl_exp.Refused, 'device="metal" or device="cuda"'),
        ({"device": "cpu", "emulate": True}, dl_exp.Refused, 'device="metal" or device="cuda"'),
        ({"with_": "nowhere.metal"}, dl_exp.Refused, "with_ cannot read nowhere.metal: No such file"),
    ):
        with pytest.raises(kind) as refused:
            dl_exp.run("softmax", **arguments, store=False)
        assert sentence in str(refused.value)
        assert "--" not in str(refused.value)
    from exp_core.machine import devices

    if "cuda" not in {device.name for device in devices()}:
        with pytest.raises(dl_exp.Missing, match="no cuda device"):
            dl_exp.run("softmax", device=("cpu", "cuda"), store=False)


def test_your_function_is_checked_raced_and_heard_of_by_its_row_alone(capsys):
    r = maths_exp.run("summation", **QUICK, with_={"exact": exact, "forgetful": forgetful, "raises": lambda x: 1 / 0})
    assert [row.rung for row in r][-3:] == ["yours"] * 3
    assert r["exact"].status == "ok"
    assert r["exact"].median_s > 0
    assert r["exact"].flops is None
    assert r["exact"].limit_s is None
    assert r["forgetful"].status == "wrong"
    assert r["raises"].reason == "ZeroDivisionError: division by zero"
    assert r["kahan"].status == "ok"
    assert r.exit_code == 1
    assert "a thousand times" not in capsys.readouterr().out
    assert r.best.rung != "yours"


def test_your_function_under_its_own_name_and_nothing_of_ours():
    r = maths_exp.run("summation", n=100, budget=0.1, rung="library", with_=exact, store=False)
    assert r["exact"].title == "your own"
    assert {row.rung for row in r} == {"library", "yours"}


def test_a_slow_function_of_yours_is_foretold_and_not_waited_for():
    def loops(A):
        Q, R = A.copy(), np.zeros((A.shape[1],) * 2)
        for _ in range(300):
            for i in range(A.shape[0]):
                float(A[i] @ A[i])
        return Q, R

    r = maths_exp.run("qr", rows=200_000, only="lapack", with_=loops, budget=0.5, store=False)
    assert r["loops"].status == "skipped"
    assert "predicted" in r["loops"].reason


def test_a_file_s_function_runs_in_a_process_of_its_own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("import os\ndef gone(x): os._exit(3)\n")
    r = maths_exp.run("summation", **QUICK, with_=f"{file}:gone")
    assert r["mine.py:gone"].status == "failed"
    assert r["kahan"].status == "ok"


def test_ctrl_c_leaves_what_is_known_and_puts_standard_output_back():
    out = sys.stdout

    def impatient(x):
        raise KeyboardInterrupt

    with pytest.raises(exp_core.api.Interrupted) as stop:
        maths_exp.run("summation", **QUICK, with_=impatient)
    assert isinstance(stop.value, KeyboardInterrupt)
    assert stop.value.partial.interrupted
    assert "interrupted" in repr(stop.value.partial)
    assert len(list(stop.value.partial)) == 4
    assert sys.stdout is out


def test_results_are_kept_as_the_command_line_keeps_them(tmp_path, monkeypatch):
    monkeypatch.setenv("EXP_CORE_DATA", str(tmp_path))
    assert repr(maths_exp.history("summation")) == "nothing is stored of summation yet"
    maths_exp.run("summation", **QUICK | {"store": True})
    r = maths_exp.run("summation", **QUICK | {"store": True}, with_=exact)
    past = maths_exp.history("summation")
    assert len(past) == 2
    assert past[-1].result.to_dict() == r.to_dict()
    assert len(past[:1]) == 1
    assert "naive" in repr(past)
    with pytest.raises(maths_exp.Refused, match="did you mean summation"):
        maths_exp.history("sumation")


def test_a_history_that_cannot_be_written_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setenv("EXP_CORE_DATA", str(tmp_path / "file"))
    (tmp_path / "file").write_text("not a folder")
    with pytest.warns(UserWarning, match="not stored") as warned:
        r = maths_exp.run("summation", **QUICK | {"store": True})
    assert r.exit_code == 0
    assert warned[0].filename == __file__


def test_nothing_global_is_left_changed():
    state = np.geterr(), sys.stdout, sys.stderr, list(warnings.filters)
    maths_exp.run("summation", **QUICK)
    assert (np.geterr(), sys.stdout, sys.stderr, list(warnings.filters)) == state


def test_the_reasons_of_rows_name_arguments_and_not_options():
    r = maths_exp.run("summation", n=10**6, only="naive,numpy_sum", budget=0.01, store=False)
    reasons = [row.reason for row in r.rows if "budget" in row.reason]
    assert reasons, "a hundredth of a second is not enough for a loop of a million"
    assert all("--" not in reason and "budget=" in reason for reason in reasons)
