"""One of the fresh processes that time: ``python -m exp_core.racer``, spoken to by replicas.py.

One line of JSON comes in: the request, and the first calls as the parent has seen them, whose keys say who races.
Lines go out: ``{"progress": ...}`` now and then, and in the end the comparison, or an error.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import IO, cast

import numpy as np

from exp_core import beneath_mlx
from exp_core.contestants import Call
from exp_core.machine import Rate, pacemakers, thread_limit, verify_threads
from exp_core.request import Plain, Request, assignment, case, read_request
from exp_core.timing import Comparison, Interrupted, Sampler, compare
from exp_core.user import UserFunction
from exp_core.wire import send, told
from exp_core.worker import private_pipes


def main() -> None:
    """Do what the one line says."""
    beneath_mlx.prepare()
    requests, replies = private_pipes()
    order = json.loads(requests.readline())
    request, first_calls = read_request(cast("Plain", order["request"])), order["first_calls"]
    try:
        # an overflow on a hard problem was a row of the parent's table already
        with thread_limit(request.threads) as limit, np.errstate(all="ignore"):
            racers = ready(request, first_calls)
            with pacemakers([Rate(**rate) for rate in order["rates"]], request.threads) as beside:
                limit.apply()  # again: what those have loaded has pools of its own
                comparison = race(racers, beside, request, first_calls, request.seed + order["number"], replies)
            odd = verify_threads(request.threads)
        send(replies, {"comparison": comparison.to_dict(), "odd": odd})
    except Exception as error:
        send(replies, {"error": f"failed: {told(error)}"})
    finally:
        if request.user:
            request.user.stop()


def ready(request: Request, first_calls: Mapping[str, float]) -> dict[str, Call | UserFunction]:
    """All who race, called once: that compiles or loads.  What they raise they will raise again in the race."""
    inputs = request.inputs()
    racers: dict[str, Call | UserFunction] = {}
    for contestant in request.contestants:
        if contestant.key in first_calls:
            call = contestant.ready(inputs)
            racers[contestant.key] = call
            with contextlib.suppress(Exception):
                call()
    if request.user and request.user.key in first_calls:
        request.user.call_limit_s = 3 * request.budget_s
        request.user.start(assignment(request))
        request.user.take(case(request))
        request.user.first()
        racers[request.user.key] = request.user
    return racers


def race(
    racers: Mapping[str, Call | UserFunction],
    beside: Mapping[str, Sampler],
    request: Request,
    first_calls: Mapping[str, float],
    seed: int,
    replies: IO[bytes],
) -> Comparison:
    """Race them, in an order that no other process has; interrupted, return what is complete."""
    try:
        return compare(
            racers,
            budget_s=request.budget_s,
            seed=seed,
            progress=lambda part: send(replies, {"progress": part}),
            first_calls=first_calls,
            cold=request.cold,
            beside=beside,
        )
    except Interrupted as stop:
        return stop.partial


if __name__ == "__main__":
    main()
