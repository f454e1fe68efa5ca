"""Numba's disk cache, never stale and safe for processes that compile at once.  Imported with Numba, not before.

Numba keeps an index a function, from signatures to numbered files of machine code, and a stamp of the function's own
source file.  Four things can go wrong with that; the first three end in code that does not fit its arguments:

- What another file defines is compiled in, a constant as well as a function: the stamp does not know of it.
- The index is written before the code.  A process stopped in between, or one that reads in between, finds the code of
  an older source under the new stamp.
- Two processes that compile two signatures at once both take the next free number: one's code under the other's name.
- What is compiled over a parallel function that came from the disk forgets that it needs threads (Numba 0.68): in the
  next process it comes from the disk itself, starts none, and the process dies.

Here the stamp is a digest of everything that is compiled in, files and names carry it, so that no two contents ever
share a name, the code is written before the index, and what comes from the disk hands on what it needs.

Source    Numba's developer manual, "Notes on Caching"; numba/core/caching.py.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import hashlib
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import llvmlite
import numba
import numpy as np
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps

MADE_AS = 3  # raised when code that is on a disk already must not be used any more
# Whose functions are not looked into: their versions say all.
VERSIONS = {"numba": numba.__version__, "llvmlite": llvmlite.__version__, "numpy": np.__version__}


class CacheFile(IndexDataCacheFile):
    """Index and code of one function; a code file is named after what it was compiled for."""

    def save(self, key: tuple[object, ...], data: object) -> None:
        """First the code, then the index: what the index knows is there, and whole.  A full disk keeps nothing."""
        signature = key[0]
        if isinstance(signature, tuple) and any(isinstance(kind, numba.types.Dispatcher) for kind in signature):
            return  # a function as an argument has another identity in every process: it would never be found again
        name = f"{self._index_name.removesuffix('.nbi')}.{hashlib.sha256(dumps(key)).hexdigest()[:16]}.nbc"
        with contextlib.suppress(OSError):
            self._save_data(name, data)
            self._save_index(self._load_index() | {key: name})

    def sweep(self, family: str) -> None:
        """Remove what older sources of the same function have left."""
        current = self._index_name.removesuffix(".nbi")
        for path in Path(self._cache_path).glob(glob.escape(family) + "*"):
            if not path.name.startswith(current):
                path.unlink(missing_ok=True)


class Code(CompileResultCacheImpl):
    """A compiled function as it is written and read."""

    def rebuild(self, target_context: object, payload: object) -> object:
        """Its callers inherit what must happen before it runs (``reload_init``), as from one that was just compiled."""
        result = super().rebuild(target_context, payload)
        result.library._reload_init.update(result.reload_init)
        return result


class _CodeGenerator(Protocol):
    def magic_tuple(self) -> tuple[object, ...]: ...


class Cache(FunctionCache):
    """Numba's cache of one function, with code that hands on what it needs."""

    _impl_class = Code

    def _index_key(self, signature: object, codegen: _CodeGenerator) -> tuple[object, ...]:
        """Of a closure it tells values apart; its functions are in the stamp, and are other objects in each process."""
        cells = [cell.cell_contents for cell in self._py_func.__closure__ or ()]
        values = [value for value in cells if not isinstance(value, Dispatcher)]
        return signature, codegen.magic_tuple(), hashlib.sha256(dumps(values)).hexdigest()


def keep_on_disk(dispatcher: object, function: object) -> None:
    """Give Numba's dispatcher of a function this cache file in place of its own."""
    cache = dispatcher._cache = Cache(dispatcher.py_func)  # type: ignore[attr-defined]
    versions = _digest([MADE_AS, *VERSIONS.items()])[:8]
    family = f"{cache._impl.filename_base}-{versions}"
    stamp = _digest(compiled_in(function))[:24]
    cache._cache_file = CacheFile(cache.cache_path, f"{family}{stamp}", stamp)
    cache._cache_file.sweep(family)


def compiled_in(function: object) -> Iterator[object]:
    """Everything that machine code is made of: source files, and the values of names that functions look up.

    Functions are followed to those that they call, in whatever module; names as far as a module's attribute.
    """
    todo: list[object] = [function]
    seen: set[int] = set()
    files: set[str] = set()
    values: set[tuple[str, str, str]] = set()
    while todo:
        value = todo.pop()
        value = getattr(value, "py_func", value)
        if not isinstance(value, types.FunctionType) or id(value) in seen or _foreign(value):
            continue
        seen.add(id(value))
        files.add(value.__code__.co_filename)
        values.add((value.__module__, value.__qualname__, _instructions(value.__code__)))
        names = _names(value.__code__)
        found_in = {name: value.__globals__[name] for name in names & value.__globals__.keys()}
        for name, found in (found_in | _closed_over(value)).items():
            inside = [(f"{name}.{n}", vars(found)[n]) for n in names & vars(found).keys()] if _module(found) else []
            for path, item in [(name, found), *inside]:
                todo.append(item)
                if _constant(item):
                    values.add((value.__module__, path, _text(item)))
    yield sorted(values)
    for file in sorted(files):
        yield Path(file).name, _content(file)


def _instructions(code: types.CodeType) -> str:
    """They tell one function from another of its name in the same file: of lambdas, and of what a closure makes."""
    inner = [_instructions(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return f"{code.co_code.hex()} {_text(code.co_consts)} {code.co_names} {inner}"


def _closed_over(function: types.FunctionType) -> dict[str, object]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells}


@functools.lru_cache(maxsize=1024)
def _content(file: str) -> str:
    """Of a source file, once a process: what was imported does not change with the file."""
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:  # typed into a REPL
        return ""


def _digest(parts: object) -> str:
    return hashlib.sha256(repr(list(parts)).encode()).hexdigest()  # type: ignore[call-overload]


def _foreign(function: Callable[..., object]) -> bool:
    return (function.__module__ or "").partition(".")[0] in VERSIONS


def _module(value: object) -> bool:
    """A module whose own names may be compiled in; those of NumPy and the like have their version."""
    return isinstance(value, types.ModuleType) and value.__name__.partition(".")[0] not in VERSIONS


def _constant(value: object) -> bool:
    return isinstance(value, bool | int | float | complex | str | bytes | tuple | np.ndarray | np.generic)


def _text(value: object) -> str:
    """The same in every process for the same value."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype.str}{value.shape}{hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    if isinstance(value, tuple):
        return f"({','.join(_text(item) for item in value if _constant(item))})"
    return f"{type(value).__name__} {value!r}"


def _names(code: types.CodeType) -> set[str]:
    """Every global name that a function uses, those in functions inside it included."""
    inner = (constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))
