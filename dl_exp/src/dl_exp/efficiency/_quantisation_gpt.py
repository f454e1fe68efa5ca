"""What quantisation costs a language model: the perplexity of a GPT of ours with all of its matrices in so many bits.

Perplexity is the exponential of the mean loss: among how many symbols the model hesitates.  The last matrix is the
embedding of the symbols; as a table to look symbols up it stays as it was.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass

import numpy as np

from dl_exp.efficiency import _quantisation_codes as codes
from dl_exp.engine.shape import Shape, Weights, unpacked
from dl_exp.sequence._gpt_by_hand import attention, forwards, gelu, layer_norm, rows
from dl_exp.sequence._gpt_training import TRAINING, cut
from dl_exp.text import Corpus
from exp_core.training.checkpoint import CheckpointError, path_to_read, read
from exp_core.training.folder import training_folder

SEQUENCES = 32  # of what was learnt, to feed errors back by
BITS = (8, 4)
TRAIN = "train one: python -m dl_exp gpt --steps 2000"


@dataclass(frozen=True, eq=False)
class Model:
    """A trained GPT, and as many symbols as it is asked for, of the text that was held out.

    weights: float32, (P,), as they were.     unkept: why the next run will have to train it again; mostly empty.
    """

    weights: np.ndarray
    shape: Shape
    corpus: Corpus
    symbols: int
    unkept: str = ""

    def spread(self, tokens, count):
        """Inputs and targets, (count, T), of sequences spread evenly over tokens."""
        first = np.linspace(0, len(tokens) - self.shape.context - 1, count).astype(int)
        return cut(tokens, first, self.shape.context)

    @functools.cached_property
    def held_out(self):
        """Inputs (B, T), and what follows each of the symbols that are asked for, (symbols,)."""
        tokens, targets = self.spread(
            self.corpus.held_out(self.shape.vocabulary), math.ceil(self.symbols / self.shape.context)
        )
        return tokens, targets.reshape(-1)[: self.symbols]

    @property
    def learnt(self):
        """Inputs (B, T) to feed errors back by."""
        return self.spread(self.corpus.learnt(self.shape.vocabulary), SEQUENCES)[0]

    def met(self, weights, tokens):
        """What the last matrix is multiplied with, (B T, C)."""
        return rows(forwards(unpacked(weights, self.shape), tokens, self.shape)[1][1])

    def last_met(self, weights):
        """What the last matrix is multiplied with for each symbol that is asked for, (symbols, C)."""
        return self.met(weights, self.held_out[0])[: self.symbols]

    def perplexity(self, logits) -> float:
        """Of logits for the symbols that are asked for, (symbols, V)."""
        return math.exp(cross_entropy(logits, self.held_out[1]))

    @functools.cached_property
    def before(self) -> float:
        """The perplexity as it was."""
        return self.perplexity(self.last_met(self.weights) @ unpacked(self.weights, self.shape).tokens.T)


def cross_entropy(logits, targets) -> float:
    """The mean of $\\ln \\sum_v e^{z_v} - z_{target}$ in float64: it moves by twice the largest change of z at most."""
    z = logits.astype(np.float64)
    highest = z.max(axis=-1)
    totals = highest + np.log(np.exp(z - highest[:, None]).sum(axis=-1))
    return float((totals - z[np.arange(len(z)), targets]).mean())


def rounded(model: Model, bits: int, group: int, *, feedback: bool):
    """All weights (P,) with every layer's matrices rounded, and the codes of the last matrix, (V, C)."""
    weights = model.weights.copy()
    w = unpacked(weights, model.shape)
    if feedback:
        met = fed_back(w, model.learnt, model.shape, bits, group)
        made = codes.fed_back(w.tokens, met, bits, group)
    else:
        for matrix in (matrix for layer in w.layers for matrix in (layer.qkv, layer.out, layer.up, layer.down)):
            write(matrix, codes.groupwise(np.ascontiguousarray(matrix.T), bits, group), bits)
        made = codes.groupwise(w.tokens, bits, group)
    return weights, made


def fed_back(w: Weights, tokens, shape: Shape, bits: int, group: int):
    """Round every layer's four matrices in place, each by what it meets behind those that are rounded already.

    tokens: (B, T).  What the last matrix then meets, (B T, C).
    """

    def product(met, matrix):
        write(matrix, codes.fed_back(matrix.T, rows(met), bits, group), bits)
        return met @ matrix

    x = w.tokens[tokens] + w.positions[: tokens.shape[1]]  # (B, T, C), and so on as in the model
    for layer in w.layers:
        qkv = product(layer_norm(x, layer.norm1)[0], layer.qkv)
        x = x + product(attention(qkv, shape.heads)[0], layer.out)
        up = product(layer_norm(x, layer.norm2)[0], layer.up)
        x = x + product(gelu(up)[0], layer.down)
    return rows(layer_norm(x, w.norm)[0])


def write(matrix, made, bits):
    """A matrix meets its inputs from the right: its columns are the rows of codes."""
    matrix[...] = codes.dequantised(*made, bits).T


def cost(model: Model, bits: int, group: int, *, feedback: bool) -> float:
    """The perplexity that is left."""
    weights, made = rounded(model, bits, group, feedback=feedback)
    return model.perplexity(model.last_met(weights) @ codes.dequantised(*made, bits).T)


def remarks(x, packed, scales, biases, w, model):
    """What each number of bits costs the GPT, to nearest and with feedback, in groups as large as these."""
    if model is None:
        return
    group, before = x.shape[1] // scales.shape[1], model.before
    said = []
    for bits in BITS:
        nearest, fed = (cost(model, bits, group, feedback=feedback) for feedback in (False, True))
        said.append(
            f"{nearest:.4g} ({nearest / before - 1:+.2%}) with {bits} bits to nearest, "
            f"{fed:.4g} ({fed / before - 1:+.2%}) fed back"
        )
    yield f"perplexity on {len(x):,} symbols held out: {before:.4g} in float32; {'; '.join(said)}"
    if model.unkept:
        yield f"the next run trains its GPT again: this one could not be kept ({model.unkept})"


def trained(symbols: int) -> Model:
    """The GPT that was trained here last, on its own text.  Raises CheckpointError."""
    try:
        found = read(path_to_read(training_folder("gpt")))
    except ModuleNotFoundError as error:
        raise CheckpointError("a checkpoint needs safetensors: pip install 'dl-exp[training]'") from error
    sizes = {name: int(size) for name, size in re.findall(r"(\w+)=(\d+)", found.identity.shape)}
    texts = {text.name: text for text in TRAINING.data}
    if found.identity.data not in texts or set(sizes) != set(Shape._fields):
        raise CheckpointError(f"the GPT that was trained here has learnt from {found.identity.data}; {TRAIN}")
    return Model(found.state["weights"], Shape(**sizes), texts[found.identity.data].read(), symbols)
