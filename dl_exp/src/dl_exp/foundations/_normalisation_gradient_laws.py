"""The gradients in float64, their own measures of error, and how far rounding may take them."""

from __future__ import annotations

import math

import numpy as np

from dl_exp.foundations._normalisation_bounds import EPS, ROOT_ULP, condition
from exp_core import Cost
from exp_core.tensor import dtype_name, float_format, gamma, unit_roundoff


def exact(x, w, dy, kind):
    """(dx, dw, db) in float64, and the size of what is added up in each of them."""
    x, w, dy = (each.astype(np.float64) for each in (x, w, dy))
    centred = x - (0 if kind == "rms" else x.mean(axis=1, keepdims=True))
    r = 1 / np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + EPS)
    z, g = centred * r, w * dy
    of_mean = 0 if kind == "rms" else g.mean(axis=1, keepdims=True)
    dx = r * (g - of_mean - z * (g * z).mean(axis=1, keepdims=True))
    sizes = r * (np.abs(g) + (1 + np.abs(z)) * (np.abs(g) * (1 + np.abs(z))).mean(axis=1, keepdims=True))
    truth = dx, (dy * z).sum(axis=0), dy.sum(axis=0)
    return truth, (sizes, (np.abs(dy) * (1 + np.abs(z))).sum(axis=0), np.abs(dy).sum(axis=0))


def error_of(place):
    """The law of one of the three: |result - truth| over the size of what is added up in it."""

    def error(result, x, w, dy, kind, truth):
        if not isinstance(result, tuple) or len(result) != 3:
            return math.inf
        found, right, size = result[place], truth[0][place], truth[1][place]
        if np.shape(found) != right.shape or dtype_name(found) != dtype_name(x):
            return math.inf
        tiny = float_format(x).smallest_subnormal / unit_roundoff(x)  # what a small number may be off, by its format
        off = np.abs(np.asarray(found).astype(np.float64) - right) / (size + tiny)
        return float(off.max()) if not np.isnan(off).any() else math.nan

    return error


def of_z(x, kind):
    """What z may be off, over 1 + |z|, and n: as in normalisation, by two passes (see there)."""
    kappa, n = condition(x, kind, 1)
    of_mean = gamma(n + 1, "float32") * kappa
    return of_mean + gamma(n + 4, "float32") + of_mean**2 + gamma(3 + ROOT_ULP, "float32"), n


def input_bound(x, w, dy, kind):
    """z stands in it twice, and r once more; two means of n, and some operations."""
    off, n = of_z(x, kind)
    return 3 * off + gamma(n + 8, "float32") + unit_roundoff(x)


def weight_bound(x, w, dy, kind):
    """A sum over the rows of products with z."""
    return of_z(x, kind)[0] + gamma(len(x) + 1, "float32") + unit_roundoff(x)


def bias_bound(x, w, dy, kind):
    """A sum over the rows."""
    return gamma(len(x), "float32") + unit_roundoff(x)


LAWS = {"dx": error_of(0), "dw": error_of(1), "db": error_of(2)}
BOUND = {"dx": input_bound, "dw": weight_bound, "db": bias_bound}


def passes(flops, copies):
    """A cost: so many flops an entry; x and dy are read, dx is written; copies of x in float32 are kept."""

    def cost(x, w, dy, kind):
        return Cost(flops * x.size, 3 * x.nbytes + 3 * w.nbytes, copies * 4 * x.size)

    return cost
