"""Who crosses off whom on the wheel, and how far the primes stray from their density."""

from __future__ import annotations

from math import isqrt

import numpy as np

from maths_exp.basics._primes_tested import primes_between
from maths_exp.basics._primes_wheel import RESIDUES, WHEEL, numbers

BYTES = 60  # shown
SHOWN = 400_000  # numbers whose primes are counted one by one
PARTS = 400  # of the curve


def picture(figure, low, high, counting):
    """Above the first bytes, each number in the colour of its smallest factor; below the count against its density."""
    wheel, curve = figure.subplots(2, 1)
    crossings(wheel, low)
    deviation(curve, low, min(high, low + SHOWN))


def crossings(axes, low):
    """A column for each byte, a row for each bit; primes are white."""
    from matplotlib.colors import ListedColormap

    n = numbers(low // WHEEL, BYTES)  # (bytes, 8)
    factor = np.zeros(n.shape, int)
    few = [p for block in primes_between(7, min(isqrt(int(n.max())), 31)) for p in block.tolist()]
    for place, p in reversed(list(enumerate(few, start=2))):
        factor[(n % p == 0) & (n > p)] = place
    prime = np.isin(n, np.concatenate(list(primes_between(int(n.min()), int(n.max())))))
    factor[(factor == 0) & ~prime] = 1  # 1 itself, and multiples of larger primes
    colours = ["white", "0.75", *(f"C{i}" for i in range(len(few)))]
    axes.imshow(factor.T, ListedColormap(colours), vmin=0, vmax=len(colours) - 1, aspect="auto", origin="lower")
    axes.set_yticks(range(8), [f"30 b + {r}" for r in RESIDUES])
    axes.set(
        xlabel=f"byte b - {low // WHEEL:,}" if low >= WHEEL else "byte b",
        title="a byte holds eight of thirty numbers; primes are white",
    )
    names = ["prime", "no prime for another reason", *(f"by {p}" for p in few)]
    handles = [
        axes.scatter([], [], marker="s", color=c, edgecolors="0.5", label=s)
        for c, s in zip(colours, names, strict=True)
    ]
    axes.legend(handles=handles, fontsize="x-small", loc="center left", bbox_to_anchor=(1, 0.5))


def deviation(axes, low, high):
    """How many primes more than the integral of 1 / ln x there are, from the beginning of the interval on."""
    from scipy.special import expi

    begin = max(low, 2)
    x = np.linspace(begin, max(high, begin + 1), PARTS)
    primes = np.concatenate([np.zeros(0), *primes_between(begin, high)])
    expected = expi(np.log(x)) - expi(np.log(begin))
    axes.axhline(0, color="0.7", linewidth=1)
    axes.plot(x - low, np.searchsorted(primes, x, side="right") - expected)
    axes.set(
        xlabel=f"x - {low:,}" if low else "x",
        ylabel="primes more than expected",
        title=f"{primes.size:,} primes to x; the density 1 / ln x promises {expected[-1]:,.0f}",
    )
