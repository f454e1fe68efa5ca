"""What all parts of an experiment speak of: rungs, kinds of problems, arrays, and why something is not run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

Rung = Literal["textbook", "vectorised", "compiled", "kernel", "distributed", "library"]
Kind = Literal["ordinary", "hard", "real"]
Arrays = Literal["numpy", "mlx", "dask"]
Inputs = tuple[object, ...]

RUNGS: tuple[Rung, ...] = get_args(Rung)


class ContractError(ValueError):
    """An experiment is not put together as the contract says; the message names the part."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Why something is not run here, and what mends it (a command or a changed option; empty if nothing does)."""

    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}" if self.remedy else self.reason


def modules_for(rung: Rung, arrays: Arrays, requires: tuple[str, ...]) -> tuple[str, ...]:
    """Every module that must be importable for code of this rung on such arrays that requires these to run."""
    numba = ("numba",) if rung == "compiled" and arrays == "numpy" else ()
    theirs = () if arrays == "numpy" else (arrays,)
    return tuple(dict.fromkeys((*numba, *theirs, *requires)))


def first_line(function: Callable[..., object]) -> str:
    """The first line of a docstring without its full stop; empty if there is none."""
    return (inspect.getdoc(function) or "").partition("\n")[0].rstrip(".")
