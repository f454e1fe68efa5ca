"""From the words of a command line to an exit code, and one sentence, whatever happens."""

from __future__ import annotations

import contextlib
import difflib
import errno
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from exp_core import beneath_mlx
from exp_core.catalogue import printable
from exp_core.cli import streams
from exp_core.cli.app import Application, ReaderGone
from exp_core.cli.errors import EXIT_INTERRUPTED, EXIT_MISSING, EXIT_RIGHT, EXIT_USAGE
from exp_core.refusal import Missing, Refused

# What writing to a standard stream can meet: no room, a quota, a limit, a terminal that is gone, a stream for reading.
UNWRITABLE = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG, errno.EIO, errno.EBADF})


def main(
    command: str, devices: tuple[str, ...] = (), args: Sequence[str] | None = None, *, emulator: str = ""
) -> NoReturn:
    """Run the command line and end the process with its exit code.

    devices: those it has flags for.     emulator: the module that stands in for those that are not here.
    0 right; 1 an implementation was wrong; 2 usage, or no room for what was asked; 3 a required device or extra is
    missing; 130 interrupted.
    """
    if args is None:  # a process of our own
        streams.end_as_by_ctrl_c()
        streams.keep_interrupts()
    streams.open_streams()
    code = _run(command, devices, args, emulator)
    streams.end_streams()
    if args is None:
        streams.end_at_once()
    sys.exit(code)


def _run(command: str, devices: tuple[str, ...], args: Sequence[str] | None, emulator: str) -> int:
    """Whatever happens: an exit code, and one sentence."""
    beneath_mlx.prepare()
    application = Application(command, devices, emulator)
    variable = f"_{command.upper()}_COMPLETE"
    name = command if variable in os.environ else f"python -m {command}"
    try:
        code = application.main(args, prog_name=name, complete_var=variable, standalone_mode=False, color=_colour())
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        code = done.exit_code
    except Missing as error:
        return _say(command, str(error), EXIT_MISSING)
    except Refused as error:
        return _say(command, str(error), EXIT_USAGE)
    except click.ClickException as error:
        return _say(command, _sentence(error), EXIT_USAGE)
    except (KeyboardInterrupt, click.Abort):
        return _say(command, "interrupted", EXIT_INTERRUPTED)
    except (BrokenPipeError, ReaderGone):  # the reader has seen enough, as in `| head`
        return EXIT_RIGHT
    except MemoryError:
        return _say(command, "the memory does not suffice: choose smaller sizes, or give it more", EXIT_USAGE)
    except OSError as error:
        if error.errno not in UNWRITABLE or error.filename is not None:
            raise
        return _say(command, f"standard output could not be written: {error.strerror}", EXIT_USAGE)
    return code if isinstance(code, int) else EXIT_RIGHT


def _sentence(error: click.ClickException) -> str:
    """Its message; where that is click's own, of something missing or too much, with the help that tells more."""
    if isinstance(error, click.NoSuchOption):
        near = difflib.get_close_matches(error.option_name, error.possibilities or (), n=1)
        hint = (
            f"did you mean {near[0]}?" if near else f"{error.ctx.command_path if error.ctx else ''} --help lists them"
        )
        return f"no option is called {error.option_name!r}; {hint}"
    message = error.format_message()
    ours = not isinstance(error, click.MissingParameter) and not message.startswith("Got unexpected extra")
    context = error.ctx if isinstance(error, click.UsageError) else None
    if ours or context is None:
        return message
    return f"{message[:1].lower()}{message[1:].rstrip('.')}; {context.command_path} --help shows what it takes"


def _colour() -> bool | None:
    """No colours for who asks for none, or has a terminal without them; else click decides (no-color.org)."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") in ("dumb", "unknown") else None


def _say(command: str, sentence: str, code: int) -> int:
    with contextlib.suppress(OSError):
        click.echo(f"{command}: {' '.join(printable(sentence).split())}", err=True)
    return code
