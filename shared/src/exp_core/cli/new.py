"""``new TOPIC/NAME``: the file of a new experiment, its test, and a package around them if there is none."""

from __future__ import annotations

from pathlib import Path

import click

from exp_core.catalogue import Catalogue
from exp_core.cli.readers import Folder
from exp_core.cli.streams import say


def new_command(catalogue: Catalogue, package: str) -> click.Command:
    """The verb."""

    def run(name: str, project: Path) -> None:
        from exp_core.new.place import find_place, write

        place = find_place(name, project, tuple(catalogue.entries))
        is_first = not (project / "pyproject.toml").exists()
        for file in write(place, package):
            say(f"written: {file}")
        say(f"\nfill in what is marked FILL in {place.file} and {place.test}, then:")
        if is_first:
            say(f"  pip install -e '{project}[test]'")
        say(f"  pytest {place.test}")
        say(f"  python -m {package} {place.name}")

    return click.Command(
        "new",
        params=[
            click.Argument(["name"], metavar="TOPIC/NAME"),
            click.Option(
                ["--package", "project"],
                type=Folder(),
                default=Path(),
                metavar="FOLDER",
                help="The project that it goes into, a new one if it has no pyproject.toml.  [default: this folder]",
            ),
        ],
        callback=run,
        help="Make a new experiment: a file with blanks, and a test that says what is still missing.",
    )
