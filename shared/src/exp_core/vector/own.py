"""For functions of one's own that are to become vector instructions, as those of this package do.

``@elementwise`` compiles a function of numbers into the loop that calls it; ``like(x, 2)`` is a number of x's type, and
``select(condition, a, b)`` has both and takes no branch:

    @elementwise
    def relu(x: float) -> float:
        return select(x > like(x, 0), x, like(x, 0))
"""

from exp_core.vector._parts import elementwise, like, select

__all__ = ["elementwise", "like", "select"]
