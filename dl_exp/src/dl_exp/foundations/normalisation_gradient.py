"""The gradient of normalisation: what the mean and the variance send back to every entry of their row.

Problem   $y = w z + b$, where $z = (x - \\mu) r$ and $r = 1 / \\sqrt{\\sigma^2 + \\epsilon}$ of each row
          (Layer; RMS: $\\mu = 0$).  Given x and dy, the gradient of a loss by y, both (rows, channels), and w,
          (channels,): the gradients dx, dw and db of the same shapes as x, w and b.
Idea      An entry moves its own output, and the mean and the variance of all others.  With $g = w \\, dy$ it is
          $dx = r (g - \\overline{g} - z \\, \\overline{g z})$: g without its parts along 1 and z, in which directions x
          moves nothing.  RMS has no mean to send back.  $dw = \\sum z \\, dy$ and $db = \\sum dy$ go down the rows.
Look for  Only x is needed from the way forward: z is cheaper to compute again than to fetch.  A tape of single
          operations sends as many arrays to memory again as the way forward made; the formula needs two means.
          The sums down the rows are what makes threads meet: each has its own dw and db, added at the end.
Source    J. Ba, J. Kiros, G. Hinton, Layer normalization, arXiv:1607.06450 (2016).
          For the projections: J. Xu et al., Understanding and improving layer normalization, NeurIPS 2019,
          arXiv:1911.07013, section 3.
"""

from __future__ import annotations

import functools
from typing import Annotated

import numpy as np

from dl_exp.foundations._normalisation_bounds import EPS
from dl_exp.foundations._normalisation_gradient_compiled import numba_compiled
from dl_exp.foundations._normalisation_gradient_kernel import kernel
from dl_exp.foundations._normalisation_gradient_laws import BOUND, LAWS, exact, passes
from exp_core import Experiment, Implementation, Problem
from exp_core.tensor import normal, unit_roundoff

Rows = Annotated[int, "rows: samples, or tokens"]
Channels = Annotated[int, "channels: numbers a row"]


def by_the_formula(x, w, dy, kind):
    """Row after row: the two means, then every entry."""
    dx, dw, db = np.empty(x.shape, np.float32), np.zeros(w.shape, np.float32), np.zeros(w.shape, np.float32)
    w, n = w.astype(np.float32), np.float32(len(w))
    for i, (row, d) in enumerate(zip(x.astype(np.float32), dy.astype(np.float32), strict=True)):
        mean = np.float32(0) if kind == "rms" else sum(row) / n
        r = 1 / np.sqrt(sum((entry - mean) * (entry - mean) for entry in row) / n + np.float32(EPS))
        z = [(entry - mean) * r for entry in row]
        g = [w[j] * d[j] for j in range(len(w))]
        of_mean = np.float32(0) if kind == "rms" else sum(g) / n
        of_variance = sum(g[j] * z[j] for j in range(len(w))) / n
        for j in range(len(w)):
            dx[i, j] = r * (g[j] - of_mean - z[j] * of_variance)
            dw[j] += d[j] * z[j]
            db[j] += d[j]
    return dx.astype(x.dtype), dw.astype(x.dtype), db.astype(x.dtype)


def tape(x, w, dy, kind):
    """mx.vjp of the formula forwards: every operation of it has its own way back."""
    import mlx.core as mx

    def forward(x, w, b):
        z = x if kind == "rms" else x - mx.mean(x, axis=1, keepdims=True)
        return z * mx.rsqrt(mx.mean(mx.square(z), axis=1, keepdims=True) + EPS) * w + b

    wide = [each.astype(mx.float32) for each in (x, w, mx.zeros_like(w))]
    return tuple(each.astype(x.dtype) for each in mx.vjp(forward, wide, [dy.astype(mx.float32)])[1])


def vectorised(x, w, dy, kind):
    """Whole arrays at a time on the device, by the formula."""
    import mlx.core as mx

    dtype = x.dtype
    x, w, dy = (each.astype(mx.float32) for each in (x, w, dy))
    z = x if kind == "rms" else x - mx.mean(x, axis=1, keepdims=True)
    r = mx.rsqrt(mx.mean(mx.square(z), axis=1, keepdims=True) + EPS)
    z, g = z * r, w * dy
    dx = g - z * mx.mean(g * z, axis=1, keepdims=True)
    if kind != "rms":
        dx = dx - mx.mean(g, axis=1, keepdims=True)
    return (r * dx).astype(dtype), mx.sum(dy * z, axis=0).astype(dtype), mx.sum(dy, axis=0).astype(dtype)


