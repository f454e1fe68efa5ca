"""Functions that stay apart from their callers' code."""

from __future__ import annotations

from exp_core.compiled import intrinsic


@intrinsic
def apart(typing):
    """Called by a compiled function, keeps it a function: LLVM does not copy it to every place where it is called.

    A training step is made of a few functions that are called many times, each long enough to be worth the call:
    copied, they are compiled again and again.
    """
    from numba import types

    def emit(context, builder, signature, arguments):
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), emit
