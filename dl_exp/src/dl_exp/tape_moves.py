"""Operations of the tape that compute nothing: entries are moved, and their derivatives moved back."""

from __future__ import annotations

from dl_exp.tape import Tensor
from exp_core.tensor import dtype_name, namespace, one_hot


def reshape(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The same entries in another shape."""
    return Tensor(x.value.reshape(shape), ((x, lambda g: g.reshape(x.shape)),))


def swap(x: Tensor, one: int, other: int) -> Tensor:
    """Two axes exchanged."""
    xp = namespace(x.value)
    return Tensor(xp.swapaxes(x.value, one, other), ((x, lambda g: xp.swapaxes(g, one, other)),))


def columns(x: Tensor, start: int, stop: int) -> Tensor:
    """A part of the last axis; the rest has the derivative 0."""
    xp, value = namespace(x.value), x.value

    def back(g):
        return xp.concatenate([value[..., :start] * 0, g, value[..., stop:] * 0], axis=-1)

    return Tensor(value[..., start:stop], ((x, back),))


def item(x: Tensor, i: int) -> Tensor:
    """One of a stack; the others have the derivative 0."""
    xp, value = namespace(x.value), x.value

    def back(g):
        return xp.concatenate([value[:i] * 0, xp.expand_dims(g, 0), value[i + 1 :] * 0], axis=0)

    return Tensor(value[i], ((x, back),))


def take(x: Tensor, rows) -> Tensor:
    """Rows of a matrix by their numbers, an array of any shape: what is taken twice has the sum of both."""

    rows = namespace(x.value).array(rows)

    def back(g):
        hot = one_hot(rows.reshape(-1), x.shape[0], dtype=dtype_name(x.value))
        return hot.T @ g.reshape(-1, x.shape[1])

    return Tensor(x.value[rows], ((x, back),))
