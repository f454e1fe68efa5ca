"""A hash that sees what an implementation is made of, and nothing else."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from exp_core.catalogue import Entry
from exp_core.contestants import Contestant
from exp_core.experiment import Cost, Implementation
from exp_core.history import revision
from exp_core.history.module import read_module
from exp_core.history.source import source_hashes
from exp_core.request import Request

FILES = {
    "__init__.py": "",
    "topic/__init__.py": "",
    "topic/_helper.py": "SCALE = 2\nUNUSED = 5\n\ndef scale(x):\n    return SCALE * x\n\ndef unused(x):\n"
    "    return UNUSED\n",
    "topic/_table.py": "from .._base import base\nTABLE = {}\nfor k in range(3):\n    TABLE[k] = base(k)\n",
    "_base.py": "def base(k):\n    return k\n",
    "topic/algorithm.py": "import math\nfrom {package}.topic import _helper as helper\n"
    "from {package}.topic._table import TABLE\n"
    "\ndef one(x):\n    return helper.scale(x)\n"
    "\ndef two(x):\n    from {package}._base import base\n    return base(x) + math.pi\n"
    "\ndef three(x):\n    return TABLE[x]\n"
    "\ndef made(f):\n    def inner(x):\n        return f(x)\n    return inner\n"
    "\ndef plain(x):\n    return x\n\nfour = made(plain)\nfour.__name__ = 'four'\n",
}  # fmt: skip


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package, and a function that hashes its implementations after an edit to one of its files."""
    monkeypatch.syspath_prepend(str(tmp_path))
    count = 0

    def hashes(file="", old="", new=""):
        nonlocal count
        count += 1
        name = f"pack{count}"
        for path, text in FILES.items():
            text = text.replace(old, new) if path == file else text
            place = tmp_path / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text.replace("{package}", "pack"))
        # the module's name is part of the hash: it must be the same each time
        link = tmp_path / "pack"
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / name)
        for loaded in [m for m in sys.modules if m.partition(".")[0] == "pack"]:
            del sys.modules[loaded]
        importlib.invalidate_caches()
        read_module.cache_clear()
        module = importlib.import_module("pack.topic.algorithm")
        made = [
            Implementation(getattr(module, f), "vectorised", cost=lambda *_: Cost(), bound=lambda *_: 0.0)
            for f in ("one", "two", "three", "four")
        ]
        entry = Entry("algorithm", "", "topic", "pack", "pack.topic.algorithm", link / "topic" / "algorithm.py")
        request = Request(entry, None, None, {}, "float64", tuple(map(Contestant, made)))
        return source_hashes(request)

    yield hashes
    read_module.cache_clear()


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("topic/algorithm.py", "helper.scale(x)", "helper.scale(x) + 0", {"one"}),
        ("topic/_helper.py", "SCALE * x", "x * SCALE", {"one"}),
        ("topic/_helper.py", "SCALE = 2", "SCALE = 3", {"one"}),
        ("topic/_helper.py", "UNUSED = 5", "UNUSED = 6", set()),
        ("topic/_table.py", "range(3)", "range(4)", {"three"}),
        ("_base.py", "return k", "return +k", {"two", "three"}),
        ("topic/algorithm.py", "return f(x)", "return +f(x)", {"four"}),
        ("topic/algorithm.py", "def plain(x):\n    return x", "def plain(x):\n    return +x", {"four"}),
        ("topic/algorithm.py", "math.pi", "math.e", {"two"}),
        ("topic/__init__.py", "", "# a comment", set()),
    ],
)
def test_an_edit_changes_the_hash_of_those_who_use_it(package, file, old, new, changed):
    before, after = package(), package(file, old, new) if old else package()
    assert {name for name in before if before[name] != after[name]} == changed


def test_every_experiment_s_implementations_are_told_apart(monkeypatch):
    from exp_core.catalogue import read_catalogue

    entry = read_catalogue("maths_exp").entries["summation"]
    experiment = entry.load()
    contestants = tuple(map(Contestant, experiment.implementations))
    found = source_hashes(Request(entry, experiment, experiment.problems[0], {}, "float64", contestants))
    assert set(found) == {i.name for i in experiment.implementations}
    assert len(set(found.values())) == len(found)


def git(folder, *arguments):
    names = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    pytest.importorskip("shutil").which("git") or pytest.skip("there is no git")
    file = tmp_path / "repo" / "src" / "package" / "topic" / "algorithm.py"
    file.parent.mkdir(parents=True)
    file.write_text("x = 1\n")
    revision._state.cache_clear()
    yield file
    revision._state.cache_clear()


def test_the_revision_is_that_of_the_checkout(checkout):
    root = checkout.parents[3]
    assert revision.revision_of(checkout) == revision.State()
    git(root, "init", "-q")
    assert revision.revision_of(checkout) == revision.State()  # no commit yet
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    revision._state.cache_clear()
    clean = revision.revision_of(checkout)
    assert len(clean.revision) == 40
    assert clean.dirty is False
    assert revision.resolve("HEAD", root) == clean.revision
    assert revision.resolve("no-such-branch", root) is None
    (root / "notes.txt").write_text("not what is run")
    revision._state.cache_clear()
    assert revision.revision_of(checkout) == clean
    checkout.with_name("new.py").write_text("y = 1\n")
    revision._state.cache_clear()
    assert revision.revision_of(checkout) == revision.State(clean.revision, True)


def test_an_installed_copy_belongs_to_no_checkout(checkout):
    root = checkout.parents[3]
    git(root, "init", "-q")
    copy = root / ".venv" / "lib" / "site-packages" / "package" / "topic" / "algorithm.py"
    copy.parent.mkdir(parents=True)
    copy.write_text("x = 1\n")
    assert revision.revision_of(copy) == revision.State()


def test_without_git_nothing_is_known(checkout, monkeypatch):
    git(checkout.parents[3], "init", "-q")
    monkeypatch.setenv("PATH", "")
    assert revision.revision_of(checkout) == revision.State()
