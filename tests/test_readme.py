"""What the README promises: its example is a working experiment, its commands are the ones that CI runs."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from exp_core.catalogue import Entry
from exp_core.contestants import Contestant
from exp_core.ladder import climb
from exp_core.request import Request

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


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
