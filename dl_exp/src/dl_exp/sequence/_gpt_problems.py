"""What the ladder trains on: random symbols, weights that saturate the attention, a real text."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from dl_exp.engine.shape import Shape
from dl_exp.sequence._gpt_model import start_weights
from dl_exp.text import read_python_docs
from exp_core.training import windows

SMALL = {"vocabulary": 5, "context": 3, "width": 4, "heads": 2, "layers": 1, "batch": 2, "updates": 3}
AWKWARD = (
    {"vocabulary": 1, "context": 1, "width": 1, "heads": 1, "layers": 1, "batch": 1, "updates": 1},
    {"vocabulary": 67, "context": 19, "width": 21, "heads": 3, "layers": 2, "batch": 3, "updates": 2},
    {"vocabulary": 13, "context": 1, "width": 34, "heads": 2, "layers": 1, "batch": 5, "updates": 2},
)


def symbols(
    vocabulary: Annotated[int, "symbols there are"] = 65,
    context: Annotated[int, "symbols in a sequence"] = 64,
    width: Annotated[int, "numbers in a symbol's vector"] = 128,
    heads: Annotated[int, "heads of attention; they divide the width"] = 4,
    layers: Annotated[int, "layers"] = 4,
    batch: Annotated[int, "sequences a step"] = 12,
    updates: Annotated[int, "steps of training"] = 3,
    *,
    dtype,
    rng,
):
    """Each symbol is the last one plus a small random number: there is something to learn."""
    if width % heads:
        raise ValueError(f"--heads {heads} do not divide --width {width}: choose heads that do")
    shape = Shape(vocabulary, context, width, heads, layers)
    moves = rng.integers(0, 3, (updates, batch, context + 1))
    return begun(shape, np.cumsum(moves, axis=-1) % vocabulary, dtype, rng)


def saturated(
    vocabulary: Annotated[int, "symbols there are"] = 65,
    context: Annotated[int, "symbols in a sequence"] = 64,
    width: Annotated[int, "numbers in a symbol's vector"] = 128,
    heads: Annotated[int, "heads of attention; they divide the width"] = 4,
    layers: Annotated[int, "layers"] = 4,
    batch: Annotated[int, "sequences a step"] = 12,
    updates: Annotated[int, "steps of training"] = 3,
    *,
    dtype,
    rng,
):
    """The same from matrices that are twenty times too large: attention looks at one symbol alone, losses are large."""
    weights, *rest = symbols(vocabulary, context, width, heads, layers, batch, updates, dtype=dtype, rng=rng)
    matrices = rest[-1].matrices
    weights[:matrices] *= 20
    return weights, *rest


def python_docs(
    context: Annotated[int, "symbols in a sequence"] = 64,
    width: Annotated[int, "numbers in a symbol's vector"] = 128,
    heads: Annotated[int, "heads of attention; they divide the width"] = 4,
    layers: Annotated[int, "layers"] = 4,
    batch: Annotated[int, "sequences a step"] = 12,
    updates: Annotated[int, "steps of training"] = 3,
    *,
    dtype,
    rng,
):
    """Python's own help, by characters."""
    if width % heads:
        raise ValueError(f"--heads {heads} do not divide --width {width}: choose heads that do")
    corpus = read_python_docs()
    shape = Shape(corpus.characters, context, width, heads, layers)
    tokens = corpus.learnt(shape.vocabulary)
    first = windows(len(tokens), context + 1, batch, int(rng.integers(2**31)), range(updates))
    return begun(shape, tokens[first[..., None] + np.arange(context + 1)], dtype, rng)


def begun(shape, tokens, dtype, rng):
    """The inputs from tokens (updates, batch, context + 1): each symbol's target is the next one."""
    tokens = tokens.astype(np.int32)
    inputs, targets = (np.ascontiguousarray(part) for part in (tokens[..., :-1], tokens[..., 1:]))
    return start_weights(shape, rng).astype(dtype), inputs, targets, shape
