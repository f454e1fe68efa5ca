"""``practise NAME [FILE]``: write a skeleton; ``--with`` checks what became of it, ``--watch`` after each save."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from exp_core.catalogue import Catalogue, CatalogueError, Entry
from exp_core.cli.options import option
from exp_core.cli.practise_session import Session, checked
from exp_core.cli.practise_watch import watched
from exp_core.cli.readers import seconds_reader, whole_reader
from exp_core.cli.streams import say
from exp_core.experiment import Experiment
from exp_core.own import is_kernel, refused

HELP = """Write NAME yourself: a skeleton with its signature, its problem and hints to unfold; then have it checked.

\b
  {command} practise qr                            writes qr.py; a file there stays
  {command} practise qr --with qr.py               is it right? where not? how fast?
  {command} practise qr --with qr.py:qr --watch    again after each save, until Ctrl-C
"""
KERNELS = """
\b
  {command} practise softmax softmax.metal         a kernel's body (.cu: CUDA); the emulator checks it, no GPU needed
"""


def practise_command(catalogue: Catalogue, command: str, emulator: str) -> click.Command:
    """The verb.  command: ``python -m maths_exp``."""
    text = HELP + (KERNELS if emulator else "")
    options: list[click.Parameter] = [
        click.Argument(["name"]),
        click.Argument(["file"], required=False),
        click.Option(["--with", "with_"], metavar="FILE[:FUNCTION]", help="Check this function, and rank it."),
        click.Option(["--watch"], is_flag=True, help="Check it after each save, until Ctrl-C."),
        option("--budget", seconds_reader("--budget"), "SECONDS", "For the search, a call, and the ladder each.", "10"),
        option("--threads", whole_reader("--threads", 1), "NUMBER", "Threads for everybody.  [default: all cores]"),
    ]

    def run(name: str, file: str | None, with_: str | None, watch: bool, budget: float, threads: int | None) -> None:
        entry = find_entry(catalogue, name, command)
        try:
            experiment = entry.load()
        except CatalogueError as error:
            raise click.ClickException(str(error)) from error
        if with_ is None:
            if watch:
                raise click.UsageError("--watch needs a file to watch: add --with FILE.py")
            write_skeleton(entry, experiment, command, file or f"{entry.name}.py", emulator)
            return
        if file is not None:
            raise click.UsageError(f"either {file} is written or --with {with_} is checked: leave one out")
        full = with_ if ":" in with_ or is_kernel(with_, emulator) else f"{with_}:{entry.name}"
        session = Session(entry, experiment, command, full, budget, threads, emulator)
        click.get_current_context().exit(watched(session) if watch else checked(session))

    return click.Command("practise", params=options, callback=run, help=text.format(command=command))


def find_entry(catalogue: Catalogue, name: str, command: str) -> Entry:
    """The experiment of that name.  Raises click.UsageError with the nearest."""
    entry = catalogue.entries.get(name) or catalogue.entries.get(name.replace("-", "_"))
    if entry is None:
        near = catalogue.nearest(name)
        hint = f"did you mean {' or '.join(near)}?" if near else f"{command} lists them"
        raise click.UsageError(f"no experiment is called {name!r}; {hint}")
    return entry


def write_skeleton(entry: Entry, experiment: Experiment, command: str, file: str, emulator: str) -> None:
    """Write the file, if there is none.  Raises click.UsageError in one sentence."""
    from exp_core.practise.skeleton import skeleton

    path = Path(file)
    kernel = is_kernel(file, emulator)
    if not kernel and path.suffix != ".py":
        kinds = " or ".join((".py", *importlib.import_module(emulator).SUFFIXES)) if emulator else ".py"
        raise click.UsageError(f"{file}: a skeleton is a {kinds} file")
    if path.exists():
        with_ = file if kernel else f"{file}:{entry.name}"
        raise click.UsageError(
            f"{file} is there already, and is left as it is: name another file, or check it with --with {with_}"
        )
    if kernel:
        text: str = refused(importlib.import_module(emulator).kernel_skeleton, entry, experiment, command, file)
    else:
        text = skeleton(entry, experiment, command, file)
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise click.UsageError(f"{file} cannot be written: {error.strerror}") from error
    check = f"{command} practise {entry.name} --with {file}"
    say(f"written: {file}\nfill it in, then:  {check}  (or with --watch: after each save)")
