"""What exists: found by looking, never by importing."""

import importlib.util
import sys
from pathlib import Path

import pytest

from exp_core.catalogue import RESERVED, CatalogueError, read_catalogue, read_title

GOOD = '"""Good: an experiment."""\nraise SystemExit("imported")\n'


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of a third party, joined to the command ``acme_exp`` by an entry point."""

    def write(**files):
        root = tmp_path / "acme_exp"
        for name, text in files.items():
            path = root / name.replace("__", "/", 1)
            path = path.with_name(path.name + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        (root / "__init__.py").touch()
        for topic in {path.parent for path in root.glob("*/*.py")}:
            (topic / "__init__.py").write_text(f'"""{topic.name.title()}: a topic."""')
        monkeypatch.syspath_prepend(tmp_path)
        return root

    yield write
    for name in [name for name in sys.modules if name.startswith(("acme_exp", "joined"))]:
        del sys.modules[name]


def test_our_own_experiments_are_there():
    catalogue = read_catalogue("maths_exp")
    assert [topic.name for topic in catalogue.topics][:2] == ["basics", "linear_algebra"]
    assert catalogue.entries["summation"].title.startswith("Summation: ")
    assert catalogue.entries["summation"].load().problems


def test_titles_are_read_without_importing(package):
    package(basics__good=GOOD, basics___private='"""Private."""')
    entries = read_catalogue("acme_exp").entries
    assert {name: entry.title for name, entry in entries.items()} == {"good": "Good: an experiment"}
    assert "acme_exp.basics.good" not in sys.modules


def test_a_third_party_joins_through_an_entry_point(package, tmp_path):
    package(basics__good=GOOD)
    joined = tmp_path / "joined" / "extras"
    joined.mkdir(parents=True)
    (tmp_path / "joined" / "__init__.py").touch()
    (joined / "__init__.py").write_text('"""Extras: more."""')
    (joined / "theirs.py").write_text('"""Theirs: another."""')
    info = tmp_path / "joined-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: joined\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[exp_core.experiments]\nacme_exp.joined = joined\nother_exp = joined\n")
    catalogue = read_catalogue("acme_exp")
    assert list(catalogue.entries) == ["good", "theirs"]
    assert catalogue.entries["theirs"].module == "joined.extras.theirs"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("x = (\n", "(no docstring)"),
        (b"\xff\xfe\x00", "(cannot be read: UnicodeDecodeError)"),
        ("", "(no docstring)"),
        (" " * 10_000, "(no docstring)"),
        ("# a comment\n\n'''Single: quotes.\n\nMore.'''", "Single: quotes"),
        ('r"""Raw: $\\alpha$."""', "Raw: $\\alpha$"),
    ],
)
def test_a_broken_file_never_breaks_the_list(package, text, title):
    package(basics__broken=text, basics__good=GOOD)
    entries = read_catalogue("acme_exp").entries
    assert entries["broken"].title == title
    assert entries["good"].title == "Good: an experiment"


def test_a_broken_file_says_so_when_it_is_asked_for(package):
    package(basics__good='"""Good."""\nimport no_such_module', basics__bare='"""Bare: nothing here."""')
    entries = read_catalogue("acme_exp").entries
    with pytest.raises(CatalogueError, match=r"good.py cannot be imported: ModuleNotFoundError: .*no_such_module"):
        entries["good"].load()
    with pytest.raises(CatalogueError, match=r"bare.py does not end with EXPERIMENT"):
        entries["bare"].load()


def test_two_files_of_one_name_are_an_error_that_names_both(package):
    root = package(basics__twin=GOOD, algorithms__twin=GOOD)
    with pytest.raises(CatalogueError) as error:
        read_catalogue("acme_exp")
    assert str(root / "basics" / "twin.py") in str(error.value)
    assert str(root / "algorithms" / "twin.py") in str(error.value)


@pytest.mark.parametrize("name", RESERVED)
def test_a_verb_is_no_name_for_an_experiment(package, name):
    package(**{f"basics__{name}": GOOD})
    with pytest.raises(CatalogueError, match=f"{name}.py has the name of the command '{name}'"):
        read_catalogue("acme_exp")


def test_a_missing_title_file(tmp_path):
    assert read_title(tmp_path / "nowhere.py") == "(cannot be read: FileNotFoundError)"


def test_declared_topics_are_all_in_their_order(package):
    root = package(one__a=GOOD, tools__b=GOOD, three__c=GOOD)
    (root / "__init__.py").write_text('TOPICS = ("three", "none", "one")')
    assert [topic.name for topic in read_catalogue("acme_exp").topics] == ["three", "one"]


@pytest.mark.parametrize("command", ["maths_exp", "dl_exp"])
def test_no_experiment_of_ours_is_forgotten(command):
    """A folder that TOPICS does not name is not looked at."""
    root = Path(importlib.util.find_spec(command).submodule_search_locations[0])
    written = {path.stem for path in root.rglob("*.py") if "\nEXPERIMENT = " in path.read_text(encoding="utf-8")}
    assert written == set(read_catalogue(command).entries)
