"""The notebooks of the docs: stored as they were run, and still running, with the same kinds of outputs."""

import json
import re

import notebooks
import pytest

from exp_core.catalogue import read_catalogue

STORED = {path.name: path for path in notebooks.NOTEBOOKS}


def test_they_are_there():
    assert set(STORED) == {"tour.ipynb", "write_your_own.ipynb", "metal_without_a_mac.ipynb", "train_and_go_on.ipynb"}


@pytest.mark.parametrize("name", STORED)
def test_it_was_run_from_top_to_bottom_and_names_no_machine(name):
    assert notebooks.faults(STORED[name].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", STORED)
def test_its_links_and_experiments_are_there(name):
    cells = json.loads(STORED[name].read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (STORED[name].parent / target).exists(), target
    for package, experiment in re.findall(r'(maths_exp|dl_exp)\.(?:run|sweep|explain|history|train\w*)\("(\w+)"', text):
        assert experiment in read_catalogue(package).entries


@pytest.mark.parametrize("name", STORED)
def test_it_runs_and_shows_what_it_showed(name):
    pytest.importorskip("nbclient", reason="running a notebook needs nbclient")
    pytest.importorskip("ipykernel", reason="running a notebook needs ipykernel")
    pytest.importorskip("matplotlib", reason="the notebooks draw")
    if name == "metal_without_a_mac.ipynb":
        from dl_exp.emulator import unavailable

        if skip := unavailable():
            pytest.skip(str(skip))
    now = notebooks.stripped(notebooks.executed(STORED[name]))
    assert notebooks.kinds(now) == notebooks.kinds(json.loads(STORED[name].read_text(encoding="utf-8")))


def stored(**changes):
    """A notebook of one cell, right but for the changes."""
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [], "source": ""} | changes
    return json.dumps({"cells": [cell], "metadata": notebooks.METADATA})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (stored(), None),
        (stored(execution_count=2), "not run from top to bottom"),
        (stored(execution_count=None), "not run from top to bottom"),
        (stored(outputs=[{"output_type": "error", "ename": "KeyError"}]), "ends in an error: KeyError"),
        (stored(outputs=[{"output_type": "stream", "name": "stderr", "text": "oh"}]), "standard error"),
        (stored(metadata={"execution": {}}), "has metadata"),
        (stored(source="/home/someone/x"), "names a path of the machine"),
        (stored(source="x" * 1_000_001), "bytes long"),
        (stored().replace('"python3"', '"my_env"'), "those of a machine"),
    ],
)
def test_the_checker_sees_what_is_wrong(text, said):
    faults = notebooks.faults(text)
    assert (faults == []) if said is None else (said in faults[0])


def test_a_notebook_that_fails_fails_the_test(tmp_path):
    pytest.importorskip("nbclient", reason="running a notebook needs nbclient")
    pytest.importorskip("ipykernel", reason="running a notebook needs ipykernel")
    from nbclient.exceptions import CellExecutionError
    from nbformat import v4, writes

    broken = tmp_path / "broken.ipynb"
    broken.write_text(writes(v4.new_notebook(cells=[v4.new_code_cell("1 / 0")])))
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        notebooks.executed(broken)


def test_a_bar_in_a_notebook_comes_and_goes(tmp_path):
    """While it works it is there; in the end nothing of it is stored."""
    pytest.importorskip("nbclient", reason="running a notebook needs nbclient")
    pytest.importorskip("ipykernel", reason="running a notebook needs ipykernel")
    from nbformat import v4, writes

    code = """
import IPython.display
import maths_exp
seen = []
update = IPython.display.DisplayHandle.update
IPython.display.DisplayHandle.update = lambda self, shown, **more: (seen.append(shown.data), update(self, shown))
r = maths_exp.run("summation", n=500, only="naive", budget=0.5, store=False)
print(any("<progress" in html and "summation: timing" in html for html in seen), seen[-1] == "")
"""
    file = tmp_path / "bar.ipynb"
    file.write_text(writes(v4.new_notebook(cells=[v4.new_code_cell(code)])))
    ran = notebooks.executed(file)
    assert [output["text"] for output in ran.cells[0].outputs if output["output_type"] == "stream"] == ["True True\n"]
    assert [output for output in notebooks.stripped(ran).cells[0].outputs if output["output_type"] != "stream"] == []
