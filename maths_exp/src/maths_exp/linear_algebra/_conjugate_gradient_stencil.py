"""One pass a step: a stencil on a chessboard, whose matrix is a few numbers and a byte an entry.

Idea      Poisson's matrix says the same in every row: in the black points' order and the red ones' its coupling F has
          few diagonals, each of one number or nothing.  The number is kept once, and a byte says whether it is there;
          F and its transpose are the same bytes, shifted.  Next to that, vectors are what memory has to carry:

          A step's second dot product must wait for its first, and so for the whole vector: two passes at least.  But
          $r_{k+1} = r_k - \\alpha S p_k$ is orthogonal to $r_k$: sums of the pass before foretell its square,
          $\\alpha^2 \\|S p_k\\|^2 - \\|r_k\\|^2$.  Only beta trusts that, alpha takes the one that was summed: what
          rounding does to beta is not added up (Meurant 1987).

          Then x, r, p and Sp are read and written once: a block is brought up to date, multiplied by F some blocks
          later, and by F^T as many later again, all of it still in the cache.  Where two threads' parts meet, a seam
          is worked before, so that none reads what another writes.
Source    G. Meurant, Multitasking the conjugate gradient method on the CRAY X-MP/48, Parallel Computing 5 (1987).
          Y. Saad, Iterative Methods for Sparse Linear Systems, 2nd ed. (2003), section 12.4.1: red and black.
"""

from __future__ import annotations

import numpy as np

from exp_core import Skip
from exp_core.compiled import REORDER, njit, prange
from maths_exp.linear_algebra._conjugate_gradient_compiled import LIMIT, total
from maths_exp.linear_algebra._conjugate_gradient_red_black import chessboard, not_two_coloured

ROWS = 2048  # rows a block: its x, r, p, Sp, y and those of the blocks between F and F^T share the second cache
MOST = 32  # diagonals; a matrix with more is not a stencil's


@njit
def diagonals(data, indices, indptr, red, place):
    """Where the diagonals of F are, their numbers, and the number on A's own; three empty ones if A is no stencil's.

    F[i, i + offsets[d]] is values[d] or nothing; ``place`` is a point's number among those of its colour.
    """
    n = indptr.size - 1
    slot = np.full(n + 1, -1, np.int64)
    offsets, values, main, count = np.empty(MOST, np.int64), np.empty(MOST), np.empty(1), 0
    nothing = offsets[:0], values[:0], main[:0]
    for i in range(n):
        for e in range(indptr[i], indptr[i + 1]):
            if indices[e] == i:
                main[0] = data[e] if i == 0 else main[0]
                if data[e] != main[0]:
                    return nothing
    for i in range(red.size):
        for e in range(indptr[red[i]], indptr[red[i] + 1]):
            if indices[e] == red[i]:
                continue
            offset = np.int64(place[indices[e]]) - i
            d = slot[offset + red.size]
            if d < 0:
                if count == MOST:
                    return nothing
                slot[offset + red.size] = d = count
                offsets[d], values[d] = offset, data[e]
                count += 1
            if data[e] != values[d]:
                return nothing
    return offsets[:count], values[:count], main