def compiled(x, w, dy, kind):
    """The same graph, its elementwise operations fused by mx.compile."""
    return _compiled_once(kind)(x, w, dy)


def library(x, w, dy, kind):
    """mx.vjp of mx.fast.layer_norm or rms_norm: a kernel of its own on a GPU, single operations on the CPU."""
    import mlx.core as mx

    b = mx.zeros_like(w)
    if kind == "rms":
        dx, dw = mx.vjp(lambda x, w: mx.fast.rms_norm(x, w, EPS), [x, w], [dy])[1]
        return dx, dw, mx.sum(dy, axis=0)
    return tuple(mx.vjp(lambda x, w, b: mx.fast.layer_norm(x, w, b, EPS), [x, w, b], [dy])[1])


@functools.cache
def _compiled_once(kind):
    import mlx.core as mx

    return mx.compile(lambda x, w, dy: vectorised(x, w, dy, kind))


def layer(rows: Rows = 2048, channels: Channels = 1024, *, dtype, rng):
    """Layer normalisation."""
    return inputs(rows, channels, "layer", 0.5, dtype, rng)


def rms(rows: Rows = 2048, channels: Channels = 1024, *, dtype, rng):
    """Root mean square."""
    return inputs(rows, channels, "rms", 0.5, dtype, rng)


def far_off(
    rows: Rows = 2048,
    channels: Channels = 1024,
    mean: Annotated[float, "the mean of all entries, in deviations"] = 1024.0,
    *,
    dtype,
    rng,
):
    """Rows whose mean is a thousand deviations: what z has lost, dx and dw have lost."""
    return inputs(rows, channels, "layer", mean, dtype, rng)


def inputs(rows, channels, kind, mean, dtype, rng):
    """x and dy (rows, channels), a weight for each channel, and the kind."""
    deviation = max(1.0, 4 * unit_roundoff(dtype) * mean)
    x = normal(rng, (rows, channels), dtype, mean=mean, deviation=deviation)
    return x, normal(rng, channels, dtype, mean=1, deviation=0.1), normal(rng, (rows, channels), dtype), kind


def picture(figure, x, w, dy, kind):
    """A gradient with a trend on its way through one row: what lies along 1 and along z does not pass."""
    x, w, dy = (each.astype(np.float64) for each in (x[:1], w, dy[:1]))
    centred = x[0] if kind == "rms" else x[0] - x.mean()
    r = 1 / np.sqrt(np.square(centred).mean() + EPS)
    z = centred * r
    g = w * dy[0] + 1 + z
    ((dx,), _, _), _ = exact(x, np.ones_like(w), g[None], kind)
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, values, title in ((left, g, "Gradient by z: g, with a trend"), (right, dx / r, "Gradient by x: dx / r")):
        line = np.polynomial.Polynomial.fit(z, values, min(1, z.size - 1))
        ends = np.array([z.min(), z.max()])
        axes.plot(z, values, ".", alpha=0.6)
        axes.plot(ends, line(ends), "k--", label="straight line of least squares")
        axes.set(xlabel="z, the entries of one row", title=title)
        axes.legend(fontsize="small")
    left.set_ylabel("gradient")


SMALL = {"rows": 3, "channels": 48}
AWKWARD = ({"rows": 1, "channels": 1}, {"rows": 2, "channels": 7}, {"rows": 37, "channels": 131})

EXPERIMENT = Experiment(
    problems=(
        Problem(layer, small=SMALL, awkward=AWKWARD),
        Problem(rms, small=SMALL, awkward=AWKWARD),
        Problem(far_off, kind="hard", small=SMALL, awkward=AWKWARD),
    ),
    dtypes=("float32", "float16", "bfloat16"),
    oracle=exact,
    laws=LAWS,
    implementations=(
        Implementation(by_the_formula, "textbook", cost=passes(17, 2), bound=BOUND),
        Implementation(tape, "vectorised", cost=passes(20, 8), bound=BOUND, arrays="mlx"),
        Implementation(vectorised, "vectorised", cost=passes(15, 5), bound=BOUND, arrays="mlx"),
        Implementation(compiled, "compiled", cost=passes(15, 4), bound=BOUND, arrays="mlx"),
        Implementation(numba_compiled, "compiled", cost=passes(17, 0.1), bound=BOUND, dtypes=("float32",)),
        Implementation(kernel, "kernel", cost=passes(20, 0.1), bound=BOUND, arrays="mlx", devices=("metal", "cuda")),
        Implementation(library, "library", cost=passes(15, 5), bound=BOUND, arrays="mlx", dtypes=("float32",)),
    ),
    picture=picture,
)
