"""The sum over all ranks: the ring written out, MLX's own, and MLX's layer above it.

Each is given this rank's gradient and loss, means over the n examples that it has, and returns the means over all.
"""

from __future__ import annotations

import functools


def ring_all_reduce(x, group):
    """The sum over all ranks of an array of one axis, the same bits on each."""
    import mlx.core as mx

    ranks, rank = group.size(), group.rank()
    padded = mx.pad(x, (0, -len(x) % ranks))
    pieces = mx.split(padded, ranks)
    for hop in range(ranks - 1):
        arrived = exchange(pieces[(rank - hop) % ranks], group)
        pieces[(rank - hop - 1) % ranks] = pieces[(rank - hop - 1) % ranks] + arrived
    for hop in range(ranks - 1):
        pieces[(rank - hop) % ranks] = exchange(pieces[(rank + 1 - hop) % ranks], group)
    return mx.concatenate(pieces)[: len(x)]


def exchange(piece, group):
    """Hand a piece to the right while one of the same shape comes from the left."""
    import mlx.core as mx

    ranks, rank = group.size(), group.rank()
    out, into = _streams()  # on one stream all would send first, and nobody would listen
    sent = mx.distributed.send(piece, (rank + 1) % ranks, group=group, stream=out)
    arrived = mx.distributed.recv_like(piece, (rank - 1) % ranks, group=group, stream=into)
    mx.eval(sent, arrived)
    return arrived


@functools.cache
def _streams():
    import mlx.core as mx

    return mx.new_stream(mx.cpu), mx.new_stream(mx.cpu)


def ring_sum(gradient, loss, n, group):
    """The mean gradient and loss of all ranks' examples, of which this one has n."""
    sums = ring_all_reduce(weighed(gradient, loss, n), group)
    return sums[:-2] / sums[-1], sums[-2] / sums[-1]


def mlx_sum(gradient, loss, n, group):
    """The same by MLX's own all-reduce."""
    import mlx.core as mx

    sums = mx.distributed.all_sum(weighed(gradient, loss, n), group=group)
    return sums[:-2] / sums[-1], sums[-2] / sums[-1]


def mlx_average(gradient, loss, n, group):
    """The same by mlx.nn, which takes ranks for equal: they are weighed before."""
    import mlx.core as mx
    from mlx import nn

    mean = nn.average_gradients({"gradient": n * gradient, "loss": n * loss, "n": mx.array(float(n))}, group)
    return mean["gradient"] / mean["n"], mean["loss"] / mean["n"]


def weighed(gradient, loss, n):
    """What is to be summed, in one message: n times the gradient, n times the loss, n."""
    import mlx.core as mx

    return mx.concatenate([n * gradient, mx.stack([n * loss, mx.array(float(n))])])
