"""The scalar tape: one node a number, as in micrograd; and the network written for numbers."""

from __future__ import annotations


class Value:
    """A number that knows its operands, and the derivative of itself by each of them."""

    __slots__ = ("data", "grad", "parents")

    def __init__(self, data: float, parents: tuple = ()) -> None:
        self.data = data
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        if isinstance(other, Value):
            return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))
        return Value(self.data + other, ((self, 1.0),))

    def __mul__(self, other):
        if isinstance(other, Value):
            return Value(self.data * other.data, ((self, other.data), (other, self.data)))
        return Value(self.data * other, ((self, other),))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self):
        """$\\max(x, 0)$; at 0 the derivative 0."""
        return Value(max(self.data, 0.0), ((self, 1.0 if self.data > 0 else 0.0),))

    def backward(self):
        """Set ``grad``, the derivative of this number, in everything that it was computed from."""
        order, seen, todo = [], set(), [(self, False)]
        while todo:
            value, done = todo.pop()
            if done:
                order.append(value)
            elif value not in seen:
                seen.add(value)
                todo.append((value, True))
                todo += [(parent, False) for parent, _ in value.parents]
        self.grad = 1.0
        for value in reversed(order):
            for parent, slope in value.parents:
                parent.grad += slope * value.grad


def network(nodes, point, shape):
    """f(x) for one point, from the weights in the order of their vector."""
    rest, values = iter(nodes), point
    for layer, (n_in, n_out) in enumerate(shape.layers):
        sums = [next(rest) for _ in range(n_out)]  # the biases come first
        for i in range(n_in):
            sums = [total + next(rest) * values[i] for total in sums]
        values = [total.relu() for total in sums] if layer < 2 else sums
    return values[0]
