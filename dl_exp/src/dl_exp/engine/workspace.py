"""What one thread remembers between the way forwards and the way back: allocated once, aligned to cache lines."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dl_exp.engine.product import K_BLOCK
from dl_exp.engine.shape import Shape
from dl_exp.engine.tile import columns
from exp_core.aligned import aligned


class Kept(NamedTuple):
    """What the way back needs of one layer, for n sequences of T tokens, R = n T."""

    qkv: np.ndarray  # (R, 3C)
    up: np.ndarray  # (R, 4C)
    y: np.ndarray  # (R, C): of attention
    xhat1: np.ndarray  # (R, C)
    xhat2: np.ndarray  # (R, C)
    r1: np.ndarray  # (R,)
    r2: np.ndarray  # (R,)
    p: np.ndarray  # (n H, T, T)


class Workspace(NamedTuple):
    """The layers', and what every layer overwrites."""

    layers: tuple[Kept, ...]
    x: np.ndarray  # (R, C): the residual stream
    xhat: np.ndarray  # (R, C): of the last normalisation
    normed: np.ndarray  # (R, C)
    wide: np.ndarray  # (R, 4C)
    d_wide: np.ndarray  # (R, 4C)
    dqkv: np.ndarray  # (R, 3C)
    dx: np.ndarray  # (R, C)
    d_normed: np.ndarray  # (R, C)
    r: np.ndarray  # (R,)
    logits: np.ndarray  # (R, V)
    ds: np.ndarray  # (T, T)
    panel: np.ndarray  # (K_BLOCK, columns of a tile)


def workspace(s: Shape, sequences: int, dtype: np.dtype) -> Workspace:
    """Memory for so many sequences."""
    v, t, c, heads = s[:4]
    r = sequences * t

    def empty(*shape: int) -> np.ndarray:
        return aligned(shape, dtype, np.zeros)

    layers = (
        Kept(
            empty(r, 3 * c), empty(r, 4 * c), empty(r, c), empty(r, c), empty(r, c), empty(r), empty(r),
            empty(sequences * heads, t, t),
        )
        for _ in range(s.layers)
    )  # fmt: skip
    return Workspace(
        tuple(layers), empty(r, c), empty(r, c), empty(r, c), empty(r, 4 * c), empty(r, 4 * c), empty(r, 3 * c),
        empty(r, c), empty(r, c), empty(r), empty(r, v), empty(t, t), empty(K_BLOCK, columns(dtype.itemsize)),
    )  # fmt: skip
