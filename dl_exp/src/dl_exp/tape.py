"""The tape: arrays that remember how they were computed, so that their derivatives can be found backwards.

    x = Tensor(array)
    loss = mean(tanh(x @ w))
    dx, dw = gradient(loss, [x, w])

A ``Tensor`` holds an array, NumPy's or MLX's, and for each operand the *pullback*: what turns the derivative of the
loss by the result into that by the operand.  The derivative of every operation stands in the operation; those that
only move entries are in ``tape_moves``.

Source: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. (2008), chapter 3, reverse mode.
"""

from __future__ import annotations

from collections.abc import Sequence

from exp_core.tensor import gelu_tanh, gelu_tanh_derivative, namespace, relu_derivative
from exp_core.tensor import logsumexp as logsumexp_of
from exp_core.tensor import relu as relu_of
from exp_core.tensor import softmax as softmax_of


class Tensor:
    """An array with its history: ``parents`` are pairs of an operand and its pullback."""

    __slots__ = ("parents", "value")
    __array_ufunc__ = None  # a NumPy array to the left of an operator leaves the operation to us

    def __init__(self, value, parents=()) -> None:
        self.value = value
        self.parents = parents

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return self.value.shape

    def __add__(self, other):
        a, b = self, as_tensor(other)
        return Tensor(a.value + b.value, ((a, lambda g: folded(g, a)), (b, lambda g: folded(g, b))))

    def __mul__(self, other):
        a, b = self, as_tensor(other)
        return Tensor(
            a.value * b.value,
            ((a, lambda g: folded(g * b.value, a)), (b, lambda g: folded(g * a.value, b))),
        )

    def __matmul__(self, other):
        """$C = AB$: $\\bar A = \\bar C B^T$, $\\bar B = A^T \\bar C$; both are matrices, or stacks of them."""
        a, b = self, as_tensor(other)
        return Tensor(
            a.value @ b.value,
            (
                (a, lambda g: folded(g @ transposed(b.value), a)),
                (b, lambda g: folded(transposed(a.value) @ g, b)),
            ),
        )

    def __neg__(self):
        return Tensor(-self.value, ((self, lambda g: -g),))

    def __sub__(self, other):
        return self + -as_tensor(other)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return -self + other


def as_tensor(x) -> Tensor:
    """A constant has no history; a Python number takes the type of what it meets."""
    return x if isinstance(x, Tensor) else Tensor(x)


def relu(x: Tensor) -> Tensor:
    """$\\max(x, 0)$."""
    return Tensor(relu_of(x.value), ((x, lambda g: g * relu_derivative(x.value)),))


def tanh(x: Tensor) -> Tensor:
    """$\\tanh' = 1 - \\tanh^2$."""
    y = namespace(x.value).tanh(x.value)
    return Tensor(y, ((x, lambda g: g * (1 - y * y)),))


def total(x: Tensor, axis: int | None = None) -> Tensor:
    """The sum, of all or along an axis: each term's derivative is the sum's."""
    xp = namespace(x.value)
    if axis is None:
        return Tensor(xp.sum(x.value), ((x, lambda g: xp.broadcast_to(g, x.shape)),))
    y = xp.sum(x.value, axis=axis)
    return Tensor(y, ((x, lambda g: xp.broadcast_to(xp.expand_dims(g, axis), x.shape)),))


def mean(x: Tensor) -> Tensor:
    """The mean of all entries."""
    return total(x) * (1 / x.value.size)


def logsumexp(x: Tensor) -> Tensor:
    """$\\log \\sum_j e^{x_j}$ along the last axis; its derivative is the softmax."""
    xp = namespace(x.value)
    return Tensor(logsumexp_of(x.value), ((x, lambda g: xp.expand_dims(g, -1) * softmax_of(x.value)),))


def softmax(x: Tensor) -> Tensor:
    """$p = \\mathrm{softmax}(x)$ along the last axis: $\\bar x = p \\circ (\\bar p - \\sum p\\,\\bar p)$."""
    xp, p = namespace(x.value), softmax_of(x.value)
    return Tensor(p, ((x, lambda g: p * (g - xp.sum(p * g, axis=-1, keepdims=True))),))


def gelu(x: Tensor) -> Tensor:
    """GELU in GPT-2's form."""
    return Tensor(gelu_tanh(x.value), ((x, lambda g: g * gelu_tanh_derivative(x.value)),))


def standardised(x: Tensor, epsilon: float) -> Tensor:
    """$y = (x - \\mu)\\,r$, $r = 1/\\sqrt{\\sigma^2 + \\epsilon}$, along the last axis.

    $\\bar x = r\\,(\\bar y - \\mathrm{mean}\\,\\bar y - y\\,\\mathrm{mean}(\\bar y\\,y))$.
    """
    xp = namespace(x.value)

    def mean_of(y):
        return xp.mean(y, axis=-1, keepdims=True)

    away = x.value - mean_of(x.value)
    r = 1 / xp.sqrt(mean_of(away * away) + epsilon)
    y = away * r
    return Tensor(y, ((x, lambda g: r * (g - mean_of(g) - y * mean_of(g * y))),))


def transposed(x):
    """Matrices, or each of a stack, with rows and columns exchanged."""
    return namespace(x).swapaxes(x, -1, -2)


def folded(g, like: Tensor):
    """A derivative summed over the axes along which the operand was repeated; a Python number needs none."""
    shape = getattr(like.value, "shape", None)
    if shape is None or g.shape == shape:
        return g
    xp = namespace(g)
    while g.ndim > len(shape):
        g = xp.sum(g, axis=0)
    for axis, size in enumerate(shape):
        if size == 1 != g.shape[axis]:
            g = xp.sum(g, axis=axis, keepdims=True)
    return g


def gradient(loss: Tensor, by: Sequence[Tensor]) -> list:
    """The derivative of a loss, one number, by each of these tensors, shaped as they are.

    Every tensor hands its derivative on once, when all that use it have added theirs.  What the loss does not depend
    on has the derivative 0.  Raises ValueError if the loss is not one number.
    """
    if loss.value.size != 1:
        raise ValueError(f"a gradient is that of one number, not of shape {loss.shape}")
    derivatives = {id(loss): loss.value * 0 + 1}
    for tensor in reversed(history(loss)):
        g = derivatives[id(tensor)]
        for parent, pullback in tensor.parents:
            if hasattr(parent.value, "shape"):
                known = derivatives.get(id(parent))
                derivatives[id(parent)] = pullback(g) if known is None else known + pullback(g)
    return [derivatives.get(id(tensor), tensor.value * 0) for tensor in by]


def history(loss: Tensor) -> list[Tensor]:
    """Everything that the loss was computed from, operands before results; without recursion, which would run out."""
    order, seen, todo = [], set(), [(loss, False)]
    while todo:
        tensor, done = todo.pop()
        if done:
            order.append(tensor)
        elif id(tensor) not in seen and hasattr(tensor.value, "shape"):
            seen.add(id(tensor))
            todo.append((tensor, True))
            todo += [(parent, False) for parent, _ in tensor.parents]
    return order
