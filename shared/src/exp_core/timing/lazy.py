"""Results that are promises: kept inside the timing where that is possible, refused where it is not.

A function that returns a promise looks infinitely fast: what is timed is the writing of a recipe.  An MLX array is
computed by asking for it, and asking waits; a dask collection, a generator, a coroutine or a future is refused with a
sentence that says how its function can do the work itself.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from itertools import islice
from typing import cast

LOOKED_AT = 100  # items of a nest's level: who makes promises makes one among the first

Force = Callable[[object], object]


class Unevaluated(TypeError):
    """A function returned a promise that nobody but the function itself can keep."""


def forcing(result: object) -> Force | None:
    """What computes such a result and waits for it; None if there is nothing left to compute.

    Raises Unevaluated for a promise that cannot be kept from outside.
    """
    found = list(leaves(result))
    for leaf in found:
        if promise := _promise(leaf):
            raise Unevaluated(f"it returned {promise}")
    return mlx("eval") if any(map(is_mlx, found)) else None


def evaluated(function: Callable[[], object]) -> Callable[[], object]:
    """The same function, whose result is all there when it returns.  That raises Unevaluated as ``forcing`` does."""

    def call() -> object:
        result = function()
        if force := forcing(result):
            force(result)
        return result

    return call


def is_mlx(x: object) -> bool:
    """Whether x is an array that MLX may still have to compute; MLX is not imported to find out."""
    return type(x).__module__ == "mlx.core" and type(x).__name__ == "array"


def mlx(name: str) -> Force:
    """A function of the MLX that has made somebody's arrays, ``eval`` or ``async_eval``; both take nests of them."""
    return cast("Force", getattr(sys.modules["mlx.core"], name))


def leaves(result: object) -> Iterator[object]:
    """What stands at the ends of a nest of tuples, lists and dictionaries; of each level the first items."""
    if isinstance(result, (tuple, list, Mapping)):
        for item in islice(result.values() if isinstance(result, Mapping) else result, LOOKED_AT):
            yield from leaves(item)
    else:
        yield result


def _promise(x: object) -> str:
    """What kind of promise this is, and how its function keeps it; empty if it is a value."""
    kind = type(x).__name__
    article = "an" if kind[0] in "aeiouAEIOU" else "a"
    if callable(getattr(x, "__dask_graph__", None)):
        return f"a dask {kind} that is not computed: call .compute() in it"
    if inspect.isawaitable(x) or inspect.isasyncgen(x):
        if inspect.iscoroutine(x):
            x.close()  # else Python warns that it was never awaited, as if that were a mistake of ours
        return f"{article} {kind} that has not run: run it to its end in the function, with asyncio.run"
    if isinstance(x, Future):
        return "a Future: wait for its .result() in the function"
    if hasattr(x, "__next__"):
        return f"{article} {kind}, which computes when it is read: return list(...) of it"
    return ""
