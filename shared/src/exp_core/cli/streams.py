"""The standard streams and signals as a program must find them, whatever its caller has left of them."""

from __future__ import annotations

import codecs
import contextlib
import os
import signal
import sys
import threading
import unicodedata
from types import FrameType

import click

from exp_core.catalogue import printable

# What a table means must be told apart without our signs too; each is as wide as what it stands for.
PLAIN = {
    "✓": "+", "✗": "x", "×": "x", "–": "-", "—": "-", "≤": "<", "≥": ">", "…": "~", "µ": "u", "μ": "u", "±": "+",
    "·": "*",
    "√": "v", "∞": "8", "−": "-", "→": ">", "─": "-", "│": "|", "━": "-", "’": "'", "‖": "|", "∑": "S", "Σ": "S",
}  # fmt: skip
AGAIN_S = 0.02  # by then the call that swallowed an interrupt is over
HANDLER = "exp_core.plain"
HANG_UP = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def open_streams() -> None:
    """Make all three streams fit to be used: open ones, and able to write every character in some way.

    A closed one (``>&-``) gets the null device: else the next file that is opened takes its number, and whatever a
    library prints goes into that file.  A character that the encoding lacks is written as its nearest plain one.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            with contextlib.suppress(OSError):
                _occupy(number)
            setattr(sys, name, open(os.devnull, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115
        elif number and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=HANDLER)


def say(text: str) -> None:
    """Say something on standard output; it steers no terminal."""
    click.echo(printable(text))


def tell(sentence: str) -> None:
    """Say something on standard error, beside what the program is asked for; it steers no terminal."""
    click.echo(printable(sentence), err=True)


def give(text: str) -> None:
    """Write a document to standard output as it would be in a file: in UTF-8, whatever the terminal speaks."""
    click.echo(text.encode("utf-8", "backslashreplace"), nl=False)


def end_streams() -> None:
    """Let go of streams that can be written no more: Python would complain of them once more when it ends."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, number)
                os.close(nowhere)


def end_as_by_ctrl_c() -> None:
    """Let SIGTERM and SIGHUP end a run as Ctrl-C does: what is known is printed and stored, a training run saved.

    Once: those that follow must not interrupt the saving.  A signal that the caller ignores (nohup) stays ignored, and
    what mlx.launch has started it ends without a word: another process has said why.
    """
    if "MLX_RANK" in os.environ:
        return
    for number in HANG_UP:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _interrupt)


def keep_interrupts() -> None:
    """Let no Ctrl-C be lost: what is raised while LLVM calls Python back goes no further, and is raised once more."""
    usual = sys.unraisablehook

    def unraisable(lost: sys.UnraisableHookArgs) -> None:
        if isinstance(lost.exc_value, KeyboardInterrupt):
            again = threading.Timer(AGAIN_S, _interrupt_the_main_thread)
            again.daemon = True
            again.start()
        else:
            usual(lost)

    sys.unraisablehook = unraisable


def end_at_once() -> None:
    """All is done: from here on a signal ends the process without a word."""
    for number in (signal.SIGINT, *HANG_UP):
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)


def plain(text: str) -> str:
    """Text in ASCII that means the same where there are signs for it, and ``?`` for what has none."""
    return "".join(character if character.isascii() else _plain(character) for character in text)


def _plain(character: str) -> str:
    if found := PLAIN.get(character):
        return found
    parts = (PLAIN.get(part, part if part.isascii() else "") for part in unicodedata.normalize("NFKD", character))
    return "".join(parts) or "?"


def _replace(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return plain(error.object[error.start : error.end]), error.end


def _interrupt(number: int, frame: FrameType | None) -> None:
    for each in HANG_UP:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _interrupt_the_main_thread() -> None:
    import ctypes

    main = ctypes.c_ulong(threading.main_thread().ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(main, ctypes.py_object(KeyboardInterrupt))


def _occupy(number: int) -> None:
    """Open the null device under this number, if nothing is."""
    try:
        os.fstat(number)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number, inheritable=True)
            os.close(nowhere)
        else:
            os.set_inheritable(number, True)


codecs.register_error(HANDLER, _replace)
