"""Conjugate gradients after a triangular factor that is nearly A's: far fewer steps, each with two solves in a row.

$M = L L^T$ stands for A where directions are made: $z = M^{-1} r$.  Two factors for one loop: IC(0), which is A's own
Cholesky factor with all fill-in dropped, and SSOR, which needs no factoring at all: L is the lower triangle of A, its
diagonal divided by $\\omega$, and its columns scaled.

Source    Y. Saad, Iterative Methods for Sparse Linear Systems, 2nd ed. (2003), algorithm 9.1, sections 10.2 and 10.3.
          J. A. Meijerink, H. A. van der Vorst, An iterative solution method for linear systems of which the coefficient
          matrix is a symmetric M-matrix, Mathematics of Computation 31 (1977), 148-162: where IC(0) exists.
          D. M. Young, Iterative Solution of Large Linear Systems (1971), chapter 15: omega for SSOR.
"""

from __future__ import annotations

import math

import numpy as np

from exp_core.compiled import FUSE, REORDER, njit
from maths_exp.linear_algebra._conjugate_gradient_compiled import LIMIT, row_product


@njit
def lower_pointers(indices, indptr):
    """Where each row of A's lower triangle begins, the diagonal included."""
    n = indptr.size - 1
    pointers = np.zeros(n + 1, np.int64)
    for i in range(n):
        count = 0
        for e in range(indptr[i], indptr[i + 1]):
            count += indices[e] <= i
        pointers[i + 1] = pointers[i] + count
    return pointers


@njit
def incomplete_cholesky(data, indices, indptr):
    """L with L L^T = A wherever A has an entry; each row's last one is 1 / L_ii, and NaN where no such L exists.

    Columns are sorted in each row.  The reciprocal is for solve(): a division would be in the chain of its rows.
    """
    n = indptr.size - 1
    pointers = lower_pointers(indices, indptr)
    columns, L = np.empty(pointers[n], indices.dtype), np.empty(pointers[n], data.dtype)
    for i in range(n):
        first, f = pointers[i], pointers[i]
        for e in range(indptr[i], indptr[i + 1]):
            j = indices[e]
            if j > i:
                break
            s, a, c = data[e], first, pointers[j]
            while a < f and c < pointers[j + 1] - 1:  # columns before j that rows i and j share
                if columns[a] == columns[c]:
                    s -= L[a] * L[c]
                    a += 1
                    c += 1
                elif columns[a] < columns[c]:
                    a += 1
                else:
                    c += 1
            if j == i:
                s = data[e]
                for a in range(first, f):
                    s -= L[a] * L[a]
                L[f] = 1 / math.sqrt(s)
            else:
                L[f] = s * L[pointers[j + 1] - 1]
            columns[f] = j
            f += 1
    return L, columns, pointers


@njit
def ssor(data, indices, indptr, omega):
    """L = (D / omega + lower triangle of A) D^-1/2; as in incomplete_cholesky() each row's last one is 1 / L_ii.

    The factor omega / (2 - omega) that makes M near to A is left out: CG is the same for every multiple of M.
    """
    n = indptr.size - 1
    pointers = lower_pointers(indices, indptr)
    columns, L, d = np.empty(pointers[n], indices.dtype), np.empty(pointers[n], data.dtype), np.empty(n, data.dtype)
    for i in range(n):
        f = pointers[i]
        for e in range(indptr[i], indptr[i] + pointers[i + 1] - f):
            j = indices[e]
            if j == i:
                d[i] = math.sqrt(data[e])
                L[f] = omega / d[i]
            else:
                L[f] = data[e] / d[j]
            columns[f] = j
            f += 1
    return L, columns, pointers


@njit(fastmath=FUSE)
def solve(L, columns, pointers, r, z):
    """z = (L L^T)^-1 r: forwards by rows, backwards by scattering each row.  A row waits for the one before it."""
    n = r.size
    for i in range(n):
        s, last = r[i], pointers[i + 1] - 1
        for e in range(pointers[i], last):  # the neighbour just solved for is the last one: nothing else waits for it
            s -= L[e] * z[columns[e]]
        z[i] = s * L[last]
    for i in range(n - 1, -1, -1):
        last = pointers[i + 1] - 1
        t = z[i] * L[last]
        z[i] = t
        for e in range(pointers[i], last):
            z[columns[e]] -= L[e] * t


@njit(fastmath=REORDER)
def preconditioned(data, indices, indptr, L, columns, pointers, b, tolerance, limit):
    """Preconditioned CG: z in the place of r where directions are made; the residual that stops it is the true one."""
    n = b.size
    x, r, p, z, Ap = np.zeros_like(b), b.copy(), np.zeros_like(b), np.empty_like(b), np.empty_like(b)
    rr = 0.0
    for i in range(n):
        rr += b[i] * b[i]
    enough = tolerance * tolerance * rr
    before, k = 1.0, 0
    while rr > enough and k < limit:
        solve(L, columns, pointers, r, z)
        rz = 0.0
        for i in range(n):
            rz += r[i] * z[i]
        beta = rz / before if k else 0.0
        for i in range(n):
            p[i] = z[i] + beta * p[i]
        pAp = 0.0
        for i in range(n):
            t = row_product(data, indices, indptr[i], indptr[i + 1], p)
            Ap[i] = t
            pAp += t * p[i]
        alpha, rr = rz / pAp, 0.0
        for i in range(n):
            x[i] += alpha * p[i]
            r[i] -= alpha * Ap[i]
            rr += r[i] * r[i]
        before = rz
        k += 1
    return x, k


def after(factor, data, indices, indptr, b, tolerance, *more):
    """Factor, and then iterate: unsigned, since of a negative index each one would be asked whether it is one."""
    indices, indptr = indices.view(np.uint32), indptr.view(np.uint32)
    L, columns, pointers = factor(data, indices, indptr, *more)
    x, k = preconditioned(data, indices, indptr, L, columns, pointers.view(np.uint64), b, tolerance, LIMIT * b.size)
    return x, int(k)


def cg_incomplete_cholesky(data, indices, indptr, b, tolerance):
    """Preconditioned by IC(0), Cholesky without fill-in: fewer steps, each with two solves that are one long chain."""
    return after(incomplete_cholesky, data, indices, indptr, b, tolerance)


def relaxation(n, m):
    """The omega that is best if A is Poisson's matrix on n points of a cube with m = 2d + 1 entries a row, units aside.

    $\\omega = 2 / (1 + \\sqrt{2 (1 - \\rho)})$ with Jacobi's spectral radius $\\rho = \\cos \\pi h$ (Young 1971): then
    kappa is $O(1/h)$, not $O(1/h^2)$.  For another A it is a guess; any omega from 0 to 2 gives a right answer.
    """
    h = 1 / (n ** (1 / max(m // 2, 1)) + 1)
    return 2 / (1 + 2 * math.sin(math.pi * h / 2))


def cg_ssor(data, indices, indptr, b, tolerance):
    """Preconditioned by SSOR: A's own triangle, over-relaxed; the steps grow only like the root of the side."""
    omega = relaxation(b.size, int(np.diff(indptr).max()))
    return after(ssor, data, indices, indptr, b, tolerance, omega)
