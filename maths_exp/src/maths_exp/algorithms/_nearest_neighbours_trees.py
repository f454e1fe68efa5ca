"""Trees over the points: whole branches are left out if nothing in them can be near enough.

A balanced tree needs no pointers: node p of level l holds the points from $n p / 2^l$ to $n (p + 1) / 2^l$ of an array
in which every node is split at the median of the coordinate in which it is widest.  Around each node lies a box (k-d
tree: the least and greatest coordinates) or a ball (the mean and the greatest distance from it).

Source: J. H. Friedman, J. L. Bentley, R. A. Finkel, An algorithm for finding best matches in logarithmic expected time,
ACM Trans. Math. Software 3 (1977), 209-226.  S. M. Omohundro, Five balltree construction algorithms, ICSI (1989).
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit, prange
from exp_core.tasks import WORKERS, take
from exp_core.tensor import unit_roundoff
from maths_exp.algorithms._nearest_neighbours_compiled import insert, squared_distance

LEAF = 24  # points, at most
QUERIES = 64  # a worker takes at a time
DEEPEST = 64  # levels, and nodes that wait on the way down: one a level


def kd_tree_compiled(X, Q, k):
    """Boxes around halves of halves of the points; a box farther than the k-th neighbour so far is not opened."""
    order, points, levels = planted(X)
    low, high = boxes(points, levels)
    return by_tree(points, order, levels, low, high, Q, k, False)


def ball_tree_compiled(X, Q, k):
    """Balls instead of boxes: one distance decides, but balls overlap more."""
    order, points, levels = planted(X)
    return by_tree(points, order, levels, *balls(points, levels), Q, k, True)


def planted(X):
    """The order of the points by the tree, the points in that order, and the number of levels above the leaves."""
    levels = max(0, int(np.ceil(np.log2(len(X) / LEAF))))
    order = np.arange(len(X))
    for level in range(levels):
        split(X, order, level)
    return order, X[order], levels


def by_tree(points, order, levels, low, high, Q, k, ball):
    """Search, and name the points by their old numbers."""
    indices, D2 = np.empty((len(Q), k), np.int64), np.empty((len(Q), k), Q.dtype)
    # a ball's bound is a difference: it is lessened by what rounding may have done to it
    slack = Q.dtype.type(2 * (Q.shape[1] + 4) * unit_roundoff(Q))
    search(points, levels, low, high, Q, ball, slack, indices, D2)
    return order[indices], D2


@njit(parallel=True)
def split(X, order, level):
    """Put the lesser half of each node of a level before the greater, by its widest coordinate."""
    n, nodes = len(X), 1 << level
    for p in prange(nodes):
        part = order[n * p // nodes : n * (p + 1) // nodes]
        widest, width = 0, X.dtype.type(-1)
        for c in range(X.shape[1]):
            low = high = X[part[0], c]
            for i in part:
                low, high = min(low, X[i, c]), max(high, X[i, c])
            if high - low > width:
                widest, width = c, high - low
        middle = n * (2 * p + 1) // (2 * nodes) - n * p // nodes
        select(X[:, widest], part, middle)


@njit
def select(x, part, k):
    """Hoare's quickselect: part[k] gets what would be there in order, nothing greater before it, nothing less after."""
    first, last = 0, part.size - 1
    while first < last:
        pivot = x[part[(first + last) // 2]]
        i, j = first, last
        while i <= j:
            while x[part[i]] < pivot:
                i += 1
            while x[part[j]] > pivot:
                j -= 1
            if i <= j:
                part[i], part[j] = part[j], part[i]
                i, j = i + 1, j - 1
        if k <= j:
            last = j
        elif k >= i:
            first = i
        else:
            return


@njit
def boxes(points, levels):
    """Least and greatest coordinates of each node, (nodes, d) each; the nodes of level l begin at $2^l - 1$."""
    n, d = points.shape
    low = np.full(((2 << levels) - 1, d), np.inf, points.dtype)
    high = np.full_like(low, -np.inf)
    for node in range(len(low)):
        level = depth(node)
        p, nodes = node - (1 << level) + 1, 1 << level
        for i in range(n * p // nodes, n * (p + 1) // nodes):
            for c in range(d):
                low[node, c] = min(low[node, c], points[i, c])
                high[node, c] = max(high[node, c], points[i, c])
    return low, high


@njit
def balls(points, levels):
    """The mean of each node's points, (nodes, d), and the greatest distance of one from it, (nodes, 1)."""
    n, d = points.shape
    centre = np.zeros(((2 << levels) - 1, d), points.dtype)
    radius = np.zeros((len(centre), 1), points.dtype)
    for node in range(len(centre)):
        level = depth(node)
        p, nodes = node - (1 << level) + 1, 1 << level
        first, last = n * p // nodes, n * (p + 1) // nodes
        for i in range(first, last):
            for c in range(d):
                centre[node, c] += points[i, c] / (last - first)
        for i in range(first, last):
            radius[node, 0] = max(radius[node, 0], np.sqrt(squared_distance(points, i, centre, node)))
    return centre, radius


@njit
def depth(node):
    """The level of a node."""
    level = 0
    while (2 << level) - 1 <= node:
        level += 1
    return level


@njit
def nearest_possible(node, low, high, Q, j, ball, slack):
    """No point of the node is nearer, squared; of a box, by the coordinates in which the query is outside."""
    if ball:
        away, r = np.sqrt(squared_distance(low, node, Q, j)), high[node, 0]
        gap = max(away - r - slack * (away + r), Q.dtype.type(0))
        return gap * gap
    s = Q.dtype.type(0)
    for c in range(Q.shape[1]):
        outside = max(low[node, c] - Q[j, c], Q[j, c] - high[node, c])
        if outside > 0:
            s += outside * outside
    return s


@njit(parallel=True)
def search(points, levels, low, high, Q, ball, slack, indices, D2):
    """Down to the nearer child first; the other one waits with its bound."""
    n, m, k = len(points), len(Q), indices.shape[1]
    leaves = 1 << levels
    counter = np.zeros(1, np.int64)
    for _ in prange(WORKERS):
        waiting, bounds = np.empty(DEEPEST, np.int64), np.empty(DEEPEST, Q.dtype)
        piece = take(counter)
        while piece * QUERIES < m:
            for j in range(piece * QUERIES, min(m, (piece + 1) * QUERIES)):
                found, where = D2[j], indices[j]
                found[:] = np.inf
                waiting[0], bounds[0], count = 0, 0, 1
                while count:
                    count -= 1
                    node = waiting[count]
                    if not bounds[count] < found[k - 1]:
                        continue
                    while node < leaves - 1:
                        node = 2 * node + 1
                        near = nearest_possible(node, low, high, Q, j, ball, slack)
                        far = nearest_possible(node + 1, low, high, Q, j, ball, slack)
                        other = node + 1
                        if far < near:
                            node, other, near, far = other, node, far, near
                        if far < found[k - 1]:
                            waiting[count], bounds[count] = other, far
                            count += 1
                    p = node - leaves + 1
                    for i in range(n * p // leaves, n * (p + 1) // leaves):
                        insert(squared_distance(points, i, Q, j), i, found, where)
            piece = take(counter)
