"""Stockham's passes for eight transforms side by side, one in each lane: no pass ever moves numbers between lanes.

A row is eight complex numbers, row r of x begins at x[x0 + r dx]; x and y are complex arrays or rows of reals.
Radix 8 takes three of the log2 n levels in one pass over memory, and all but two of its inner weights are free.
"""

from __future__ import annotations

from exp_core.compiled import njit
from maths_exp.basics._fft_lanes import ROW
from maths_exp.basics._fft_moves import eighth, load, quarter, splat, store, stream


@njit(forceinline=True)
def dft4(a, b, c, d):
    """Length 4: eight additions."""
    even, odd, both, turned = a + c, a - c, b + d, quarter(b - d)
    return even + both, odd + turned, even - both, odd - turned


@njit(forceinline=True)
def dft8(a, b, c, d, e, f, g, h):
    """Length 8: even results from the sums, odd ones from the differences, turned by 0, 1, 2 and 3 eighths."""
    y0, y2, y4, y6 = dft4(a + e, b + f, c + g, d + h)
    y1, y3, y5, y7 = dft4(a - e, eighth(b - f), quarter(c - g), quarter(eighth(d - h)))
    return y0, y1, y2, y3, y4, y5, y6, y7


@njit(forceinline=True)
def read4(x, i, d):
    """Four rows, d apart."""
    return load(x, i), load(x, i + d), load(x, i + 2 * d), load(x, i + 3 * d)


@njit(forceinline=True)
def read8(x, i, d):
    """Eight rows, d apart."""
    return read4(x, i, d) + read4(x, i + 4 * d, d)


@njit(forceinline=True)
def write4(y, j, d, z, streaming):
    """Four rows, d apart; streaming passes the caches by, which pays when the result is larger than they are."""
    if streaming:
        stream(y, j, z[0])
        stream(y, j + d, z[1])
        stream(y, j + 2 * d, z[2])
        stream(y, j + 3 * d, z[3])
    else:
        store(y, j, z[0])
        store(y, j + d, z[1])
        store(y, j + 2 * d, z[2])
        store(y, j + 3 * d, z[3])


@njit
def pass4(x, x0, dx, y, y0, dy, m, s, w, k):
    """The formula at the head of _fft_stockham with r = 4; the weights stand from w[k] on, three for each p."""
    for p in range(m):
        for q in range(s):
            a, b, c, d = dft4(*read4(x, x0 + (p * s + q) * dx, m * s * dx))
            j = y0 + (4 * p * s + q) * dy
            store(y, j, a)
            store(y, j + s * dy, b * splat(w, k))
            store(y, j + 2 * s * dy, c * splat(w, k + 1))
            store(y, j + 3 * s * dy, d * splat(w, k + 2))
        k += 3


@njit
def pass8(x, x0, dx, y, y0, dy, m, s, w, k):
    """The same with r = 8 and seven weights."""
    for p in range(m):
        for q in range(s):
            a, b, c, d, e, f, g, h = dft8(*read8(x, x0 + (p * s + q) * dx, m * s * dx))
            j = y0 + (8 * p * s + q) * dy
            store(y, j, a)
            store(y, j + s * dy, b * splat(w, k))
            store(y, j + 2 * s * dy, c * splat(w, k + 1))
            store(y, j + 3 * s * dy, d * splat(w, k + 2))
            store(y, j + 4 * s * dy, e * splat(w, k + 3))
            store(y, j + 5 * s * dy, f * splat(w, k + 4))
            store(y, j + 6 * s * dy, g * splat(w, k + 5))
            store(y, j + 7 * s * dy, h * splat(w, k + 6))
        k += 7


@njit
def last4(x, x0, dx, y, y0, dy, s, streaming):
    """The last pass: m = 1, and all weights are 1."""
    for q in range(s):
        z = dft4(*read4(x, x0 + q * dx, s * dx))
        write4(y, y0 + q * dy, s * dy, z, streaming)


@njit
def last8(x, x0, dx, y, y0, dy, s, streaming):
    """The last pass with r = 8."""
    for q in range(s):
        z = dft8(*read8(x, x0 + q * dx, s * dx))
        write4(y, y0 + q * dy, s * dy, z[:4], streaming)
        write4(y, y0 + (4 * s + q) * dy, s * dy, z[4:], streaming)


def radices(k):
    """The passes of a transform of length $2^k$, k >= 3: eights, then as few fours as make up the rest."""
    fours = -k % 3
    return [8] * ((k - 2 * fours) // 3) + [4] * fours


@njit
def transform(x, x0, dx, y, y0, dy, k, w, k0, work, here, there, streaming):
    """Eight transforms of length 2**k from x to y; work has room for two blocks, at here and at there."""
    fours = -k % 3
    eights = (k - 2 * fours) // 3
    if eights + fours == 1:
        last8(x, x0, dx, y, y0, dy, 1, streaming)
        return
    m, s = 1 << k, 1
    if eights > 0:
        m, s, eights = m // 8, 8, eights - 1
        pass8(x, x0, dx, work, here, ROW, m, 1, w, k0)
    else:
        m, s, fours = m // 4, 4, fours - 1
        pass4(x, x0, dx, work, here, ROW, m, 1, w, k0)
    k0 += (s - 1) * m
    while eights + fours > 1:
        if eights > 0:
            m, eights = m // 8, eights - 1
            pass8(work, here, ROW, work, there, ROW, m, s, w, k0)
            k0 += 7 * m
            s *= 8
        else:
            m, fours = m // 4, fours - 1
            pass4(work, here, ROW, work, there, ROW, m, s, w, k0)
            k0 += 3 * m
            s *= 4
        here, there = there, here
    if fours > 0:
        last4(work, here, ROW, y, y0, dy, s, streaming)
    else:
        last8(work, here, ROW, y, y0, dy, s, streaming)
