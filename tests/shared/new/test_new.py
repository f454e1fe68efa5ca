"""new TOPIC/NAME: files with blanks; filled in, they hold the contract; not filled in, they say what is missing."""

import os
import re
import subprocess
import sys

import pytest

from exp_core.contract import checks
from exp_core.new.place import find_place, registered, write
from exp_core.refusal import Refused

FILLED = {  # what an author writes, function by function
    "loop": "    s = x.dtype.type(0)\n    for term in x:\n        s = s + term\n    return s",
    "loop_compiled": "    s = x.dtype.type(0)\n    for i in range(x.size):\n        s += x[i]\n    return s",
    "library": "    return np.sum(x)",
    "exact": "    import math\n\n    return math.fsum(x.tolist())",
    "error": "    return abs(float(result) - truth) / float(np.abs(x).sum(dtype=np.float64))",
    "adverse": "    x = np.tile(rng.standard_normal(n // 2 + 1).astype(dtype), 2)[:n]\n"
    "    x[1::2] *= -1\n    x[0] = 1\n    return (x,)",
    "cost": "    return Cost(flops=x.size, bytes=x.nbytes)",
    "bound": "    from exp_core.tensor import gamma\n\n    return gamma(x.size, x)",
    "picture": "    axes = figure.subplots()\n    axes.plot(np.cumsum(x))\n    axes.set(title='A sum on its way')",
}


def fill_in(file):
    """Every blank: the functions by what is above, the words by others."""
    text = file.read_text(encoding="utf-8")
    for name, body in FILLED.items():
        text, count = re.subn(
            rf'(def {name}\(.*\):\n    """.*"""\n)    raise NotImplementedError\(".*"\)',
            lambda m, b=body: m[1] + b,
            text,
        )
        assert count == 1, name
    file.write_text(text.replace("FILL in ", "Here stands "), encoding="utf-8")


@pytest.fixture
def place(tmp_path, monkeypatch):
    project = tmp_path / "my-sums"
    project.mkdir()
    made = find_place("sums/total", project, ("qr",))
    write(made, "maths_exp")
    monkeypatch.syspath_prepend(project / "src")
    yield made
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_sums"]:
        del sys.modules[name]


def test_the_smallest_package_is_made(place):
    files = sorted(str(file.relative_to(place.project)) for file in place.project.rglob("*") if file.is_file())
    assert files == [
        "pyproject.toml",
        "src/my_sums/__init__.py",
        "src/my_sums/sums/__init__.py",
        "src/my_sums/sums/total.py",
        "tests/test_total.py",
    ]
    assert registered(place.project) == "my_sums"
    assert '"maths_exp.my_sums" = "my_sums"' in (place.project / "pyproject.toml").read_text()


def test_not_filled_in_it_is_refused_with_what_to_fill_in(place):
    (check,) = checks("my_sums")
    with pytest.raises(AssertionError) as refusal:
        check()
    said = str(refusal.value).splitlines()
    assert said[0] == "total.py has 22 blanks to fill in:"
    assert "line 3: Problem   FILL in what is wanted" in said[2]
    assert any("FILL in the textbook's loop" in line for line in said)


def test_filled_in_it_holds_the_contract(place):
    fill_in(place.file)
    found = checks("my_sums.sums.total", everywhere=True)
    assert len(found) > 40
    for check in found:
        if not check.missing():
            check()


def test_filled_in_wrongly_the_contract_says_where(place):
    fill_in(place.file)
    text = place.file.read_text(encoding="utf-8")
    place.file.write_text(text.replace("return np.sum(x)", "return np.sum(x[1:])"), encoding="utf-8")
    faults = []
    for check in checks("my_sums.sums.total"):
        try:
            check()
        except AssertionError as fault:
            faults.append((str(check), str(fault)))
    assert faults
    assert all("library" in name for name, _ in faults)
    assert any("library is wrong: error: error" in said for _, said in faults)


def test_a_second_experiment_joins_the_first_and_nothing_is_overwritten(place):
    before = place.file.read_text(encoding="utf-8")
    second = find_place("sums/mean", place.project, ())
    assert [file.name for file in write(second, "maths_exp")] == ["mean.py", "test_mean.py"]
    with pytest.raises(Refused, match=r"total\.py is there already, and is left as it is"):
        write(place, "maths_exp")
    assert place.file.read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("total", "is called TOPIC/NAME"),
        ("sums/", "is called TOPIC/NAME"),
        ("sums/Total", "in small letters"),
        ("sums/a b", "is called TOPIC/NAME"),
        ("../etc/passwd", "is called TOPIC/NAME"),
        ("sums/_total", "is called TOPIC/NAME"),
        ("sums/list", "is a word of Python or of the command line"),
        ("sums/lambda", "is a word of Python or of the command line"),
        ("sums/qr", "there is an experiment called 'qr' already"),
    ],
)
def test_names_that_do_not_go_are_refused(tmp_path, text, complaint):
    with pytest.raises(Refused, match=r"^[^\n]+$") as refusal:
        find_place(text, tmp_path, ("qr",))
    assert complaint in str(refusal.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("[project]\nname = 'x'\n", "registers no package: add"), ("what?", "cannot be read"), ("\x00", "cannot be read")],
)
def test_a_project_that_registers_nothing_is_told_how(tmp_path, content, complaint):
    (tmp_path / "pyproject.toml").write_text(content)
    with pytest.raises(Refused, match=complaint):
        find_place("sums/total", tmp_path, ())


def test_the_command_says_what_to_do_next(tmp_path):
    command = [sys.executable, "-m", "maths_exp", "new", "sums/total", "--package", "acme"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr
    assert "pip install -e 'acme[test]'" in done.stdout
    assert "python -m maths_exp total" in done.stdout
    again = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ, check=False)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert len(again.stderr.splitlines()) == 1
