"""Who adds what to what in a group of threads, and what the order does to the error."""

from __future__ import annotations

import math

import numpy as np

from exp_core.tensor import unit_roundoff

THREADS = 16  # of the group that is drawn


def picture(figure, x):
    """Left: the tree of a group.  Right: the error of a loop and of a tree."""
    left, right = figure.subplots(1, 2)
    draw_tree(left)
    draw_errors(right, x)


def draw_tree(axes):
    """A level a row: threads that still add, and where they read."""
    alive = THREADS
    for level in range(int(math.log2(THREADS)) + 1):
        axes.plot(range(alive), [-level] * alive, "o", color="C0", markersize=5)
        axes.plot(range(alive, THREADS), [-level] * (THREADS - alive), "o", color="0.85", markersize=5)
        alive //= 2
        for thread in range(alive):
            axes.plot([thread, thread], [-level, -level - 1], color="C0", linewidth=1)
            axes.plot([thread + alive, thread], [-level, -level - 1], color="C1", linewidth=1)
    axes.set(xlabel="thread", ylabel="barriers passed", title="A tree: half of the threads stop at each level")
    axes.set_yticks([-level for level in range(int(math.log2(THREADS)) + 1)])
    axes.set_yticklabels([str(level) for level in range(int(math.log2(THREADS)) + 1)])


def draw_errors(axes, x):
    """The worst of eight stretches of x, for ever longer ones."""
    x = x.astype(np.float32)
    counts = [2**k for k in range(1, 15) if 2**k <= max(x.size, 2)]
    for name, total in (("one after the other", lambda part: np.cumsum(part)[-1]), ("in a tree", in_a_tree)):
        errors = [max(error(total(part), part) for part in stretches(x, n)) for n in counts]
        axes.loglog(counts, np.maximum(errors, unit_roundoff("float32") / 100), marker="o", label=name)
    axes.loglog(counts, [n * unit_roundoff("float32") for n in counts], "k:", label="n u")
    axes.loglog(counts, [math.log2(n) * unit_roundoff("float32") for n in counts], "k--", label="log₂ n · u")
    axes.set(xlabel="terms n", ylabel="|error| / Σ|x|", title="The order decides what is lost")
    axes.legend(fontsize="small")


def stretches(x, n):
    """Up to eight pieces of x, n terms each."""
    return [x[i : i + n] for i in range(0, max(min(x.size - n + 1, 8 * n), 1), n)]


def in_a_tree(x):
    """The upper half onto the lower half, until one is left."""
    while x.size > 1:
        half = (x.size + 1) // 2
        x = x[:half] + np.append(x[half:], np.zeros(2 * half - x.size, x.dtype))
    return x[0]


def error(s, x):
    r"""$|\hat s - s| / \sum |x|$."""
    wide = x.astype(np.float64).tolist()
    scale = math.fsum(map(abs, wide))
    return abs(float(s) - math.fsum(wide)) / scale if scale else 0.0
