"""``list``, and what the command does without a verb: the catalogue by topic.  No heavy import: it answers at once."""

from __future__ import annotations

import shutil
import sys

import click

from exp_core.catalogue import Catalogue


def print_list(catalogue: Catalogue, command: str) -> None:
    """A line an experiment; on a terminal a long title is cut at its edge, in a pipe nothing is."""
    width = max((len(name) for name in catalogue.entries), default=0)
    room = shutil.get_terminal_size().columns - width - 4 if sys.stdout.isatty() else sys.maxsize
    for topic in catalogue.topics:
        click.secho(topic.title, bold=True)
        for entry in topic.entries:
            title = entry.title if len(entry.title) <= room else entry.title[: max(room - 1, 0)] + "…"
            click.echo(f"  {click.style(f'{entry.name:{width}}', fg='cyan')}  {title}")
    click.echo(f"\npython -m {command} NAME climbs a ladder; NAME --explain tells the idea; --help lists the rest")
