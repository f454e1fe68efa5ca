"""The GPT trained for real, as nanoGPT's configuration for a CPU has it: until it writes in the style of its text."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from dl_exp.engine.shape import Shape, unpacked
from dl_exp.sequence import _gpt_engine
from dl_exp.sequence._gpt_by_hand import forwards, mean_loss
from dl_exp.sequence._gpt_model import STEPS, rate, start_weights
from dl_exp.sequence._gpt_picture import draw_attention
from dl_exp.text import read_python_docs, read_text, read_tinyshakespeare
from exp_core.training import DataSet, Engine, Target, Training, windows

LOOKED_AT = 20, 12  # batches of so many sequences to evaluate, as nanoGPT does


def model(
    data,
    *,
    context: Annotated[int, "symbols in a sequence"] = 64,
    width: Annotated[int, "numbers in a symbol's vector"] = 128,
    heads: Annotated[int, "heads of attention; they divide the width"] = 4,
    layers: Annotated[int, "layers"] = 4,
    pieces: Annotated[int, "symbols to cut the text into by byte pairs, above 256; 1: single characters"] = 1,
):
    """The shape for a text.  Raises ValueError for sizes that do not go together."""
    if width % heads:
        raise ValueError(f"--heads {heads} do not divide --width {width}: choose heads that do")
    if pieces > 1 and pieces == data.characters:
        raise ValueError(f"the text has {pieces} characters as well: choose another number of --pieces")
    vocabulary = data.tokeniser(pieces if pieces > 1 else data.characters).size
    if min(len(data.learnt(vocabulary)), len(data.held_out(vocabulary))) <= context:
        raise ValueError(f"the tenth that is held out is no longer than --context {context}: choose a longer text")
    return Shape(vocabulary, context, width, heads, layers)


def start(shape, rng):
    """The weights, and AdamW's two means."""
    weights = start_weights(shape, rng)
    return {"weights": weights, "m": np.zeros_like(weights), "v": np.zeros_like(weights)}


def batches(shape, data, seed, steps, batch):
    """Windows of the text at random; the targets are one symbol further on."""
    tokens = data.learnt(shape.vocabulary)
    first = windows(len(tokens), shape.context + 1, batch, seed, steps)
    return cut(tokens, first, shape.context)


def cut(tokens, first, context):
    """Inputs and targets, (..., context), of the windows that begin at ``first``."""
    found = tokens[first[..., None] + np.arange(context + 1)]
    return np.ascontiguousarray(found[..., :-1]), np.ascontiguousarray(found[..., 1:])


def threads_engine(shape, state, batches, step):
    """The CPU engine."""
    return _gpt_engine.advance(shape, state, batches, step)


def mlx_engine(shape, state, batches, step):
    """The compiled graph, on MLX's device."""
    import mlx.core as mx

    from dl_exp.sequence._gpt_mlx import compiled_run

    arrays, (*batches, rates) = [mx.array(state[name]) for name in ("weights", "m", "v")], batches
    losses, after = compiled_run(arrays, tuple(map(mx.array, batches)), rates, step, shape)
    return np.array(losses), {name: np.array(array) for name, array in zip(("weights", "m", "v"), after, strict=True)}


def evaluate(shape, state, data):
    """The mean loss of windows spread evenly over what is held out."""
    tokens, (count, batch) = data.held_out(shape.vocabulary), LOOKED_AT
    first = np.linspace(0, len(tokens) - shape.context - 1, count * batch).astype(int).reshape(count, batch)
    return {"held-out loss": float(np.mean([mean_loss(state["weights"], *cut(tokens, row, shape.context), shape)
                                            for row in first]))}  # fmt: skip


def sample(shape, state, data, prompt, length, rng):
    """How the prompt goes on: each symbol is drawn from what the model expects; without one, as the text begins.

    Raises ValueError for a character that the text does not have.
    """
    tokeniser, w = data.tokeniser(shape.vocabulary), unpacked(state["weights"], shape)
    tokens = tokeniser.encode(prompt).tolist() or data.learnt(shape.vocabulary)[:1].tolist()
    begun = len(tokens)
    for _ in range(length):
        seen = np.array([tokens[-shape.context :]])
        logits = forwards(w, seen, shape)[0][0, -1].astype(np.float64)
        p = np.exp(logits - logits.max())
        tokens.append(int(rng.choice(shape.vocabulary, p=p / p.sum())))
    return tokeniser.decode(tokens[begun:])


def picture(figure, shape, state, data, rng):
    """Where the heads look in a piece of the text that was held out."""
    tokens = data.held_out(shape.vocabulary)
    begin = int(rng.integers(0, len(tokens) - shape.context))
    draw_attention(figure, state["weights"], tokens[None, begin : begin + shape.context], shape)


TRAINING = Training(
    data=(
        DataSet("python-docs", read_python_docs, "Python's own help, 0.5 MB"),
        DataSet("tinyshakespeare", read_tinyshakespeare, "Shakespeare, 1.1 MB, downloaded once", requires=("pooch",)),
    ),
    model=model,
    start=start,
    batches=batches,
    engines=(Engine(threads_engine, "compiled"), Engine(mlx_engine, "compiled", arrays="mlx", parallel=True)),
    evaluate=evaluate,
    targets=(
        Target("held-out loss", 1.89, "less", "nanoGPT, its configuration for a CPU: 1.88", data=("tinyshakespeare",)),
    ),
    steps=STEPS,
    batch=12,
    rate=rate,
    unit="tokens",
    per_example=lambda shape: shape.context,
    file=read_text,
    sample=sample,
    picture=picture,
)
