"""What quantisation costs a language model: the perplexity of our own GPT with its matrices in so many bits.

Perplexity is the exponential of the mean loss: among how many symbols the model hesitates.
"""

from __future__ import annotations

import math
import re

import numpy as np

from dl_exp.efficiency import _quantisation_codes as codes
from dl_exp.engine.shape import Shape, Weights, unpacked
from dl_exp.sequence._gpt_by_hand import forwards, mean_loss, rows
from dl_exp.sequence._gpt_training import TRAINING, cut
from exp_core.training.checkpoint import CheckpointError, path_to_read, read
from exp_core.training.folder import training_folder

SEQUENCES = 32  # that are looked at, and as many to feed errors back by
TRAIN = "train one: python -m dl_exp gpt --steps 2000"


def trained():
    """The GPT that was trained here last, and its text: (weights, shape, corpus).  Raises CheckpointError."""
    try:
        found = read(path_to_read(training_folder("gpt")))
    except ModuleNotFoundError as error:
        raise CheckpointError("a checkpoint needs safetensors: pip install 'dl-exp[training]'") from error
    sizes = {name: int(size) for name, size in re.findall(r"(\w+)=(\d+)", found.identity.shape)}
    texts = {text.name: text for text in TRAINING.data}
    if found.identity.data not in texts or set(sizes) != set(Shape._fields):
        raise CheckpointError(f"the GPT that was trained here has learnt from {found.identity.data}; {TRAIN}")
    return found.state["weights"], Shape(**sizes), texts[found.identity.data].read()


def perplexity(weights, shape, corpus):
    """On sequences spread evenly over what was held out."""
    tokens = corpus.held_out(shape.vocabulary)
    return math.exp(mean_loss(weights, *cut(tokens, spread(tokens, shape), shape.context), shape))


def spread(tokens, shape):
    """Where SEQUENCES of them begin."""
    return np.linspace(0, len(tokens) - shape.context - 1, SEQUENCES).astype(int)


def quantised(weights, shape, bits, group, seen=None):
    """The weights with every layer's four matrices rounded; seen: tokens (B, T) to feed errors back by, or None.

    A matrix meets its inputs from the right: its columns are the rows of codes.
    """
    weights = weights.copy()
    w = unpacked(weights, shape)
    for number, layer in enumerate(w.layers):
        met = None if seen is None else inputs(w, seen, shape, number)  # the layers before it are rounded already
        for name in ("qkv", "out", "up", "down"):
            matrix = getattr(layer, name)
            if met is None:
                made = codes.groupwise(np.ascontiguousarray(matrix.T), bits, group)
            else:
                made = codes.fed_back(matrix.T, met[name], bits, group)
            matrix[...] = codes.dequantised(*made, bits).T
    return weights


def inputs(w: Weights, tokens, shape: Shape, number: int):
    """What each matrix of a layer is multiplied with, as rows."""
    h, _, y, _, h2, _, a, _ = forwards(w, tokens, shape)[1][0][number]
    return {"qkv": rows(h), "out": rows(y), "up": rows(h2), "down": rows(a)}


def costs(weights, shape, corpus, bits, group):
    """(as it was, rounded to nearest, with error feedback): a perplexity, and one for each number of bits twice."""
    learnt = corpus.learnt(shape.vocabulary)
    seen, _ = cut(learnt, spread(learnt, shape), shape.context)
    nearest, fed = (
        [perplexity(quantised(weights, shape, b, group, given), shape, corpus) for b in bits] for given in (None, seen)
    )
    return perplexity(weights, shape, corpus), nearest, fed
