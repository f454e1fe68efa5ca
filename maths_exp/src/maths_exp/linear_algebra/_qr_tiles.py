"""The arithmetic of a tall matrix, tile by tile: rows that stay in cache, worked on four columns at a time.

A tile t has shape (columns, rows): each column of A is one contiguous row of t, so that a loop down a column is a loop
over neighbours, which the compiler turns into vector instructions of whatever width the machine has.  Columns are
padded with zeros to a multiple of four.  Two kernels do nearly all of the work: 16 multiply-adds on 8 numbers loaded.
"""

from __future__ import annotations

from exp_core.compiled import FUSE, REORDER, njit

ROWS = (
    1024  # rows of a tile: 1024 x 32 float64 are 256 KiB, in second-level cache; shorter ones break up the reading of A
)
PAD = 16  # between the columns of a tile: without it, a power of two would send them all to the same sets of the cache


@njit
def padded(n):
    """n rounded up to a multiple of four."""
    return (n + 3) // 4 * 4


@njit
def load(columns, first, t, rows):
    """Copy so many rows from the first on into the tile; zeros in the columns that A does not have."""
    for j in range(t.shape[0]):
        column = t[j]
        if j < columns.shape[0]:
            source = columns[j, first : first + rows]
            for r in range(rows):
                column[r] = source[r]
        else:
            for r in range(rows):
                column[r] = 0


@njit
def store(t, rows, columns, first):
    """Copy the tile back to so many rows from the first on."""
    for j in range(columns.shape[0]):
        column = t[j]
        target = columns[j, first : first + rows]
        for r in range(rows):
            target[r] = column[r]


@njit(fastmath=REORDER)
def add_dots(x, i, y, j, rows, G):
    """G[i:i+4, j:j+4] += x[i:i+4] y[j:j+4]^T: 16 inner products at once, each number loaded is used four times."""
    x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
    y0, y1, y2, y3 = y[j], y[j + 1], y[j + 2], y[j + 3]
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = x.dtype.type(0)
    s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = x.dtype.type(0)
    for r in range(rows):
        a, b, c, d = x0[r], x1[r], x2[r], x3[r]
        e, f, g, h = y0[r], y1[r], y2[r], y3[r]
        s00, s01, s02, s03 = s00 + a * e, s01 + a * f, s02 + a * g, s03 + a * h
        s10, s11, s12, s13 = s10 + b * e, s11 + b * f, s12 + b * g, s13 + b * h
        s20, s21, s22, s23 = s20 + c * e, s21 + c * f, s22 + c * g, s23 + c * h
        s30, s31, s32, s33 = s30 + d * e, s31 + d * f, s32 + d * g, s33 + d * h
    sums = ((s00, s01, s02, s03), (s10, s11, s12, s13), (s20, s21, s22, s23), (s30, s31, s32, s33))
    for k in range(4):
        for l in range(4):
            G[i + k, j + l] += sums[k][l]


@njit(fastmath=FUSE)
def subtract(q, k, x, j, rows, W):
    """x[j:j+4] -= W[k:k+4, j:j+4]^T q[k:k+4]: four columns lose their parts along four others."""
    q0, q1, q2, q3 = q[k], q[k + 1], q[k + 2], q[k + 3]
    x0, x1, x2, x3 = x[j], x[j + 1], x[j + 2], x[j + 3]
    w00, w10, w20, w30 = W[k, j], W[k + 1, j], W[k + 2, j], W[k + 3, j]
    w01, w11, w21, w31 = W[k, j + 1], W[k + 1, j + 1], W[k + 2, j + 1], W[k + 3, j + 1]
    w02, w12, w22, w32 = W[k, j + 2], W[k + 1, j + 2], W[k + 2, j + 2], W[k + 3, j + 2]
    w03, w13, w23, w33 = W[k, j + 3], W[k + 1, j + 3], W[k + 2, j + 3], W[k + 3, j + 3]
    for r in range(rows):
        a, b, c, d = q0[r], q1[r], q2[r], q3[r]
        y0 = x0[r] - a * w00 - b * w10 - c * w20 - d * w30
        y1 = x1[r] - a * w01 - b * w11 - c * w21 - d * w31
        y2 = x2[r] - a * w02 - b * w12 - c * w22 - d * w32
        y3 = x3[r] - a * w03 - b * w13 - c * w23 - d * w33
        x0[r], x1[r], x2[r], x3[r] = y0, y1, y2, y3


@njit(fastmath=FUSE)
def divide_by_triangle(x, j, rows, R):
    """x[j:j+4] of X R = A, once the columns before j are subtracted: substitution with a triangle of four."""
    x0, x1, x2, x3 = x[j], x[j + 1], x[j + 2], x[j + 3]
    one = x.dtype.type(1)
    d0, d1, d2, d3 = one / R[j, j], one / R[j + 1, j + 1], one / R[j + 2, j + 2], one / R[j + 3, j + 3]
    r01, r02, r03 = R[j, j + 1], R[j, j + 2], R[j, j + 3]
    r12, r13, r23 = R[j + 1, j + 2], R[j + 1, j + 3], R[j + 2, j + 3]
    for r in range(rows):
        a = x0[r] * d0
        b = (x1[r] - a * r01) * d1
        c = (x2[r] - a * r02 - b * r12) * d2
        d = (x3[r] - a * r03 - b * r13 - c * r23) * d3
        x0[r], x1[r], x2[r], x3[r] = a, b, c, d


@njit
def add_gram(t, rows, G):
    """G += t t^T, the upper triangle in blocks of four."""
    for i in range(0, t.shape[0], 4):
        for j in range(i, t.shape[0], 4):
            add_dots(t, i, t, j, rows, G)


@njit
def solve_triangle(t, rows, R):
    """The tile X of X R = A in place of A's: every column loses its parts along those before it, then is scaled."""
    for j in range(0, t.shape[0], 4):
        for k in range(0, j, 4):
            subtract(t, k, t, j, rows, R)
        divide_by_triangle(t, j, rows, R)
