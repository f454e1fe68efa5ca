"""One point of a sweep on another machine: plain values in, plain values out."""

from __future__ import annotations

from exp_core import beneath_mlx
from exp_core.ladder import climb
from exp_core.refusal import Refused
from exp_core.request import Plain, read_request


def measure_task(task: Plain) -> Plain:
    """What a worker does: climb the ladder, and send the result as JSON would have it."""
    beneath_mlx.prepare()
    request = read_request(task)
    try:
        return {"result": climb(request).to_dict()}
    except Refused as refusal:
        return {"refused": str(refusal)}
