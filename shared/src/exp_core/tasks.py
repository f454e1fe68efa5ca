"""Work dealt out while it is done: for compiled loops whose pieces take different times.

Numba cuts a parallel loop into equal parts beforehand.  Here each of a few workers takes the next piece when it has
finished one, so that all end at about the same time; each piece is done once, by whom does not matter.

    @njit(parallel=True)
    def total(pieces):
        counter = np.zeros(1, np.int64)
        for _ in prange(WORKERS):
            room = np.empty(100)  # one for each worker, not for each piece
            piece = take(counter)
            while piece < pieces:
                ...
                piece = take(counter)
"""

from __future__ import annotations

from exp_core.compiled import intrinsic

WORKERS = 64  # more than there are threads: who comes too late finds nothing left to do


@intrinsic
def take(typing, counter):  # type: ignore[no-untyped-def]
    """Add one to counter[0], an array of int64, and return what it was: no two threads are given the same number."""
    from llvmlite import ir
    from numba.core import types

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.atomic_rmw("add", array.data, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(counter), generate
