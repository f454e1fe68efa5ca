"""What two of the sorts do to the numbers on their way, place by place."""

from __future__ import annotations

import numpy as np

from maths_exp.algorithms._sorting_textbook import SHORT, merge, partition

SHOWN = 400  # numbers whose way is drawn: every n-th one


def picture(figure, x):
    """Left quicksort, part by part; right merge sort, run by run: each row is the array a level later."""
    some = x[:: -(-x.size // SHOWN)]
    a = np.argsort(np.argsort(some, kind="stable"), kind="stable").tolist()  # ranks: every input in the same colours
    for axes, title, rows in zip(
        figure.subplots(1, 2),
        ("quicksort: split by value, level by level", "merge sort: runs that double"),
        (split(a), merged(a)),
        strict=True,
    ):
        axes.imshow(np.array(rows), aspect="auto", interpolation="nearest", cmap="viridis")
        axes.set(title=title, xlabel="place", ylabel="level")


def split(a):
    """The list after each level of partitions, until all parts are short; then sorted."""
    rows, parts = [a], [(0, len(a))]
    while parts := [(low, high) for low, high in parts if high - low > SHORT]:
        a, halves = a.copy(), []
        for low, high in parts:
            i = partition(a, low, high)
            halves += [(low, i), (i + 1, high)]
        rows.append(a)
        parts = halves
    return [*rows, sorted(a)]


def merged(a):
    """The list after each round of merges."""
    rows, width = [a], 1
    while width < len(a):
        a = [v for i in range(0, len(a), 2 * width) for v in merge(a[i : i + width], a[i + width : i + 2 * width])]
        rows.append(a)
        width *= 2
    return rows
