"""A skeleton of every experiment is a file that compiles, says what is wanted and gives nothing away."""

import ast
import inspect

import pytest

from exp_core.catalogue import read_catalogue
from exp_core.practise.described import described
from exp_core.practise.skeleton import skeleton

ENTRIES = {
    (command, e.name): e for command in ("maths_exp", "dl_exp") for e in read_catalogue(command).entries.values()
}
QUICK = ("qr", "primes", "quadrature", "kmeans", "softmax", "gpt", "autodiff", "peak_flops")


@pytest.mark.parametrize(("command", "name"), [key for key in ENTRIES if key[1] in QUICK])
def test_it_compiles_and_keeps_the_sources_to_itself(command, name):
    entry = ENTRIES[command, name]
    experiment = entry.load()
    text = skeleton(entry, experiment, f"python -m {command}", "mine.py")
    tree = ast.parse(text)
    assert name in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert all(len(line) <= 130 for line in text.splitlines())
    assert f"python -m {command} practise {name} --with mine.py:{name} --watch" in text
    assert text.count("# region Hint") == text.count("# endregion") == 3
    code = {line.strip() for line in text.splitlines() if not line.startswith("#")}
    for implementation in experiment.implementations:
        body = inspect.getsource(inspect.unwrap(implementation.function)).splitlines()[2:]
        assert not {line.strip() for line in body if len(line.strip()) > 30} & code


def test_shapes_have_the_names_of_the_sizes():
    known = described(ENTRIES["maths_exp", "qr"].load(), "maths_exp")
    assert known.inputs == ("float64 array (rows, cols)",)
    assert known.result == ("float64 array (rows, cols)", "float64 array (cols, cols)")
    known = described(ENTRIES["maths_exp", "kmeans"].load(), "maths_exp")
    assert known.inputs == ("float64 array (n, d)", "float64 array (k, d)", "int, such as 10")
    known = described(ENTRIES["maths_exp", "quadrature"].load(), "maths_exp")
    assert known.inputs[0] == "tuple of 8, each Integrand(f, p, a, b)"


def test_the_signature_is_that_of_our_own():
    entry = ENTRIES["maths_exp", "autodiff"]
    assert "def autodiff(f, x, *data):" in skeleton(entry, entry.load(), "python -m maths_exp", "a.py")
