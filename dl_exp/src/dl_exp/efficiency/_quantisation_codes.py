"""Weights as small whole numbers: a scale and an offset for each group, to nearest or with what is lost passed on.

Codes are packed from the lowest bits of 32-bit words up; scale s and offset $\\beta$ belong to g neighbours in a row,
and $\\hat w = s q + \\beta$.  The same scheme as mx.quantize's (mode affine), to the last bit.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

WORD = 32
SMALLEST_SCALE = np.float32(1e-7)  # MLX's

# What every problem here is asked for.
Rows = Annotated[int, "rows of x: words at a time"]
Bits = Annotated[int, "bits of a weight, 4 or 8"]
Group = Annotated[int, "neighbours with one scale: 32, 64 or 128"]


def groupwise(w, bits, group):
    """Round to nearest: (packed (out, k bits / 32) uint32, scales (out, k / g), biases (out, k / g)) of w (out, k).

    The end of the group that is larger in size gets a code of its own, and zero too, so that both are exact; that bends
    the scale a little from (max - min) / (2^bits - 1).  Source: mx.quantize's documentation, and MLX's array of codes.
    """
    grouped = w.reshape(len(w), -1, group)
    scales, biases = grid(grouped, bits)
    return pack(nearest(grouped, scales, biases, bits).reshape(w.shape), bits), scales, biases


def grid(grouped, bits):
    """The scale and the offset of each group, over the last axis."""
    low, high = grouped.min(axis=-1), grouped.max(axis=-1)
    steps = np.float32(2**bits - 1)
    scale = np.maximum((high - low) / steps, SMALLEST_SCALE)
    scale = np.where(abs(low) > abs(high), scale, -scale)
    end = np.where(abs(low) > abs(high), low, high)
    zero = np.rint(end / scale)  # how many steps zero is away
    there = zero != 0
    return np.where(there, end / np.where(there, zero, 1), scale), np.where(there, end, np.float32(0))


def nearest(grouped, scales, biases, bits):
    """The nearest code of each weight."""
    codes = np.rint((grouped - biases[..., None]) / scales[..., None])
    return np.clip(codes, 0, 2**bits - 1).astype(np.uint32)


def fed_back(w, x, bits, group, damping=0.01):
    """Column by column, what rounding has lost is taken off the columns that are still to come, as inputs x correlate.

    With $H = x^T x + \\lambda I$ and the Cholesky factor $U^T U = H^{-1}$, the loss e of column i is made up for best
    by $w_j \\mathrel{-}= e U_{ij} / U_{ii}$, j > i: in its own group at once, in the later ones when the group is over.
    A group's grid is laid when its first column comes.
    Source: E. Frantar, S. Ashkboos, T. Hoefler, D. Alistarh, GPTQ, arXiv:2210.17323 (2022), algorithm 1.
    """
    out, k = w.shape
    x = x.astype(np.float64)
    H = x.T @ x
    H += damping * max(np.trace(H) / k, np.finfo(np.float32).tiny) * np.eye(k)
    U = np.linalg.cholesky(np.linalg.inv(H)).T
    left = w.astype(np.float64)
    codes = np.empty((out, k), np.uint32)
    scales, biases = np.empty((2, out, k // group), np.float32)
    for g, first in enumerate(range(0, k, group)):
        last = first + group
        s, b = scales[:, g], biases[:, g] = grid(left[:, first:last].astype(np.float32), bits)
        e = np.empty((out, group))
        for i in range(first, last):
            codes[:, i : i + 1] = nearest(left[:, i, None].astype(np.float32), s, b, bits)
            e[:, i - first] = (left[:, i] - (s.astype(np.float64) * codes[:, i] + b)) / U[i, i]
            left[:, i + 1 : last] -= np.outer(e[:, i - first], U[i, i + 1 : last])
        left[:, last:] -= e @ U[first:last, last:]
    return pack(codes, bits), scales, biases


def pack(codes, bits):
    """(out, k) codes -> (out, k bits / 32) words."""
    per_word = WORD // bits
    places = np.arange(per_word, dtype=np.uint32) * np.uint32(bits)
    return (codes.reshape(len(codes), -1, per_word) << places).sum(axis=-1, dtype=np.uint32)


def unpack(packed, bits):
    """(out, words) -> (out, k) codes."""
    places = np.arange(WORD // bits, dtype=np.uint32) * np.uint32(bits)
    return ((packed[..., None] >> places) & np.uint32(2**bits - 1)).reshape(len(packed), -1)


def dequantised(packed, scales, biases, bits):
    """(out, k) weights in float64."""
    q = unpack(packed, bits).reshape(*scales.shape, -1).astype(np.float64)
    return (scales[..., None] * q + biases[..., None]).reshape(len(packed), -1)


def bits_of(x, packed):
    """So many bits a code: the words of a row share out its weights."""
    return WORD * packed.shape[1] // x.shape[1]


def check(k, bits, group):
    """Raise ValueError for sizes that the scheme does not have."""
    if bits not in (4, 8) or group not in (32, 64, 128):
        raise ValueError(f"weights have 4 or 8 bits and groups 32, 64 or 128, not {bits} and {group}")
    if k % group:
        raise ValueError(
            f"a row of {k} weights is no whole number of groups of {group}: choose --k {group * (k // group + 1)}"
        )
