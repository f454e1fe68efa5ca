"""Trees over the points: whole branches are left out if nothing in them can be near enough.

A leaf holds as many points as one row of a tile of brute force, and is searched in the same way: the distances of all
its points at once, as vectors; then only those that are less than the k-th so far.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import intrinsic, njit, prange
from exp_core.tasks import WORKERS, take
from exp_core.tensor import unit_roundoff
from exp_core.vector.registers import Matrix, registers
from maths_exp.algorithms._nearest_neighbours_compiled import insert, lowest, squared_distance, which_less
from maths_exp.algorithms._nearest_neighbours_planted import balls, boxes, fill, leaf_size, planted

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


def by_tree(points, order, levels, low, high, Q, k, ball):
    """Search, and name the points by their old numbers."""
    indices, D2 = np.empty((len(Q), k), np.int64), np.empty((len(Q), k), Q.dtype)
    # a ball's bound is a difference: it is lessened by what rounding may have done to it
    slack = Q.dtype.type(2 * (Q.shape[1] + 4) * unit_roundoff(Q))
    leaves = np.full((1 << levels, Q.shape[1], leaf_size(Q)), np.inf, Q.dtype)
    fill(points, leaves)
    search(leaves, len(points), low, high, Q, ball, slack, indices, D2)
    return order[indices], D2


@njit
def nearest_possible(node, low, high, Q, j, ball, slack):
    """No point of the node is nearer, squared; of a box, by the coordinates in which the query is outside."""
    if ball:
        away, r = np.sqrt(squared_distance(low, node, Q, j)), high[node, 0]
        gap = away - r - slack * (away + r)
        return gap * abs(gap)  # negative inside: where balls overlap, the one that is entered deeper comes first
    s = Q.dtype.type(0)
    for c in range(Q.shape[1]):
        outside = max(low[node, c] - Q[j, c], Q[j, c] - high[node, c])
        if outside > 0:
            s += outside * outside
    return s


@intrinsic
def squared_distances(typing, leaf, Q, j, row):
    """The squared distances of all points of a leaf from query j, by differences, into row (1, points)."""
    from llvmlite import ir
    from numba import types

    def emit(context, builder, signature, arguments):
        leaf, Q, row = (Matrix(context, builder, signature.args[i], arguments[i]) for i in (0, 1, 3))
        before, loop, after = builder.block, builder.append_basic_block("c"), builder.append_basic_block("end")
        builder.branch(loop)
        builder.position_at_end(loop)
        c = builder.phi(ir.IntType(64))
        sums = [builder.phi(leaf.vector) for _ in range(registers().vectors)]
        q = Q.broadcast(arguments[2], c)
        differences = [builder.fsub(leaf.load(c, v), q) for v in range(registers().vectors)]
        new = [leaf.multiply_add(x, x, s) for x, s in zip(differences, sums, strict=True)]
        following = builder.add(c, c.type(1))
        for phi, first, then in [
            (c, c.type(0), following),
            *((s, leaf.vector(None), n) for s, n in zip(sums, new, strict=True)),
        ]:
            phi.add_incoming(first, before)
            phi.add_incoming(then, loop)
        builder.cbranch(builder.icmp_signed("<", following, Q.columns), loop, after)
        builder.position_at_end(after)
        for v, s in enumerate(new):
            row.store(s, 0, v)
        return context.get_dummy_value()

    return types.void(leaf, Q, j, row), emit


@njit(parallel=True)
def search(leaves, n, low, high, Q, ball, slack, indices, D2):
    """Down to the nearer child first; the other one waits with its bound."""
    m, k = len(Q), indices.shape[1]
    counter = np.zeros(1, np.int64)
    for _ in prange(WORKERS):
        waiting, bounds = np.empty(DEEPEST, np.int64), np.empty(DEEPEST, Q.dtype)
        row = np.empty((1, leaves.shape[2]), Q.dtype)
        piece = take(counter)
        while piece * QUERIES < m:
            for j in range(piece * QUERIES, min(m, (piece + 1) * QUERIES)):
                D2[j] = np.inf
                waiting[0], bounds[0], count = 0, 0, 1
                while count:
                    count -= 1
                    node = waiting[count]
                    if not bounds[count] < D2[j, k - 1]:
                        continue
                    while node < len(leaves) - 1:
                        node = 2 * node + 1
                        near = nearest_possible(node, low, high, Q, j, ball, slack)
                        far = nearest_possible(node + 1, low, high, Q, j, ball, slack)
                        other = node + 1
                        if far < near:
                            node, other, near, far = other, node, far, near
                        if far < D2[j, k - 1]:
                            waiting[count], bounds[count] = other, far
                            count += 1
                    p = node - len(leaves) + 1
                    squared_distances(leaves[p], Q, j, row)
                    less = which_less(row, 0, D2[j, k - 1])
                    while less:
                        lane = lowest(less)
                        insert(row[0, lane], n * p // len(leaves) + lane, j, D2, indices)
                        less &= less - np.uint64(1)
            piece = take(counter)
