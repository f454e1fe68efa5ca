"""The gradient of a batch that several processes share, each with its part of it.

Under ``mlx.launch`` every process computes the means over its own examples; all of them go by the mean over all.
Parts may differ in size by one, so that each is weighed by its number of examples.
Source: MLX's documentation, "Distributed Communication", all_sum.
"""

from __future__ import annotations

from collections.abc import Callable


def averaged(loss_and_gradient: Callable) -> Callable:
    """The same function of (weights, *part), for the batch of all processes; as it is where there is only one.

    ``loss_and_gradient(weights, *part) -> (loss, gradient)``: means over the part's examples, which lie along axis 0 of
    its arrays; the gradient is flat, in MLX.
    """
    import mlx.core as mx

    if mx.distributed.init().size() == 1:
        return loss_and_gradient

    def of_all(weights, *part):
        loss, gradient = loss_and_gradient(weights, *part)
        n = len(part[0])
        sums = mx.distributed.all_sum(mx.concatenate([n * gradient, mx.stack([n * loss, mx.array(float(n))])]))
        return sums[-2] / sums[-1], sums[:-2] / sums[-1]

    return of_all
