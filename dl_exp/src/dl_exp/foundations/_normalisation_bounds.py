"""How far rounding may take a normalised entry, by the condition of its variance.

$\\kappa = \\sqrt{\\overline{x^2}} / s$ of a set of n entries with $s^2 = \\sigma^2 + \\epsilon$ is the condition number
of s.  Computed with unit roundoff u, s has a relative error of about

    sum of squares   $n u \\kappa^2$            one pass
    Welford          $n u \\kappa$              one pass
    deviations       $n u + (n u \\kappa)^2$    two passes

Source: T. Chan, G. Golub, R. LeVeque, Algorithms for computing the sample variance: analysis and recommendations,
The American Statistician 37 (1983), 242-247, table 1; Higham (2002), section 1.9 and problem 1.10.
"""

from __future__ import annotations

import math

import numpy as np

from exp_core.tensor import dtype_name, float_format, gamma, unit_roundoff

EPS = 1e-5  # under the root: PyTorch's and MLX's default
BENIGN = 4  # up to this condition all three are as good
ROOT_ULP = 3  # 1/sqrt, or a root and a division (Metal Shading Language Specification, table 8.2: rsqrt within 2 ulp)


def sets(x, kind, groups):
    """A view of x whose rows are the sets that are normalised, each for itself: shape (sets, entries)."""
    if kind == "batch":
        return x.T
    return x.reshape(-1, x.shape[1] // groups)


def exact(x, w, b, kind, groups):
    """(y, z): the result in float64, and what it was before weight and bias."""
    z = np.empty(x.shape)
    sources, targets = sets(x.astype(np.float64), kind, groups), sets(z, kind, groups)
    mean = 0 if kind == "rms" else sources.mean(axis=1, keepdims=True)
    targets[...] = (sources - mean) / np.sqrt(np.square(sources - mean).mean(axis=1, keepdims=True) + EPS)
    return z * w.astype(np.float64) + b.astype(np.float64), z


def error(y, x, w, b, kind, groups, truth):
    """$|\\hat y - y|$ over $|w| (1 + |z|) + |b|$: z is known only as well as the mean, and that is in units of s."""
    if np.shape(y) != x.shape or dtype_name(y) != dtype_name(x):
        return math.inf
    right, z = truth
    scale = np.abs(w.astype(np.float64)) * (1 + np.abs(z)) + np.abs(b.astype(np.float64))
    scale += float_format(x).smallest_subnormal / unit_roundoff(x)  # what a small number may be off, by its format
    off = np.abs(np.asarray(y).astype(np.float64) - right) / scale
    return float(off.max()) if not np.isnan(off).any() else math.nan


def condition(x, kind, groups):
    """The largest $\\kappa$ of all sets, and n."""
    parts = sets(x.astype(np.float64), kind, groups)
    mean = 0 if kind == "rms" else parts.mean(axis=1, keepdims=True)
    variance = np.square(parts - mean).mean(axis=1)
    return float(np.sqrt(np.square(parts).mean(axis=1) / (variance + EPS)).max()), parts.shape[1]


def rounded(x, of_scale, kappa, n, roundings):
    """Of y: the mean's error $\\gamma_{n+1} \\kappa$, that of s times z, five operations, the result's roundings."""
    of_mean = gamma(n + 1, "float32") * kappa
    return of_mean + of_scale + gamma(5 + ROOT_ULP, "float32") + roundings * unit_roundoff(x)


def two_passes_bound(x, w, b, kind, groups, roundings=1):
    """Deviations from a mean that is itself rounded: what that adds is of second order."""
    kappa, n = condition(x, kind, groups)
    relative = gamma(n + 4, "float32") + (gamma(n + 1, "float32") * kappa) ** 2  # of s squared
    return rounded(x, relative, kappa, n, roundings)


def library_bound(x, w, b, kind, groups):
    """The same; but with weight and bias applied apart, in x's own type, their results are rounded too."""
    return two_passes_bound(x, w, b, kind, groups, roundings=3)


def welford_bound(x, w, b, kind, groups):
    """Each of the n steps adds to M with the rounding of the mean so far."""
    kappa, n = condition(x, kind, groups)
    return rounded(x, 2 * gamma(n + 4, "float32") * kappa, 2 * kappa, n, 1)


def squares_bound(x, w, b, kind, groups):
    """Two sums of the size $n \\overline{x^2}$ are subtracted; past BENIGN it is held to what Welford would give."""
    kappa, n = condition(x, kind, groups)
    return rounded(x, 2 * gamma(n + 4, "float32") * kappa * min(kappa, BENIGN), kappa, n, 1)
