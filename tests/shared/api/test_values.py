"""What comes back shows itself: as text, as a figure, as a data frame, in a notebook."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

import dl_exp
import maths_exp
from exp_core.results import Result

QUICK = {"n": 500, "only": "naive,kahan,numpy_sum", "budget": 0.2, "store": False}


@pytest.fixture(scope="module")
def result():
    return maths_exp.run("summation", **QUICK)


@pytest.fixture(scope="module")
def found():
    sizes = [64, 128, 256, 512, 1024]
    return maths_exp.sweep("summation", n=sizes, only="naive,numpy_sum", budget=0.5, store=False)


def test_a_notebook_shows_the_ladder(result):
    assert "kahan" in result._repr_html_()
    assert "<script" not in result._repr_html_()


@pytest.mark.parametrize("what", ["times", "picture", "roofline"])
def test_a_figure_is_drawn_and_shown_without_pyplot(result, what):
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    figure = result.figure(what)
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert figure.axes or figure.subfigs


def test_a_stored_result_is_drawn_as_well(result):
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    again = Result.from_dict(result.to_dict())
    assert again.figure("picture")._repr_png_() == result.figure("picture")._repr_png_()


def test_an_unknown_figure_and_a_missing_experiment_are_refused(result):
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    from dataclasses import replace

    with pytest.raises(maths_exp.Refused, match="did you mean times"):
        result.figure("time")
    with pytest.raises(maths_exp.Refused, match="cannot be made again here"):
        replace(result, experiment="of_another_time").figure("picture")
    with pytest.raises(maths_exp.Refused, match="nothing to place"):
        replace(result, rows=()).figure("roofline")


def test_a_data_frame_has_the_columns_of_the_csv_file(result):
    pandas = pytest.importorskip("pandas", reason="data frames need pandas")
    frame = result.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame["name"]) == ["naive", "kahan", "numpy_sum"]
    assert set(frame["n"]) == {500}
    assert (frame["error"] <= frame["bound"]).all()
    assert frame["median_s"].dtype == float


def test_without_pandas_or_matplotlib_one_sentence_says_what_to_install(result, monkeypatch):
    import importlib.util

    find_spec = importlib.util.find_spec
    absent = ("pandas", "matplotlib")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name in absent else find_spec(name, *a))
    with pytest.raises(maths_exp.Missing, match="pip install pandas"):
        result.to_pandas()
    with pytest.raises(maths_exp.Missing, match=r"pip install 'maths-exp\[plot\]'"):
        result.figure()


def test_the_same_name_on_several_devices(result):
    from dataclasses import replace

    both = replace(result, rows=(result["naive"], replace(result["naive"], device="metal")))
    assert both["naive on metal"].device == "metal"
    with pytest.raises(KeyError, match="naive on cpu, naive on metal"):
        both["naive"]


def test_a_sweep(found):
    assert repr(found) == "summation, uniform, n = 64 to 1024, float64: 5 of 5 points"
    assert "naive" in str(found)
    assert len(found.results) == 5
    assert "exp-ladder" in found._repr_html_()
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    assert found.figure()._repr_png_().startswith(b"\x89PNG")
    pytest.importorskip("pandas", reason="data frames need pandas")
    assert len(found.to_pandas()) == 10


def test_a_sweep_in_html_is_well_formed_and_escaped(found):
    from dataclasses import replace

    hostile = replace(found, title="<script>alert(1)</script>", notes=("<b>&",))
    html = hostile._repr_html_()
    assert "<script" not in html
    assert "&lt;b&gt;&amp;" in html
    ElementTree.fromstring(re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ({}, "a sweep needs several values of a size, such as n=[64, 128, 256]"),
        ({"n": 5}, "a sweep needs several values"),
        ({"n": []}, "n has no values"),
        ({"n": [5, 0]}, "n must be at least 1"),
        ({"n": ["a"]}, "n takes a number, not 'a'"),
        ({"n": range(1, 20_000)}, "take larger steps"),
        ({"m": [1, 2]}, "the problem uniform has no m; it has n"),
        ({"n": "64:128:x2"}, "a sweep needs several values"),
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused(sizes, sentence):
    with pytest.raises(maths_exp.Refused) as refused:
        maths_exp.sweep("summation", **sizes, store=False)
    assert sentence in str(refused.value)
    assert "--" not in str(refused.value)


def test_a_sweep_emulates_nothing():
    with pytest.raises(dl_exp.Refused, match="has no emulate"):
        dl_exp.sweep("softmax", rows=[1, 2], device="metal", emulate=True)


def test_the_catalogue_is_a_mapping_that_prints_by_topic():
    there = maths_exp.experiments()
    assert "qr" in there
    assert there["qr"].topic == "linear_algebra"
    assert len(there) == len(list(there)) > 15
    assert repr(there).startswith("Basics\n  fft")
    assert "<code>qr</code>" in there._repr_html_()
    assert all("\n" not in entry.title for entry in there.values())


@pytest.mark.parametrize(("package", "name"), [(maths_exp, "summation"), (dl_exp, "softmax")])
def test_an_explanation_in_words_and_in_markdown(package, name):
    told = package.explain(name)
    assert "Look for" in repr(told)
    assert "$" not in repr(told)
    markdown = told._repr_markdown_()
    assert "**Look for.**" in markdown
    assert "$" in markdown
    sources = [line for line in markdown.splitlines() if line.startswith("- ")]
    assert len(sources) == 2, "a line a reference"
    assert not any("  " in line for line in sources)
    for implementation in told.experiment.implementations:
        assert f"| `{implementation.name}` | {implementation.rung} |" in markdown
    with pytest.raises(package.Refused):
        package.explain("nothing like it")


def test_the_machine_is_the_command_s(capsys):
    from exp_core.api.machine import view
    from exp_core.report.console import console
    from exp_core.report.machine import print_machine

    here = maths_exp.machine()
    assert here.to_dict()["peaks"].keys() == {str(n) for n in here.limits}
    print_machine(here.machine, here.titled, here.devices, console())
    assert repr(here).split() == capsys.readouterr().out.split()
    assert view().limits.keys() == here.limits.keys()


def test_a_pipe_sees_no_bar_and_a_terminal_sees_one():
    script = "import maths_exp; maths_exp.run('summation', n=500, only='naive', budget=0.2, store=False)"
    piped = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert piped.stdout == piped.stderr == ""
    pty = pytest.importorskip("pty", reason="pseudo-terminals are a Unix thing")
    import contextlib
    import os

    for extra, seen in (("", True), (", progress=False", False)):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-c", script.replace(", store", f"{extra}, store")]
        environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
        with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
            os.close(theirs)
            text = b""
            with contextlib.suppress(OSError):
                while chunk := os.read(ours, 65536):
                    text += chunk
        os.close(ours)
        assert process.returncode == 0
        assert (b"summation: timing" in text) is seen
