"""A rank of the ladder: ``python -m dl_exp.distributed._data_parallel_rank PIPE``."""

from __future__ import annotations

import functools
import os
import sys
from multiprocessing.connection import Connection

import numpy as np

from dl_exp.distributed._data_parallel_ranks import LOST
from dl_exp.foundations._mlp_mlx import loss_and_gradient
from dl_exp.foundations._mlp_model import RATE
from exp_core import beneath_mlx

KEPT = 8  # runs; the rows of a ladder share one


def train(average, group, weights, x, labels, shape):
    """Steps of descent on this rank's part of every batch; losses and weights are the same on all ranks."""
    import mlx.core as mx

    gradient_of, losses = compiled_gradient(shape), []
    for images, targets in zip(x, labels, strict=True):
        loss, gradient = gradient_of(weights, images, targets)
        gradient, loss = average(gradient, loss, len(targets), group)
        weights = weights - RATE * gradient
        mx.eval(loss, weights)
        losses.append(loss)
    return np.array(mx.stack(losses)), np.array(weights)


@functools.cache
def compiled_gradient(shape):
    """(weights, images, targets) -> (loss, its gradient)."""
    import mlx.core as mx

    return mx.compile(loss_and_gradient(shape))


def serve(pipe: Connection) -> None:
    """Keep the run that came last, train it as often as asked; until the other side closes the pipe."""
    import mlx.core as mx

    group = mx.distributed.init()
    mx.set_default_device(mx.cpu)
    rank, size = group.rank(), group.size()
    pipe.send(rank)
    runs: dict[int, tuple[object, ...]] = {}
    while True:
        what, argument = pipe.recv()
        if callable(what):
            losses, weights = train(what, group, *runs[argument])
            pipe.send((losses, weights) if rank == 0 else weights.tobytes())
        else:
            weights, x, labels, shape = argument
            own = (np.ascontiguousarray(part[:, rank::size]) for part in (x, labels))
            runs.pop(what - KEPT, None)
            runs[what] = (*map(mx.array, (weights, *own)), shape)
            pipe.send(what)


def main() -> int:
    """The exit code: 0 when the other side has gone, LOST when a neighbour has."""
    beneath_mlx.prepare()
    try:
        serve(Connection(int(sys.argv[1])))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return 0
    except RuntimeError as error:
        if "connection to a peer was lost" not in str(error):
            raise
        return LOST
    return 0


if __name__ == "__main__":
    os._exit(main())  # at once: MLX would wait for its neighbours
