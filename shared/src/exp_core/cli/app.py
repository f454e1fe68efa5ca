"""The application: verbs, and one command for every experiment, made from its signature when it is asked for."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import click

from exp_core import __version__
from exp_core.catalogue import RESERVED, Catalogue, CatalogueError, command_of, read_catalogue
from exp_core.cli.list import print_list

HELP = """Climb the ladder of an algorithm: from the textbook's loop to the limit of the hardware.

\b
  {command}                     the catalogue, by topic
  {command} NAME                its ladder: checked, timed, ranked
  {command} NAME --help         its sizes, problems and options
  {command} NAME --explain      the idea, the formulas, the sources
  {command} practise NAME       write it yourself, have it checked
  {command} new TOPIC/NAME      an experiment of your own
  {command} all                 every ladder, and the scoreboard
  {command} history [NAME]      what was measured before, over time
  {command} compare A B         two stored runs, side by side
  {command} book [FOLDER]       all of it as web pages, offline
  {command} machine             what this machine can do at best
  {command} completion SHELL    completion for bash, zsh or fish
"""


class ReaderGone(Exception):
    """A pipe was closed at its other end; not an OSError, of which click would make an exit code of its own."""


class Application(click.Group):
    """A group whose experiments are found in the catalogue."""

    def __init__(self, package: str, devices: tuple[str, ...], emulator: str = "") -> None:
        version = click.Option(
            ["--version"], is_flag=True, is_eager=True, expose_value=False, help="Show the versions."
        )
        version.callback = self.version
        super().__init__(
            name=package,
            help=HELP.format(command=f"python -m {package}"),
            invoke_without_command=True,
            callback=self.start,
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
            params=[version],
        )
        self.package = package
        self.devices = devices
        self.emulator = emulator

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        """As every group does.  Raises ReaderGone: help may be longer than what is read of it."""
        with _reader_watched():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """As every group does.  Raises ReaderGone."""
        with _reader_watched():
            return super().invoke(ctx)

    @property
    def catalogue(self) -> Catalogue:
        """What this command offers.  Raises click.ClickException if it contradicts itself."""
        try:
            return read_catalogue(self.package)
        except CatalogueError as error:
            raise click.ClickException(str(error)) from error

    def start(self) -> None:
        """Without a verb: the list."""
        if click.get_current_context().invoked_subcommand is None:
            self.print_list()

    def print_list(self) -> None:
        """The catalogue by topic."""
        print_list(self.catalogue, self.package)

    def version(self, context: click.Context, _: click.Parameter, wanted: bool) -> None:
        """The versions of the package and of the core."""
        if wanted and not context.resilient_parsing:
            import importlib.metadata

            try:
                own = importlib.metadata.version(self.package)
            except importlib.metadata.PackageNotFoundError:
                own = "from a checkout"
            click.echo(f"{self.package} {own}, exp_core {__version__}, Python {sys.version.split()[0]}")
            context.exit()

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs and the experiments, for completion."""
        return [*RESERVED, *self.catalogue.entries]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Help stands above: the verbs are in it, and the list names the experiments with their titles."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A verb, or an experiment's command."""
        if cmd_name == "all":
            from exp_core.cli.all import all_command

            return all_command(self.catalogue, self.devices)
        if cmd_name == "machine":
            from exp_core.cli.machine import machine_command

            return machine_command()
        if cmd_name == "history":
            from exp_core.cli.history import history_command

            return history_command(self.catalogue)
        if cmd_name == "compare":
            from exp_core.cli.compare import compare_command

            return compare_command(self.catalogue)
        if cmd_name == "book":
            from exp_core.cli.book import book_command

            return book_command(self.package)
        if cmd_name == "practise":
            from exp_core.cli.practise import practise_command

            return practise_command(self.catalogue, f"python -m {self.package}", self.emulator)
        if cmd_name == "new":
            from exp_core.cli.new import new_command

            return new_command(self.catalogue, self.package)
        if cmd_name == "completion":
            from exp_core.cli.completion import completion_command

            return completion_command(self, self.package)
        if cmd_name == "list":
            return click.Command("list", callback=self.print_list, help="The catalogue, by topic.")
        if cmd_name == "help":
            return click.Command("help", callback=lambda: click.echo(ctx.get_help()), help="Show this help.")
        entry = self.catalogue.entries.get(cmd_name) or self.catalogue.entries.get(cmd_name.replace("-", "_"))
        if entry is None:
            return None
        from exp_core.cli.climb import climb_command

        return climb_command(entry, self.devices, self.emulator)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A name that is not there: say which ones are near."""
        name = args[0]
        if self.get_command(ctx, name) is None:
            near = self.catalogue.nearest(name, also=RESERVED)
            hint = f"did you mean {' or '.join(near)}?" if near else f"python -m {self.package} lists them"
            if other := command_of(name):
                hint = f"python -m {other} {name} has it"
            raise click.UsageError(f"no experiment is called {name!r}; {hint}")
        return super().resolve_command(ctx, args)


@contextlib.contextmanager
def _reader_watched() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error
