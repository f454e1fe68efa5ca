"""What the README promises: its example is a working experiment, its commands are the ones that CI runs."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from exp_core.catalogue import Entry, read_catalogue
from exp_core.contestants import Contestant
from exp_core.ladder import climb
from exp_core.report.docstring import why_the_library_wins
from exp_core.request import Request

ROOT = Path(__file__).parent.parent
README_FILE = ROOT / "README.md"
README = README_FILE.read_text(encoding="utf-8")


@pytest.fixture
def example(tmp_path):
    """The experiment that the README shows, as a module."""
    (source,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "readme_example.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("readme_example", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["readme_example"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["readme_example"]


def test_the_example_is_an_experiment(example):
    experiment = example.EXPERIMENT
    entry = Entry("dot", "Dot product", "basics", "readme", "readme_example", Path(example.__file__))
    contestants = tuple(Contestant(i) for i in experiment.implementations)
    for dtype in experiment.dtypes:
        request = Request(entry, experiment, experiment.problems[0], {"n": 101}, dtype, contestants, budget_s=0.2)
        result = climb(request)
        assert [row.status for row in result.rows] == ["ok", "ok"]


def test_ci_runs_the_readme_s_test_command():
    (command,) = re.findall(r"^    (.*hatch test)\s+#", README, re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_option_in_the_tour_exists():
    import click

    from exp_core.cli.app import Application

    application = Application("maths_exp", ())
    context = click.Context(application)
    for name, words in re.findall(r"^    python -m maths_exp (\w+) (.*?)(?:   .*)?$", README, re.MULTILINE):
        command = application.get_command(context, name)
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[\w-]+", words)) <= known


# Its pictures


def test_its_pictures_are_there_for_light_and_dark_and_are_no_burden():
    """``python tests/portrait.py BOOK`` makes them again."""
    names = re.findall(r'(?:src|srcset)="([^"]*)"', README)
    assert sorted(Path(name).stem for name in names) == ["book_dark", "book_light"]
    for name in names:
        content = (ROOT / name).read_bytes()
        assert content.startswith(b"\x89PNG") and len(content) <= 150_000
    assert re.search(r'<img alt="[^"]{40,}"', README)


# Where the library wins

ENTRIES = [entry for command in ("maths_exp", "dl_exp") for entry in read_catalogue(command).entries.values()]
NAMES = {entry.name for entry in ENTRIES}


def published_losses(text):
    """The experiments of which a table publishes a ratio under 1, and those that are said to be slower somewhere.

    Where the table shows the ratio's interval, all of it is: what is not decided is no loss.
    """
    rows = re.findall(r"^(?: {4,}|\| )(\w+)\b[^×\n]* ([\d.]+)×(?:[ |]+[\d.]+–([\d.]+))?", text, re.MULTILINE)
    said = re.search(r"^Where we are slower than a library,.*?\n\n", text, re.MULTILINE | re.DOTALL)
    named = re.findall(r"`(\w+)`", said[0]) if said else []
    return NAMES & {*named, *(name for name, ratio, high in rows if float(high or ratio) < 1)}


def test_every_published_loss_is_explained_in_the_experiment_s_own_text():
    tables = [ROOT / package / "docs" / "every_problem.md" for package in ("maths_exp", "dl_exp")]
    losses = set().union(*(published_losses(path.read_text(encoding="utf-8")) for path in (README_FILE, *tables)))
    assert losses >= {"fft", "matmul", "autodiff", "svd"}
    assert losses <= {entry.name for entry in ENTRIES if why_the_library_wins(entry.docstring)}


@pytest.mark.parametrize(
    ("text", "losses"),
    [
        ("     stream    one_pass    0.98×   0.97–0.99   9%\n", {"stream"}),
        ("     stream    one_pass    1.02×   0.97–1.09   9%\n", set()),
        ("     stream    one_pass    0.98×   0.94–1.02   9%\n", set()),
        ("     stream    one_pass    0.98×               9%\n", {"stream"}),
        ("| qr | diabetes | tsqr | 0.81× | 0.78–0.83 |\n| qr | hilbert | tsqr | 4.7× | 1.8–13 |\n", {"qr"}),
        ("    softmax, 1 row   compiled    0.5×   0.4–0.6   mx.softmax\n", {"softmax"}),
        ("     ✓   householder    1.05 s    0.035×   2.6e-15\n", set()),
        ("Where we are slower than a library, it says so:\n`qr` in one\ndigit.\n\n`svd`", {"qr"}),
    ],
)
def test_a_published_loss_is_seen(text, losses):
    assert published_losses(text) == losses
