"""A GPT of our own, trained once in some seconds, always to the same weights, and kept in the user's cache folder.

nanoGPT's configuration for a CPU (800,000 weights), on Python's own help.  What is kept is named after all that its
weights depend on; a file that cannot be read is made again, and where none can be written the GPT lives in the process.
Of several processes that want it one trains, and the others wait for what it keeps.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dl_exp.engine.shape import Shape
from dl_exp.sequence._gpt_model import ADAMW, rate, start_weights
from dl_exp.sequence._gpt_training import TRAINING, batches, model
from dl_exp.text import Corpus, read_python_docs
from exp_core.alone import alone
from exp_core.folders import cache_folder
from exp_core.waiting import tell

FORMAT = 1  # of what is kept; another training needs another number
PARTS = 2  # of a batch, whoever computes them: their sums are rounded in this order
TOLD = 10  # steps between two words of how far it is


class Trained(NamedTuple):
    """What it has learnt, and from which text.

    weights: (P,), float32, not to be written to.     unkept: why the next run has to train it again; mostly empty.
    """

    weights: np.ndarray
    shape: Shape
    corpus: Corpus
    unkept: str


@functools.lru_cache(maxsize=2)
def our_gpt(steps: int, seed: int) -> Trained:
    """It after so many steps."""
    corpus, shape, unkept = read_python_docs(), our_shape(), ""
    path = place(corpus, shape, steps, seed)
    weights = load(path, shape)
    if weights is None:
        with alone(cache_folder() / "gpt.lock", waiting):
            weights = load(path, shape)  # another process may have trained it meanwhile
            if weights is None:
                weights = trained(corpus, shape, steps, seed)
                unkept = keep(path, weights)
    weights.flags.writeable = False
    return Trained(weights, shape, corpus, unkept)


def waiting() -> None:
    """Say that another process is at it; whoever hears it may have no time."""
    tell("waiting for another process that trains a GPT", 0.0)


def our_shape() -> Shape:
    """Its sizes."""
    return model(read_python_docs())


def trained(corpus: Corpus, shape: Shape, steps: int, seed: int) -> np.ndarray:
    """The weights, (P,), after that many steps of the CPU engine; says how far it is."""
    from dl_exp.engine.trainer import Trainer

    trainer = Trainer(shape, TRAINING.batch, PARTS, ADAMW)
    trainer.weights[:] = start_weights(shape, np.random.default_rng(seed))
    trainer.m[:], trainer.v[:] = 0, 0
    for step in range(steps):
        if step % TOLD == 0:
            tell("training a GPT, this once", step / steps)
        tokens, targets = batches(shape, corpus, seed, range(step, step + 1), TRAINING.batch)
        trainer.step(tokens[0], targets[0], step + 1, rate(step, steps))
    return trainer.weights.copy()


def place(corpus: Corpus, shape: Shape, steps: int, seed: int) -> Path:
    """A file of its own for each text, shape and training."""
    text = hashlib.sha256(corpus.text.encode()).hexdigest()
    known = repr((FORMAT, text, shape, steps, seed, TRAINING.batch, PARTS, ADAMW))
    return cache_folder() / "gpt" / f"{hashlib.sha256(known.encode()).hexdigest()[:24]}.npy"


def load(path: Path, shape: Shape) -> np.ndarray | None:
    """The weights in a file; None if it is not there, damaged, or holds something else."""
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    right = isinstance(found, np.ndarray) and found.shape == (shape.layout.size,) and found.dtype == np.float32
    return found if right and np.isfinite(found).all() else None


def keep(path: Path, weights: np.ndarray) -> str:
    """Write beside the place and move there in one step; where nothing can be written, why, in a few words."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                np.save(file, weights, allow_pickle=False)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        return f"{error.strerror}: {path.parent}"
    return ""
