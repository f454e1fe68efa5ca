"""How far off a fit may be: Wedin's theorem on backward errors, and the exact solution by whole numbers.

Errors are measured with every column in its own unit: $\\|D(\\hat x - x)\\|_2 / \\|Dx\\|_2$ with $D_j = \\|a_j\\|_2$.
If $\\hat x$ is exact for data off by $\\epsilon$, then (Higham 2002, theorem 20.1, due to Wedin 1973)

    error <= kappa epsilon / (1 - kappa epsilon) (2 + (kappa + 1) ||r|| / (||A|| ||x||)).

QR makes backward errors column by column (theorem 20.3), and may take kappa of A D^-1, which is the least up to sqrt(n)
(van der Sluis 1969).  An SVD mixes columns: kappa of A itself.  The data are rounded to begin with: u more.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from exp_core.tensor import gamma, unit_roundoff
from maths_exp.linear_algebra._qr_bounds import reflections, roundings


def whole(x, low):
    """x + low as whole numbers times one power of two: an object array of ints, and the exponent."""
    pairs = [
        (Fraction(float(h)) + Fraction(float(l))).as_integer_ratio() for h, l in zip(x.flat, low.flat, strict=True)
    ]
    most = max((q for _, q in pairs), default=1)
    out = np.empty(x.size, object)
    out[:] = [p * (most // q) for p, q in pairs]
    return out.reshape(x.shape), most


def exact_solution(A, b, A_low, b_low):
    """The least-squares solution of just these numbers: normal equations in whole numbers, which do not round.

    Gaussian elimination without fractions: every division is exact (Bareiss 1968).
    """
    (a, a_unit), (y, y_unit) = whole(A, A_low), whole(b, b_low)
    C = np.concatenate([a.T @ a, (a.T @ y)[:, None]], axis=1)
    n, before = A.shape[1], 1
    for k in range(n):
        if C[k, k] == 0:  # columns that depend on each other: there is no single answer
            return np.full(n, np.nan)
        for i in range(n):
            if i != k:
                C[i] = (C[k, k] * C[i] - C[i, k] * C[k]) // before
        before = C[k, k]
    return np.array([float(Fraction(C[j, n] * a_unit, C[j, j] * y_unit)) for j in range(n)])


def units(A):
    """The length of each column, in float64."""
    return np.linalg.norm(A.astype(np.float64), axis=0)


def error(x, A, b, A_low, b_low, truth):
    r"""$\|D (\hat x - x)\| / \|D x\|$."""
    D = units(A)
    return float(np.linalg.norm(D * (np.asarray(x, np.float64) - truth)) / (np.linalg.norm(D * truth) or 1.0))


def right_digits(x, A, b, A_low, b_low, truth):
    """Log relative error, of the worst coefficient: how many of its leading digits are right; no more than 15."""
    off = np.abs(np.asarray(x, np.float64) - truth) / np.where(truth == 0, 1, np.abs(truth))
    most = 15.0 if A.dtype == np.float64 else 7.0
    return float(min(most, -math.log10(max(off.max(initial=0.0), 1e-16)))) if np.all(off < 1) else 0.0


def wedin(A, b, epsilon):
    """Theorem 20.1; infinite where kappa epsilon reaches 1."""
    s = np.linalg.svd(A, compute_uv=False)
    x = np.linalg.lstsq(A, b, rcond=None)[0]
    kappa = s[0] / s[-1] if s[-1] else math.inf
    if not kappa * epsilon < 1:
        return math.inf
    rest = np.linalg.norm(b - A @ x) / (s[0] * np.linalg.norm(x) or 1.0)
    return float(kappa * epsilon / (1 - kappa * epsilon) * (2 + (kappa + 1) * rest))


def in_own_units(A, b):
    """A D^-1 and b, in float64."""
    return A.astype(np.float64) / np.where(units(A) == 0, 1, units(A)), b.astype(np.float64)


def columnwise(A, b, epsilon):
    """Wedin's bound with columns in their own units: a relative error of each column, sqrt(n) of all."""
    return wedin(*in_own_units(A, b), math.sqrt(A.shape[1]) * (epsilon + unit_roundoff(A)))


def column_bound(A, b, A_low, b_low):
    """Theorem 20.3: n reflectors, twice as many roundings in blocks, and the triangular system (theorem 8.5)."""
    return columnwise(A, b, 2 * reflections(*A.shape, A) + gamma(A.shape[1], A))


def rotations_bound(A, b, A_low, b_low):
    """Row by row: each entry meets a rotation for every row after it, gamma_9 each (lemma 19.8)."""
    return columnwise(A, b, gamma(roundings(9 * sum(A.shape)), A) + gamma(A.shape[1], A))


def norm_bound(A, b, A_low, b_low):
    """An SVD: reflections from both sides, relative to the largest column; where that says nothing, as QR."""
    wide, right = A.astype(np.float64), b.astype(np.float64)
    epsilon = math.sqrt(A.shape[1]) * (4 * reflections(*A.shape, A) + unit_roundoff(A))
    x, D = np.linalg.lstsq(wide, right, rcond=None)[0], units(A)
    scale = D.max() * np.linalg.norm(x) / (np.linalg.norm(D * x) or 1.0)
    bound = wedin(wide, right, epsilon) * max(scale, 1.0)
    return bound if math.isfinite(bound) else column_bound(A, b, A_low, b_low)


def normal_bound(A, b, A_low, b_low):
    """(A^T A + dC) x = A^T b + dc, where Cholesky and inner products round n (m + 3n) u: kappa^2 times that.

    Higham (2002), section 20.4 and theorem 10.4.  Where kappa^2 u is too large for it, only QR's bound is right.
    """
    a, right = in_own_units(A, b)
    m, n = A.shape
    s = np.linalg.svd(a, compute_uv=False)
    loss = (s[0] / s[-1]) ** 2 * n * (gamma(roundings(m), A) + gamma(3 * n + 1, A)) if s[-1] else math.inf
    if not loss < 1:
        return column_bound(A, b, A_low, b_low)
    y = np.linalg.lstsq(a, right, rcond=None)[0]
    size = np.linalg.norm(right) / (s[0] * np.linalg.norm(y) or 1.0)
    return loss / (1 - loss) * (1 + size) + columnwise(A, b, 0.0)


def refined_bound(A, b, A_low, b_low):
    """Residuals with u^2 in the place of u (Ogita, Rump, Oishi 2005, proposition 5.5), and one rounding at the end."""
    u = 2.0**-53
    m, n = A.shape
    twice = wedin(*in_own_units(A, b), math.sqrt(n) * 4 * (m + n + 4) ** 2 * u * u)
    return 4 * twice + 2 * math.sqrt(n) * unit_roundoff(A)
