"""Readers of an option's words: bad values are refused in one sentence, before work starts."""

from __future__ import annotations

import ast
import math
import operator
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from exp_core import refusal
from exp_core.experiment import Size
from exp_core.refusal import shortened

STANDARD_OUTPUT = Path("-")
LARGEST = 2**62  # beyond it no index of an array can reach
ARITHMETIC = {ast.Pow: operator.pow, ast.Mult: operator.mul, ast.Add: operator.add, ast.Sub: operator.sub}


def size_reader(size: Size) -> Callable[[str], float]:
    """Reads a size: ``1000``, ``1_000``, ``1e6`` and ``2**20`` all work; integers are at least 1."""

    def read(text: str) -> float:
        label = f"--{size.name}"
        try:
            number = evaluate(text)
        except (ValueError, SyntaxError, OverflowError, MemoryError, RecursionError):
            raise click.UsageError(f"{label} takes a number such as 1000, 1e6 or 2**20, not {text!r}") from None
        return number if size.type is float else whole(label, number, text, 1)

    return read


def whole_reader(label: str, least: int) -> Callable[[str], int]:
    """Reads a whole number that is not too small."""

    def read(text: str) -> int:
        try:
            number = evaluate(text)
        except (ValueError, SyntaxError, OverflowError, MemoryError, RecursionError):
            raise click.UsageError(f"{label} takes a whole number, not {text!r}") from None
        return whole(label, number, text, least)

    return read


def seconds_reader(label: str) -> Callable[[str], float]:
    """Reads a positive, finite time."""

    def read(text: str) -> float:
        try:
            seconds = float(text)
        except ValueError:
            raise click.UsageError(f"{label} takes seconds, such as 10, not {text!r}") from None
        if not (math.isfinite(seconds) and seconds > 0):
            raise click.UsageError(f"{label} must be a positive number of seconds, not {text}")
        return seconds

    return read


def output_reader(label: str, *, dash: bool = True, suffixes: tuple[str, ...] = ()) -> Callable[[str], Path]:
    """Reads a path that can be written, or ``-`` for standard output where that makes sense."""

    def read(text: str) -> Path:
        path = Path(text)
        if dash and path == STANDARD_OUTPUT:
            return path
        if suffixes and path.suffix.removeprefix(".").lower() not in suffixes:
            raise click.UsageError(f"{label} writes {', '.join(suffixes)}, not {path.name!r}")
        try:
            os.fsencode(path)
            if path.is_dir():
                raise click.UsageError(f"{label} {path} is a folder: name a file in it")
            if not text or "\0" in text:
                raise click.UsageError(f"{label} takes the name of a file, not {text!r}")
            if path.exists() and not os.access(path, os.W_OK):
                raise click.UsageError(f"{label} {path} cannot be written: it is read-only")
            tempfile.TemporaryFile(dir=path.parent).close()
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "the system's encoding has no such characters"
            raise click.UsageError(f"{label} {shortened(str(path))} cannot be written: {why}") from error
        return path

    return read


class Folder(click.Path):
    """A folder, there or to be made, as a ``Path``; what can be no name of one is refused in one sentence."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: str | Path, parameter: click.Parameter | None, context: click.Context | None) -> Path:  # type: ignore[override]
        try:
            os.fsencode(value)
            path = Path(value).expanduser()
            path.exists()
            return Path(super().convert(path, parameter, context))  # type: ignore[arg-type]
        except OSError as error:
            raise click.UsageError(f"the folder {shortened(str(value))} cannot be used: {error.strerror}") from error
        except (RuntimeError, ValueError) as error:  # of a user that is not there; a name that the system cannot spell
            raise click.UsageError(f"no folder can be called {shortened(ascii(str(value)))}") from error


def names_reader(what: str, names: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """Reads names from a known set, separated by commas."""
    known = tuple(names)

    def read(text: str) -> tuple[str, ...]:
        chosen = tuple(name.strip() for name in text.split(",") if name.strip()) or (text,)
        return tuple(one_of(what, name, known) for name in chosen)

    return read


def name_reader(what: str, names: Iterable[str]) -> Callable[[str], str]:
    """Reads one name from a known set; a wrong one is answered with the nearest."""
    known = tuple(names)
    return lambda text: one_of(what, text, known)


def whole(label: str, number: float, text: str, least: int) -> int:
    """The number as an integer.  Raises click.UsageError if it is none, too small or too large to index anything."""
    if number != int(number):
        raise click.UsageError(f"{label} takes a whole number, not {text}")
    if not least <= number <= LARGEST:
        raise click.UsageError(f"{label} must be at least {least} and at most 2**62, not {text}")
    return int(number)


def evaluate(text: str) -> float:
    """A number, or powers, products and sums of whole numbers.  Raises ValueError or SyntaxError for anything else."""

    def value(node: ast.expr) -> float:
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return float(node.value) if isinstance(node.value, float) else int(str(node.value))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -value(node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            left, right = value(node.left), value(node.right)
            if isinstance(node.op, ast.Pow) and (abs(left) > LARGEST or abs(right) > 64):
                raise OverflowError(text)
            try:
                found = ARITHMETIC[type(node.op)](left, right)
            except ZeroDivisionError:  # 0**-1
                raise ValueError(text) from None
            if isinstance(found, (int, float)):  # (-8)**0.5 is neither
                return found
        raise ValueError(text)

    number = value(ast.parse(text.strip(), mode="eval").body)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def one_of(what: str, name: str, names: tuple[str, ...]) -> str:
    """The name if it is one of these.  Raises click.UsageError with the nearest, or all: readers may use it."""
    try:
        return refusal.one_of(what, name, names)
    except refusal.Refused as error:  # a ValueError, of which click would make a sentence of its own
        raise click.UsageError(str(error)) from error
