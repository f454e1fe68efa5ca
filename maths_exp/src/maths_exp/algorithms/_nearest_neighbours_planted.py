"""A tree over the points, planted: who is in which node, and what lies around it.

A balanced tree needs no pointers: node p of level l holds the points from $n p / 2^l$ to $n (p + 1) / 2^l$ of an array
in which every node is split at the median of the coordinate in which it is widest.  Around each node lies a box (k-d
tree: the least and greatest coordinates) or a ball (the mean and the greatest distance from it).

Source: J. H. Friedman, J. L. Bentley, R. A. Finkel, An algorithm for finding best matches in logarithmic expected time,
ACM Trans. Math. Software 3 (1977), 209-226.  S. M. Omohundro, Five balltree construction algorithms, ICSI (1989).
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit, prange
from exp_core.vector.registers import registers
from maths_exp.algorithms._nearest_neighbours_compiled import squared_distance


def planted(X):
    """The order of the points by the tree, the points in that order, and the number of levels above the leaves."""
    levels = max(0, int(np.ceil(np.log2(len(X) / leaf_size(X)))))
    order, keys = np.arange(len(X)), np.empty(len(X), X.dtype)
    for level in range(levels):
        split(X, order, keys, level)
    return order, X[order], levels


def leaf_size(X):
    """Points in a leaf, at most: numbers in a row of a tile."""
    return registers().vectors * registers().lanes(X.itemsize)


@njit(parallel=True)
def split(X, order, keys, level):
    """Put the lesser half of each node of a level before the greater, by its widest coordinate."""
    n, nodes = len(X), 1 << level
    for p in prange(nodes):
        first, middle, last = n * p // nodes, n * (2 * p + 1) // (2 * nodes), n * (p + 1) // nodes
        widest, width = 0, X.dtype.type(-1)
        for c in range(X.shape[1]):
            low = high = X[order[first], c]
            for i in order[first:last]:
                low, high = min(low, X[i, c]), max(high, X[i, c])
            if high - low > width:
                widest, width = c, high - low
        for place in range(first, last):
            keys[place] = X[order[place], widest]
        select(keys[first:last], order[first:last], middle - first)


@njit
def select(x, names, k):
    """Hoare's quickselect: x[k] becomes what it would be in order, nothing greater before it; names go with them."""
    first, last = 0, x.size - 1
    while first < last:
        pivot = x[(first + last) // 2]
        i, j = first, last
        while i <= j:
            while x[i] < pivot:
                i += 1
            while x[j] > pivot:
                j -= 1
            if i <= j:
                x[i], x[j] = x[j], x[i]
                names[i], names[j] = names[j], names[i]
                i, j = i + 1, j - 1
        if k <= j:
            last = j
        elif k >= i:
            first = i
        else:
            return


@njit(parallel=True)
def boxes(points, levels):
    """Least and greatest coordinates of each node, (nodes, d) each; the nodes of level l begin at $2^l - 1$."""
    n, d = points.shape
    low = np.full(((2 << levels) - 1, d), np.inf, points.dtype)
    high = np.full_like(low, -np.inf)
    leaves = 1 << levels
    for p in prange(leaves):
        for i in range(n * p // leaves, n * (p + 1) // leaves):
            for c in range(d):
                low[leaves - 1 + p, c] = min(low[leaves - 1 + p, c], points[i, c])
                high[leaves - 1 + p, c] = max(high[leaves - 1 + p, c], points[i, c])
    for node in range(leaves - 2, -1, -1):  # from its children
        for c in range(d):
            low[node, c] = min(low[2 * node + 1, c], low[2 * node + 2, c])
            high[node, c] = max(high[2 * node + 1, c], high[2 * node + 2, c])
    return low, high


@njit(parallel=True)
def balls(points, levels):
    """The mean of each node's points, (nodes, d), and the greatest distance of one from it, (nodes, 1)."""
    n, d = points.shape
    leaves = 1 << levels
    centre = np.zeros((2 * leaves - 1, d), points.dtype)
    radius = np.zeros((len(centre), 1), points.dtype)
    for p in prange(leaves):
        first, last = n * p // leaves, n * (p + 1) // leaves
        for i in range(first, last):
            for c in range(d):
                centre[leaves - 1 + p, c] += points[i, c] / (last - first)
    for level in range(levels, -1, -1):
        nodes = 1 << level
        for p in prange(nodes):
            node, first, last = nodes - 1 + p, n * p // nodes, n * (p + 1) // nodes
            if level < levels:  # from its children
                share = points.dtype.type((n * (2 * p + 1) // (2 * nodes) - first) / (last - first))
                for c in range(d):
                    centre[node, c] = share * centre[2 * node + 1, c] + (1 - share) * centre[2 * node + 2, c]
            farthest = points.dtype.type(0)
            for i in range(first, last):
                farthest = max(farthest, squared_distance(points, i, centre, node))
            radius[node, 0] = np.sqrt(farthest)
    return centre, radius


@njit(parallel=True)
def fill(points, leaves):
    """Each leaf: one coordinate of its points, then the next; places that no point takes stay infinitely far."""
    n = len(points)
    for p in prange(len(leaves)):
        first, last = n * p // len(leaves), n * (p + 1) // len(leaves)
        for i in range(first, last):
            for c in range(points.shape[1]):
                leaves[p, c, i - first] = points[i, c]
