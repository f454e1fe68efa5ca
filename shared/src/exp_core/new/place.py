"""Where a new experiment goes: into the package of a project, which is made if there is none."""

from __future__ import annotations

import keyword
import tomllib
from dataclasses import dataclass
from pathlib import Path

from exp_core.catalogue import GROUP, RESERVED
from exp_core.new import template
from exp_core.refusal import Refused


@dataclass(frozen=True)
class Place:
    """The files of a new experiment.  project: the folder with pyproject.toml.  package: its import name."""

    project: Path
    package: str
    source: Path
    topic: str
    name: str

    @property
    def module(self) -> str:
        """How the experiment is imported."""
        return f"{self.package}.{self.topic}.{self.name}"

    @property
    def file(self) -> Path:
        """The experiment's file."""
        return self.source / self.topic / f"{self.name}.py"

    @property
    def test(self) -> Path:
        """Its test's file."""
        return self.project / "tests" / f"test_{self.name}.py"


def find_place(text: str, project: Path, known: tuple[str, ...]) -> Place:
    """``TOPIC/NAME`` in a project.  known: names that are taken.  Raises Refused."""
    topic, slash, name = text.partition("/")
    if not slash or not all(part.isidentifier() and part.islower() and part[0] != "_" for part in (topic, name)):
        raise Refused(f"a new experiment is called TOPIC/NAME in small letters, such as sums/dot, not {text!r}")
    if keyword.iskeyword(name) or keyword.iskeyword(topic) or name in RESERVED:
        raise Refused(f"{name!r} is a word of Python or of the command line: choose another name")
    if name in known:
        raise Refused(f"there is an experiment called {name!r} already: choose another name")
    package = registered(project) or project.resolve().name.replace("-", "_").replace(" ", "_").lower()
    if not package.isidentifier():
        raise Refused(
            f"the folder's name {project.resolve().name!r} is no name for a package: --package FOLDER gives another"
        )
    plain, inner = project / package, project / "src" / package
    return Place(project, package, plain if (plain / "__init__.py").exists() else inner, topic, name)


def registered(project: Path) -> str:
    """The package that a project's pyproject.toml registers; empty if there is no such file.  Raises Refused."""
    file = project / "pyproject.toml"
    if not file.exists():
        return ""
    try:
        plain = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{file} cannot be read: {error}") from error
    points = plain.get("project", {}).get("entry-points", {}).get(GROUP, {})
    if not points:
        raise Refused(
            f'{file} registers no package: add  [project.entry-points."{GROUP}"]  with a line  '
            f'"maths_exp.yours" = "your_package"'
        )
    return str(next(iter(points.values())))


def write(place: Place, command: str) -> list[Path]:
    """Write what is not there yet; the files written.  Raises Refused where the experiment or its test is there."""
    for file in (place.file, place.test):
        if file.exists():
            raise Refused(f"{file} is there already, and is left as it is: choose another name")
    title = place.name.replace("_", " ").capitalize()
    words = {
        "title": title,
        "module": place.module,
        "command": command,
        "package": place.package,
        "project": place.package.replace("_", "-"),
    }
    topic = place.topic.replace("_", " ").capitalize()
    contents = {
        place.project / "pyproject.toml": template.PROJECT.format(**words),
        place.source / "__init__.py": template.PACKAGE,
        place.source / place.topic / "__init__.py": template.TOPIC.format(title=topic),
        place.file: template.EXPERIMENT.format(**words),
        place.test: template.TEST.format(**words),
    }
    written: list[Path] = []
    try:
        for file, text in contents.items():
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
                written.append(file)
    except OSError as error:
        raise Refused(f"{error.filename} cannot be written: {error.strerror}") from error
    return written
