"""Threads that work on one thing together: each has a part, and all meet where one needs what another has made.

A parallel loop of Numba's is compiled several times over, with all that it calls: as a loop, as what a thread does, as
what hands it out.  Here a part is an ordinary compiled function, which is compiled once, and its threads are Python's,
which hold no lock while it runs.  Between two meetings nobody goes back to Python: a meeting takes about a microsecond.
Handing out the parts takes some 50: an mlp whose steps take 80 in all is better off with the loop.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from exp_core.compiled import intrinsic

T = TypeVar("T")
BROKEN_UP = -(2**62)
_ONE_AT_A_TIME = threading.Lock()  # two teams that share these threads would wait for each other


def together(work: Callable[[int, np.ndarray], T], parts: int) -> list[T]:
    """``work(part, meeting)`` for part 0, 1, ... ``parts`` - 1, each on a thread of its own; the results in order.

    meeting: what ``meet`` wants, (1,) int64.  Where a part raises, nobody waits for it, and what it raised goes on.
    """
    meeting = np.zeros(1, np.int64)

    def safely(part: int) -> T:
        try:
            return work(part, meeting)
        except BaseException:
            meeting[0] = BROKEN_UP
            raise

    if parts == 1:
        return [work(0, meeting)]
    with _ONE_AT_A_TIME:
        try:
            others = [_others(os.getpid(), parts - 1).submit(safely, part) for part in range(1, parts)]
            return [work(0, meeting), *(other.result() for other in others)]
        except BaseException:
            meeting[0] = BROKEN_UP
            raise


@functools.cache
def _others(process: int, count: int) -> ThreadPoolExecutor:
    """As many threads beside this one; a forked process has none of its parent's."""
    return ThreadPoolExecutor(count, "team")


@intrinsic
def meet(typing, meeting, parts):
    """Wait until all parts are here: each finds what the others have written before.

    meeting[0] counts arrivals: number t belongs to the meeting that is complete with the next multiple of ``parts``.
    It is negative when a team has broken up.
    """
    from llvmlite import ir
    from numba import types

    def emit(context, builder, signature, arguments):
        counter = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        parts = arguments[1]
        ticket = builder.atomic_rmw("add", counter, parts.type(1), "seq_cst")
        complete = builder.mul(builder.add(builder.sdiv(ticket, parts), parts.type(1)), parts)
        name = "sched_yield"  # with more threads than processors, the one that is waited for must get one
        pause = builder.module.globals.get(name) or ir.Function(
            builder.module, ir.FunctionType(ir.IntType(32), []), name
        )
        look, wait, after = (builder.append_basic_block(label) for label in ("look", "wait", "after"))
        builder.branch(look)
        builder.position_at_end(look)
        now = builder.load_atomic(counter, "acquire", 8)
        missing = builder.and_(builder.icmp_signed(">=", now, parts.type(0)), builder.icmp_signed("<", now, complete))
        builder.cbranch(missing, wait, after)
        builder.position_at_end(wait)
        builder.call(pause, [])
        builder.branch(look)
        builder.position_at_end(after)
        return context.get_dummy_value()

    return types.void(meeting, types.intp), emit
