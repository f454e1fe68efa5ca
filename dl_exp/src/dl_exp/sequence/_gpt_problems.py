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
Vocabulary = Annotated[int, "symbols there are"]
Context = Annotated[int, "symbols in a sequence"]
Width = Annotated[int, "numbers in a symbol's vector"]
Heads = Annotated[int, "heads of attention; they divide the width"]
Layers = Annotated[int, "layers"]
Batch = Annotated[int, "sequences a step"]
Updates = Annotated[int, "steps of training"]


def symbols(
    vocabulary: Vocabulary = 65, context: Context = 64, width: Width = 128, heads: Heads = 4, layers: Layers = 4,
    batch: Batch = 12, updates: Updates = 3, *, dtype, rng,
):  # fmt: skip
    """Each symbol is the last one plus a small random number: there is something to learn."""
    shape = divided(vocabulary, context, width, heads, layers)
    moves = rng.integers(0, 3, (updates, batch, context + 1))
    return begun(shape, np.cumsum(moves, axis=-1) % vocabulary, dtype, rng)


def saturated(
    vocabulary: Vocabulary = 65, context: Context = 64, width: Width = 128, heads: Heads = 4, layers: Layers = 4,
    batch: Batch = 12, updates: Updates = 3, *, dtype, rng,
):  # fmt: skip
    """The same from matrices that are twenty times too large: attention looks at one symbol alone, losses are large."""
    weights, *rest = symbols(vocabulary, context, width, heads, layers, batch, updates, dtype=dtype, rng=rng)
    matrices = rest[-1].matrices
    weights[:matrices] *= 20
    return weights, *rest


def python_docs(
    context: Context = 64, width: Width = 128, heads: Heads = 4, layers: Layers = 4, batch: Batch = 12,
    updates: Updates = 3, *, dtype, rng,
):  # fmt: skip
    """Python's own help, by characters."""
    corpus = read_python_docs()
    shape = divided(corpus.characters, context, width, heads, layers)
    tokens = corpus.learnt(shape.vocabulary)
    first = windows(len(tokens), context + 1, batch, int(rng.integers(2**31)), range(updates))
    return begun(shape, tokens[first[..., None] + np.arange(context + 1)], dtype, rng)


def divided(vocabulary, context, width, heads, layers):
    """The shape.  Raises ValueError if the heads do not divide the width."""
    if width % heads:
        raise ValueError(f"--heads {heads} do not divide --width {width}: choose heads that do")
    return Shape(vocabulary, context, width, heads, layers)


def begun(shape, tokens, dtype, rng):
    """The inputs from tokens (updates, batch, context + 1): each symbol's target is the next one."""
    tokens = tokens.astype(np.int32)
    inputs, targets = (np.ascontiguousarray(part) for part in (tokens[..., :-1], tokens[..., 1:]))
    return start_weights(shape, rng).astype(dtype), inputs, targets, shape
