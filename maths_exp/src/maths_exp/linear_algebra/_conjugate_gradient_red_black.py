"""Red and black: half of the unknowns are eliminated beforehand, and with them half of the steps.

Idea      Colour a grid like a chessboard: no two red points are neighbours, so that the red block of A is a diagonal,
          $A = [D_r, F; F^T, D_b]$.  Given the black unknowns the red ones follow by a division; what is left is
          $S x_b = b_b - F^T D_r^{-1} b_r$ with $S = D_b - F^T D_r^{-1} F$.  A product with S costs what one with A
          does, every vector is half as long, and kappa is about a quarter of Jacobi's: $1 - \\mu^2$ for $1 - \\mu$.
          It is SSOR on the points in this order, with omega = 1, the best one there; and all of it can be threaded.
Source    Y. Saad, Iterative Methods for Sparse Linear Systems, 2nd ed. (2003), section 12.4.1.
          L. A. Hageman, D. M. Young, Applied Iterative Methods (1981), chapter 8: the reduced system.
"""

from __future__ import annotations

import numpy as np

from exp_core import Skip
from exp_core.compiled import REORDER, njit, prange
from maths_exp.linear_algebra._conjugate_gradient_compiled import LIMIT, ROWS, row_product, total


@njit
def two_colours(indices, indptr):
    """0 or 1 for each row, such that entries off the diagonal join a 0 and a 1; 2 for all if there is no such way."""
    n = indptr.size - 1
    colour, queue = np.full(n, 2, np.uint8), np.empty(n, np.int64)
    for start in range(n):
        if colour[start] != 2:
            continue
        colour[start], queue[0] = 0, start
        first, last = 0, 1
        while first < last:
            i = queue[first]
            first += 1
            for e in range(indptr[i], indptr[i + 1]):
                j = indices[e]
                if colour[j] == 2:
                    colour[j], queue[last] = 1 - colour[i], j
                    last += 1
                elif colour[j] == colour[i] and j != i:
                    colour[:] = 2
                    return colour
    return colour


@njit
def couplings(data, indices, indptr, rows, place):
    """Of these rows the entries off the diagonal, with new column numbers, and the diagonal."""
    pointers = np.zeros(rows.size + 1, np.uint32)
    for c in range(rows.size):
        pointers[c + 1] = pointers[c] + indptr[rows[c] + 1] - indptr[rows[c]] - 1
    values, columns = np.empty(pointers[-1], data.dtype), np.empty(pointers[-1], np.uint32)
    diagonal = np.empty(rows.size, data.dtype)
    for c in range(rows.size):
        f = pointers[c]
        for e in range(indptr[rows[c]], indptr[rows[c] + 1]):
            if indices[e] == rows[c]:
                diagonal[c] = data[e]
            else:
                values[f], columns[f] = data[e], place[indices[e]]
                f += 1
    return values, columns, pointers, diagonal


@njit(parallel=True)
def eliminate(F, b, p, out, diagonal):
    """out = D^-1 (b - F p): the unknowns of one colour from those of the other."""
    values, columns, pointers = F
    for c in prange((out.size + ROWS - 1) // ROWS):
        for i in range(c * ROWS, min(out.size, (c + 1) * ROWS)):
            out[i] = (b[i] - row_product(values, columns, pointers[i], pointers[i + 1], p)) / diagonal[i]


@njit(parallel=True, fastmath=REORDER)
def reduced(F, Ft, red, black, b, tolerance, limit):
    """CG for S x = b, preconditioned by the black diagonal; stops at the length of the residual, and never forms S."""
    values, columns, pointers = F
    values_t, columns_t, pointers_t = Ft
    n = b.size
    blocks, red_blocks = (n + ROWS - 1) // ROWS, (red.size + ROWS - 1) // ROWS
    parts, weighted = np.zeros(blocks), np.zeros(blocks)
    x, p, Sp, r, y = np.zeros_like(b), np.zeros_like(b), np.empty_like(b), b.copy(), np.empty_like(red)
    alpha, before, k = 0.0, 1.0, 0
    while True:
        for c in prange(blocks):
            s = t = 0.0
            for i in range(c * ROWS, min(n, (c + 1) * ROWS)):
                r[i] -= alpha * Sp[i] if k else 0.0
                s += r[i] * r[i]
                t += r[i] * r[i] / black[i]
            parts[c], weighted[c] = s, t
        rz = total(weighted)
        beta = rz / before if k else 0.0
        for c in prange(blocks):
            for i in range(c * ROWS, min(n, (c + 1) * ROWS)):
                x[i] += alpha * p[i]
                p[i] = r[i] / black[i] + beta * p[i]
        if not total(parts) > tolerance * tolerance or k == limit:
            return x, k
        for c in prange(red_blocks):
            for i in range(c * ROWS, min(red.size, (c + 1) * ROWS)):
                y[i] = row_product(values, columns, pointers[i], pointers[i + 1], p) / red[i]
        for c in prange(blocks):
            s = 0.0
            for i in range(c * ROWS, min(n, (c + 1) * ROWS)):
                t = black[i] * p[i] - row_product(values_t, columns_t, pointers_t[i], pointers_t[i + 1], y)
                Sp[i] = t
                s += t * p[i]
            parts[c] = s
        alpha = rz / total(parts)
        before = rz
        k += 1


def not_two_coloured(data, indices, indptr, b, tolerance):
    """Grids with neighbours along the axes can be coloured like a chessboard; triangles cannot."""
    coloured = b.size == 0 or two_colours(indices, indptr)[0] != 2
    return None if coloured else Skip("two colours do not suffice: three unknowns of A are all coupled")


def chessboard(indices, indptr):
    """The red points, the black ones, and each one's number among those of its colour."""
    colour = two_colours(indices, indptr)
    red, black = np.flatnonzero(colour == 0), np.flatnonzero(colour == 1)
    if not red.size:
        raise ValueError("two colours do not suffice for A: take cg_ssor")
    place = np.empty(colour.size, np.uint32)
    place[red], place[black] = np.arange(red.size), np.arange(black.size)
    return red, black, place


def cg_red_black(data, indices, indptr, b, tolerance):
    """Red points are eliminated, as on a chessboard: half as many steps on vectors half as long, and all in threads."""
    red, black, place = chessboard(indices, indptr)
    *F, D_r = couplings(data, indices, indptr, red, place)
    *Ft, D_b = couplings(data, indices, indptr, black, place)
    F, Ft = tuple(F), tuple(Ft)
    x, b_r, b_b = np.empty_like(b), b[red], b[black]
    y, x_r, ones = np.zeros_like(b_r), np.empty_like(b_r), np.ones_like(b_b)
    eliminate(F, b_r, np.zeros_like(b_b), y, D_r)
    right = np.empty_like(b_b)
    eliminate(Ft, b_b, y, right, ones)
    x[black], k = reduced(F, Ft, D_r, D_b, right, tolerance * np.sqrt(b @ b), LIMIT * b.size)
    eliminate(F, b_r, x[black], x_r, D_r)
    x[red] = x_r
    return x, int(k)
