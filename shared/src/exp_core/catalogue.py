"""Which experiments exist: found in the folders of the registered packages, their titles read without importing them.

A package registers in its pyproject.toml, and the entry's name says whose catalogue it joins:

    [project.entry-points."exp_core.experiments"]
    maths_exp = "maths_exp"             # the package itself
    "maths_exp.acme" = "acme_numerics"  # a third party's package: its experiments are listed by python -m maths_exp

Topics are the package's folders, or those that its ``TOPICS`` names, and experiments their files; names that start
with an underscore are private.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exp_core.experiment import Experiment

GROUP = "exp_core.experiments"
# The verbs of the command line.
RESERVED = ("list", "practise", "new", "all", "machine", "history", "compare", "book", "completion", "help")
HEADINGS = ("Problem", "Idea", "Look for", "Source")
DOCSTRING = re.compile(r"""(?:\s|\#[^\n]*\n)*[rR]?("{3}|'{3})(?P<line>[^\n]*)""")


class CatalogueError(Exception):
    """The catalogue is contradictory, or an experiment cannot be loaded; the message names the files."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An experiment in the catalogue: what is known without importing it."""

    name: str
    title: str
    topic: str
    package: str
    module: str
    path: Path

    def load(self) -> Experiment:
        """Import the file and return its EXPERIMENT.  Raises CatalogueError with one sentence."""
        from exp_core.experiment import Experiment

        try:
            module = importlib.import_module(self.module)
        except (Exception, SystemExit) as error:  # whatever a third party's file raises must not end in a traceback
            raise CatalogueError(f"{self.path} cannot be imported: {type(error).__name__}: {error}") from error
        experiment = getattr(module, "EXPERIMENT", None)
        if not isinstance(experiment, Experiment):
            raise CatalogueError(f"{self.path} does not end with EXPERIMENT = Experiment(...)")
        return experiment

    @property
    def docstring(self) -> str:
        """The file's docstring, read without importing it; empty if there is none."""
        try:
            return printable(ast.get_docstring(ast.parse(self.path.read_text(encoding="utf-8"))) or "")
        except (OSError, SyntaxError, ValueError):
            return ""


@dataclass(frozen=True)
class Topic:
    """A folder of experiments."""

    name: str
    title: str
    package: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Catalogue:
    """All experiments that one command offers, by topic."""

    topics: tuple[Topic, ...]

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Every experiment by its name, in the order of the list."""
        return {entry.name: entry for topic in self.topics for entry in topic.entries}

    def nearest(self, name: str, also: Sequence[str] = ()) -> list[str]:
        """Names that a mistyped one may have meant, the likeliest first."""
        return difflib.get_close_matches(name.lower().replace("-", "_"), [*self.entries, *also], n=3, cutoff=0.5)


def read_catalogue(command: str) -> Catalogue:
    """The catalogue of a command: its own package's experiments, then those of the packages that joined it.

    Raises CatalogueError if two files have one name, or a file the name of a verb.
    """
    topics = [topic for package in _packages(command) for topic in read_package(package)]
    seen: dict[str, Entry] = {}
    for entry in (entry for topic in topics for entry in topic.entries):
        if entry.name in RESERVED:
            raise CatalogueError(f"{entry.path} has the name of the command {entry.name!r}: rename the file")
        if entry.name in seen:
            raise CatalogueError(f"two experiments are called {entry.name!r}: {seen[entry.name].path} and {entry.path}")
        seen[entry.name] = entry
    return Catalogue(tuple(topics))


def command_of(name: str) -> str:
    """Another installed command that has an experiment of this name; empty if none has, or its catalogue is broken."""
    import importlib.metadata

    points = importlib.metadata.entry_points(group=GROUP)
    for command in dict.fromkeys(point.name.partition(".")[0] for point in points):
        try:
            if name.replace("-", "_") in read_catalogue(command).entries:
                return command
        except CatalogueError:
            continue
    return ""


def read_title(path: Path) -> str:
    """The first line of a file's docstring without its full stop; a file that cannot be read says so in its place."""
    try:
        with path.open(encoding="utf-8") as file:
            match = DOCSTRING.match(file.read(4096))
    except (OSError, UnicodeDecodeError) as error:
        return f"(cannot be read: {error.__class__.__name__})"
    return printable(match["line"].rstrip().removesuffix('"""').rstrip(".")) if match else "(no docstring)"


def printable(text: str) -> str:
    """Text whose control characters are blanks, ends of line excepted: a file's words must not steer a terminal."""
    return "".join(character if character.isprintable() or character == "\n" else " " for character in text)


def _packages(command: str) -> list[str]:
    """The command's own package first: it is there even in a checkout that is not installed."""
    import importlib.metadata  # here, since it takes a fifth of the time in which help is there

    joined = [
        point.value
        for point in importlib.metadata.entry_points(group=GROUP)
        if point.name == command or point.name.startswith(command + ".")
    ]
    return list(dict.fromkeys([command, *sorted(joined)]))


def read_package(package: str) -> list[Topic]:
    """A package's topics: those of its ``TOPICS`` in that order if it names them, else every folder; none if absent."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return []
    root = Path(next(iter(spec.submodule_search_locations)))
    found: list[Topic] = []
    folders = sorted(child.name for child in root.iterdir() if child.is_dir() and child.name[0] not in "._")
    for folder in (root / name for name in _declared_topics(root / "__init__.py") or folders):
        entries = tuple(
            Entry(path.stem, read_title(path), folder.name, package, f"{package}.{folder.name}.{path.stem}", path)
            for path in sorted(folder.glob("*.py"))
            if not path.name.startswith("_")
        )
        if entries:
            title = read_title(folder / "__init__.py").partition(":")[0]
            found.append(Topic(folder.name, title, package, entries))
    return found


def _declared_topics(init: Path) -> tuple[str, ...]:
    """The value of ``TOPICS = (...)`` in a package's file, read without importing it."""
    try:
        body = ast.parse(init.read_text(encoding="utf-8")).body
    except (OSError, SyntaxError, ValueError):
        return ()
    for node in body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TOPICS":
            return tuple(str(name) for name in ast.literal_eval(node.value))
    return ()
