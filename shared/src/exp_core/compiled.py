"""Numba, imported at the first call and not before.

``njit`` and ``prange`` read like Numba's, but importing an experiment neither imports Numba (0.4 s) nor needs it.
Compiled code is cached on disk (disk_cache.py), so that a second run starts at once.

    @njit(parallel=True)
    def total(x): ...
"""

from __future__ import annotations

import functools
import importlib
import types
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, cast, overload

from exp_core.waiting import tell

# What may be reordered without changing what the algorithms here rely on: no assumption about NaN or infinity is made,
# and a compensated sum must not use even these (fastmath=False, the default).
REORDER = frozenset({"reassoc", "contract", "nsz", "arcp"})
# Multiply-add may be fused; nothing is reordered.
FUSE = frozenset({"contract"})

if TYPE_CHECKING:
    prange = range
else:

    class prange:  # noqa: N801  (numba.prange has this name)
        """``range`` whose iterations Numba may give to several threads; in plain Python it is ``range``."""

        def __new__(cls, *bounds: int) -> Iterator[int]:
            return range(*bounds)


class Compiled:
    """A function that Numba compiles at its first call; ``py_func`` is the function as written."""

    def __init__(self, py_func: Callable[..., object], options: dict[str, object]) -> None:
        functools.update_wrapper(self, py_func)
        self.py_func = cast("types.FunctionType", py_func)
        self.options = options
        self.__name__ = py_func.__name__

    @functools.cached_property
    def dispatcher(self) -> Callable[..., object]:
        """Numba's own object.  Raises ModuleNotFoundError if Numba is not installed."""
        numba = importlib.import_module("numba")
        _let_numba_take_ours()
        _hear_of_compiling()
        # Numba looks at a function's globals when it compiles: there our stand-ins must be the real things.
        written = self.py_func
        real: dict[str, object] = dict(written.__globals__)
        for name in written.__code__.co_names:
            if name in real:
                real[name] = _numbas_own(real[name])
        cells = tuple(types.CellType(_numbas_own(cell.cell_contents)) for cell in written.__closure__ or ())
        function = types.FunctionType(written.__code__, real, self.__name__, written.__defaults__, cells or None)
        function.__module__, function.__qualname__ = written.__module__, written.__qualname__
        function.__doc__ = written.__doc__
        try:
            compiled: Callable[..., object] = numba.njit(**self.options)(function)
            if self.options.get("cache"):
                importlib.import_module("exp_core.disk_cache").keep_on_disk(compiled, self)
        except (
            RuntimeError,
            OSError,
        ):  # nowhere to keep the disk cache: a read-only home, or a function typed into a REPL
            compiled = numba.njit(**self.options | {"cache": False})(function)
        return compiled

    def __call__(self, *args: object) -> object:
        return self.dispatcher(*args)

    def __get__(self, instance: object, owner: type | None = None) -> Compiled:
        return self

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return _named, (self.py_func.__module__, self.py_func.__qualname__)


class Intrinsic(Compiled):
    """A function that writes LLVM's instructions itself, for compiled code to call; it too waits for Numba."""

    @functools.cached_property
    def dispatcher(self) -> Callable[..., object]:
        """Numba's own object.  Raises ModuleNotFoundError if Numba is not installed."""
        made: Callable[..., object] = importlib.import_module("numba.extending").intrinsic(self.py_func)
        return made


def intrinsic(function: Callable[..., object]) -> Intrinsic:
    """``numba.extending.intrinsic`` put off likewise: ``function(typing, *types) -> signature, generator``.

    A Numba type that it defines needs ``__reduce__``: the disk cache must find the same class again.
    Source: Numba's manual, "Low-level extension API".
    """
    return Intrinsic(function, {})


@overload
def njit(function: Callable[..., object], **options: object) -> Compiled: ...


@overload
def njit(function: None = None, **options: object) -> Callable[[Callable[..., object]], Compiled]: ...


def njit(
    function: Callable[..., object] | None = None, **options: object
) -> Compiled | Callable[[Callable[..., object]], Compiled]:
    """``numba.njit`` put off to the first call, with the disk cache on, the GIL released and NumPy's division rules.

    Options are Numba's.  ``numba.njit`` itself applied to a function that calls one of these is not supported: use this
    one all the way down.  Source: Numba's manual, "Compiling Python code with @jit".
    """
    defaults: dict[str, object] = {"cache": True, "nogil": True, "error_model": "numpy"}
    chosen = {name: set(v) if isinstance(v, frozenset) else v for name, v in (defaults | options).items()}

    def compile_later(function: Callable[..., object]) -> Compiled:
        return Compiled(function, chosen)

    return compile_later if function is None else compile_later(function)


class _Library(Protocol):
    def get_pointer_to_function(self, name: str) -> int: ...


class _Names(Protocol):
    llvm_cfunc_wrapper_name: str


class _Code(Protocol):
    library: _Library
    fndesc: _Names


class _Dispatcher(Protocol):
    """What ``address_of`` uses of Numba's compiled function."""

    overloads: dict[tuple[object, ...], _Code]

    def compile(self, arguments: tuple[object, ...]) -> None: ...


def address_of(function: Compiled, *arguments: object) -> int:
    """Where the C function begins that takes arguments of these Numba types: for compiled code and C libraries to call.

    It stays there as long as the function lives.  Source: Numba's manual, "Creating C callbacks with @cfunc".
    """
    dispatcher = cast("_Dispatcher", function.dispatcher)
    dispatcher.compile(arguments)
    code = dispatcher.overloads[arguments]
    return code.library.get_pointer_to_function(code.fndesc.llvm_cfunc_wrapper_name)


def compiling_s() -> float:
    """Seconds that Numba has compiled for in this process so far."""
    return sum(_COMPILED_S)


_COMPILED_S: list[float] = []


def _numbas_own(value: object) -> object:
    """What stands for a value of ours in Numba's eyes."""
    if value is prange:
        return importlib.import_module("numba").prange
    return value.dispatcher if isinstance(value, Compiled) else value


@functools.cache
def _hear_of_compiling() -> None:
    """Pass Numba's own events on.  Source: Numba's developer manual, "Event API"."""
    from exp_core.timing import Stopwatch

    events = importlib.import_module("numba.core.event")
    begun: list[Stopwatch] = []  # one function is compiled inside another's compilation

    def on_start(self: object, event: object) -> None:
        begun.append(Stopwatch())
        name = event.data["dispatcher"].py_func.__name__  # type: ignore[attr-defined]
        tell(f"compiling {name}, this once")

    def on_end(self: object, event: object) -> None:
        seconds = begun.pop().elapsed()
        if not begun:
            _COMPILED_S.append(seconds)

    events.register("numba:compile", type("Told", (events.Listener,), {"on_start": on_start, "on_end": on_end})())


@functools.cache
def _let_numba_take_ours() -> None:
    """Tell Numba's type inference that a Compiled passed as an argument is the dispatcher inside it."""
    dispatcher_type = importlib.import_module("numba.core.types").Dispatcher

    def type_of(value: Compiled, context: object) -> object:
        return dispatcher_type(value.dispatcher)

    importlib.import_module("numba.extending").typeof_impl.register(Compiled)(type_of)


def _named(module: str, qualname: str) -> object:
    """Unpickle a compiled function: it is found again by its name."""
    return getattr(importlib.import_module(module), qualname)