@njit(parallel=True)
def presence(indices, indptr, red, place, offsets, wide, rows):
    """there[d, wide + i]: whether F has an entry in row i on diagonal d; with room for shifts by ``wide``."""
    there = np.zeros((offsets.size, rows + 2 * wide), np.uint8)
    for c in prange((red.size + ROWS - 1) // ROWS):
        for i in range(c * ROWS, min(red.size, (c + 1) * ROWS)):
            for e in range(indptr[red[i]], indptr[red[i] + 1]):
                for d in range(offsets.size):
                    if indices[e] != red[i] and np.int64(place[indices[e]]) - i == offsets[d]:
                        there[d, wide + i] = 1
    return there


@njit(fastmath=REORDER)
def couple(there, values, rows, offsets, source, first, out):
    """Some rows of F source: rows 0 and F's offsets; or of F^T source: both are the offsets with the other sign."""
    out[:] = 0
    for d in range(offsets.size):
        value, present, moved = values[d], there[d, first + rows[d] :], source[first + offsets[d] :]
        for i in range(out.size):
            out[i] += value * moved[i] if present[i] else 0.0


@njit(fastmath=REORDER)
def advance(alpha, beta, x, r, p, Sp):
    """x, r and p from the last step's to this one's; returns the new r^T r."""
    s = 0.0
    for i in range(x.size):
        x[i] += alpha * p[i]
        t = r[i] - alpha * Sp[i]
        r[i] = t
        s += t * t
        p[i] = t + beta * p[i]
    return s


@njit(fastmath=REORDER)
def finish(main, p, Sp):
    """Sp = D p - F^T y, of which Sp has the second term; returns p^T S p and (Sp)^T S p."""
    s = t = 0.0
    for i in range(p.size):
        v = main * p[i] - Sp[i]
        Sp[i] = v
        s += v * p[i]
        t += v * v
    return s, t


@njit
def to_seam(blocks, parts):
    """How many blocks each one is away from where two parts meet: 0 on both sides of the cut."""
    away = np.full(blocks, blocks)
    for part in range(1, parts):
        cut = blocks * part // parts
        for c in range(blocks):
            away[c] = min(away[c], c - cut if c >= cut else cut - 1 - c)
    return away


@njit(parallel=True, fastmath=REORDER)
def one_pass(there, values, offsets, main, reds, b, tolerance, limit, threads):
    """CG for S x = b, S = main - F^T F / main; stops at the length of the residual."""
    n, m, blocks = b.size, there.shape[1], (max(b.size, reds) + ROWS - 1) // ROWS
    wide = (m - max(n, reds)) // 2
    behind = (wide + ROWS - 1) // ROWS  # blocks: as far as F reaches
    parts = max(1, min(threads, blocks // (4 * behind)))
    away = to_seam(blocks, parts)
    x, p, Sp, r, y = np.zeros(m), np.zeros(m), np.zeros(m), np.zeros(m), np.zeros(m)
    r[wide : wide + n] = b
    over, back, here = values / main, -offsets, np.zeros_like(offsets)
    rr, pSp, SpSp = np.zeros(blocks), np.zeros(blocks), np.zeros(blocks)
    alpha, beta, k = 0.0, 0.0, 0
    while True:
        for c in prange(blocks):
            if away[c] < 2 * behind:
                i, j = wide + c * ROWS, wide + min(n, (c + 1) * ROWS)
                rr[c] = advance(alpha, beta, x[i:j], r[i:j], p[i:j], Sp[i:j])
        for c in prange(blocks):
            if away[c] < behind:
                i = wide + c * ROWS
                couple(there, over, here, offsets, p, i, y[i : wide + min(reds, (c + 1) * ROWS)])
        for part in prange(parts):
            first, last = blocks * part // parts, blocks * (part + 1) // parts
            for a in range(first, last + 2 * behind):
                if a < last and away[a] >= 2 * behind:
                    i, j = wide + a * ROWS, wide + min(n, (a + 1) * ROWS)
                    rr[a] = advance(alpha, beta, x[i:j], r[i:j], p[i:j], Sp[i:j])
                c = a - behind
                if first <= c < last and away[c] >= behind:
                    i = wide + c * ROWS
                    couple(there, over, here, offsets, p, i, y[i : wide + min(reds, (c + 1) * ROWS)])
                c -= behind
                if first <= c:
                    i, j = wide + c * ROWS, wide + min(n, (c + 1) * ROWS)
                    couple(there, values, back, back, y, i, Sp[i:j])
                    pSp[c], SpSp[c] = finish(main, p[i:j], Sp[i:j])
        norm = total(rr)
        if not norm > tolerance * tolerance or k == limit:
            return x[wide : wide + n], k
        alpha = norm / total(pSp)
        beta = max(0.0, alpha * alpha * total(SpSp) - norm) / norm
        k += 1


def not_a_stencil(data, indices, indptr, b, tolerance):
    """Two colours, and in their order few diagonals of one number each."""
    uncoloured = not_two_coloured(data, indices, indptr, b, tolerance)
    if uncoloured or not b.size:
        return uncoloured
    red, _, place = chessboard(indices, indptr)
    found = diagonals(data, indices, indptr, red, place)[2].size
    return None if found else Skip("A is no stencil: a diagonal of it has different numbers, or it has too many")


def cg_stencil(data, indices, indptr, b, tolerance):
    """The red points eliminated, a byte an entry instead of a number, and one pass over the vectors a step."""
    import numba

    red, black, place = chessboard(indices, indptr)
    offsets, values, main = diagonals(data, indices, indptr, red, place)
    if not main.size:
        raise ValueError("A is no stencil: take cg_red_black, which needs two colours and no more")
    d, wide, rows = main[0], max(1, int(np.abs(offsets).max(initial=0))), max(red.size, black.size)
    there = presence(indices, indptr, red, place, offsets, wide, rows)
    padded, out = np.zeros(rows + 2 * wide), np.empty(rows)
    padded[wide : wide + red.size] = b[red] / d
    couple(there, values, -offsets, -offsets, padded, wide, out[: black.size])
    right = b[black] - out[: black.size]
    size = tolerance * np.sqrt(b @ b)
    x_b, k = one_pass(there, values, offsets, d, red.size, right, size, LIMIT * b.size, numba.get_num_threads())
    padded[:] = 0
    padded[wide : wide + black.size] = x_b
    couple(there, values, np.zeros_like(offsets), offsets, padded, wide, out[: red.size])
    x = np.empty_like(b)
    x[black], x[red] = x_b, (b[red] - out[: red.size]) / d
    return x, int(k)
