"""The GPT on the CPU engine."""

from __future__ import annotations

import functools

import numpy as np

from dl_exp.engine.shape import Shape
from dl_exp.engine.trainer import Trainer
from dl_exp.sequence._gpt_model import ADAMW, ladder_rates


def threads(weights, tokens, targets, shape):
    """Gradients by hand, compiled kernels that keep to the cache, each thread its part of the batch."""
    losses, state = advance(shape, {"weights": weights}, (tokens, targets, ladder_rates(len(tokens))), 0)
    return losses, state["weights"]


def advance(shape: Shape, state, batches, step: int):
    """Updates from a state with weights and perhaps m and v, after ``step`` others; losses, and the state after.

    batches: tokens and targets, (updates, batch, T), and the learning rates, (updates,).
    """
    trainer = prepared(shape, batches[0].shape[1], parts(), state["weights"].dtype.name)
    for name, array in (("weights", trainer.weights), ("m", trainer.m), ("v", trainer.v)):
        array[:] = state.get(name, 0)
    each = enumerate(zip(*batches, strict=True), step + 1)
    losses = [trainer.step(x, y, number, float(rate)) for number, (x, y, rate) in each]
    after = {"weights": trainer.weights.copy(), "m": trainer.m.copy(), "v": trainer.v.copy()}
    return np.array(losses, trainer.weights.dtype), after


@functools.lru_cache(maxsize=1)
def prepared(shape: Shape, batch: int, threads: int, dtype: str) -> Trainer:
    """Memory and threads, kept for the next call: new pages would cost a tenth of a short run."""
    return Trainer(shape, batch, threads, ADAMW, dtype)


def parts() -> int:
    """As many parts as threads."""
    import numba

    return numba.get_num_threads()
