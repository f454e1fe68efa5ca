"""OpenBLAS beneath MLX on Linux, where PyPI's MLX brings the reference BLAS: a tenth of what the processor can do.

    beneath_mlx.prepare()    before mlx.core is imported for the first time; until then it costs nothing

Idea      libmlx.so asks the loader for a BLAS by name.  A library that is loaded already and calls itself by that name
          (DT_SONAME) is taken, wherever its file lies.  So a copy of OpenBLAS is given that name, and its functions the
          names that BLAS has, without the prefix of PyPI's build (``machine.blas_names``); and it is loaded first.
          Nobody else asks for the name, and the copy is loaded for its own scope only (RTLD_LOCAL): what NumPy, SciPy
          and PyTorch have found, or will find, stays as it is.  (A global scope, or LD_PRELOAD, would catch them too.)
Safe      A fresh process has tried the copy before it is used: MLX's matrix products are right there, and faster.  What
          does not work out leaves MLX as it is, and a line in ``machine`` and below a ladder says why.
Off       EXP_CORE_OPENBLAS=0 in the environment.
Source    U. Drepper, How to write shared libraries (2011), sections 1.5.3 and 2.2; dlopen(3), ld.so(8).
"""

from __future__ import annotations

import ctypes
import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from exp_core.experiment import Skip

if TYPE_CHECKING:
    from exp_core.machine.blas_copy import Copy

VARIABLE = "EXP_CORE_OPENBLAS"
TOO_LATE = Skip("MLX was imported before it was told of OpenBLAS", "call exp_core.beneath_mlx.prepare() first")

_outcome: Copy | Skip | None = None


def prepare() -> None:
    """Have OpenBLAS loaded when mlx.core is imported, by whomever; call it where a program begins.  Linux only."""
    if sys.platform == "linux" and "mlx.core" not in sys.modules and _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def outcome() -> Copy | Skip | None:
    """What MLX computes with in this process: our copy, or its own BLAS and why; None where the question is idle.

    That is before MLX has been imported, and on systems other than Linux, where MLX has Apple's library.
    """
    if sys.platform != "linux" or "mlx.core" not in sys.modules:
        return None
    return _outcome or TOO_LATE


class _BeforeMlx(importlib.abc.MetaPathFinder):
    """Finds nothing, but hears that mlx.core is about to be looked for, and then goes."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == "mlx.core":
            sys.meta_path.remove(self)
            global _outcome
            _outcome = _put_beneath()
        return None


_finder = _BeforeMlx()


def _put_beneath() -> Copy | Skip:
    """Load the copy.  Whatever goes wrong is a reason: MLX itself works without."""
    if os.environ.get(VARIABLE) == "0":
        return Skip(f"OpenBLAS is switched off by {VARIABLE}=0")
    from exp_core.machine.blas_copy import openblas_copy
    from exp_core.machine.blas_names import NoCopyError

    try:
        copy = openblas_copy()
        ctypes.CDLL(str(copy.path), mode=ctypes.RTLD_LOCAL)
    except NoCopyError as error:
        return error.skip
    except Exception as error:
        return Skip(f"OpenBLAS could not be put beneath MLX ({type(error).__name__}: {error})")
    return copy
