"""The way from data to noise, and what the network is told about where on it a point is.

$q(x_t \\mid x_0) = N(\\sqrt{\\bar\\alpha_t}\\, x_0,\\ (1 - \\bar\\alpha_t) I)$ with
$\\bar\\alpha_t = \\prod_{s \\le t} (1 - \\beta_s)$: Ho, Jain, Abbeel (2020), eq. (4).  Their
$\\beta$ grows linearly and makes noise of an image of 8 by 8 pixels by half of the way; the squared cosine of A. Nichol
and P. Dhariwal, Improved denoising diffusion probabilistic models, ICML (2021), spends the steps where there is still
something to see.
"""

from __future__ import annotations

import functools

import numpy as np

STEPS = 200  # T
OFFSET = 0.008  # of the cosine: lest the first steps be smaller than there is any use for
MOST = 0.999  # beta: lest the last step divide by nothing
FEATURES = 32  # numbers that tell the time
PERIODS = 1e4  # the longest period over the shortest


@functools.cache
def alpha_bar() -> np.ndarray:
    """$\\bar\\alpha_t$ for t = 0, ..., T: 1 at the data, next to 0 at the noise; float64, shape (T + 1,)."""
    left = np.cos((np.arange(STEPS + 1) / STEPS + OFFSET) / (1 + OFFSET) * np.pi / 2) ** 2
    beta = np.minimum(1 - left[1:] / left[:-1], MOST)
    return _frozen(np.concatenate([[1.0], np.cumprod(1 - beta)]))


@functools.cache
def scales() -> tuple[np.ndarray, np.ndarray]:
    """$\\sqrt{\\bar\\alpha_t}$ and $\\sqrt{1 - \\bar\\alpha_t}$ for every t; float32, shape (T + 1,).

    They are rounded to float32 once and for all: so they are the same numbers in whatever type a run is made.
    """
    a = alpha_bar()
    return _frozen(np.sqrt(a).astype(np.float32)), _frozen(np.sqrt(1 - a).astype(np.float32))


@functools.cache
def clock() -> np.ndarray:
    """Sines and cosines of t with periods from short to long; float32, shape (T + 1, FEATURES).

    A. Vaswani et al., Attention is all you need, NIPS (2017), section 3.5; T counts as 1000 steps, as in Ho et al.
    """
    t = 1000 / STEPS * np.arange(STEPS + 1)
    angles = t[:, None] * PERIODS ** (-np.arange(FEATURES // 2) / (FEATURES // 2))
    return _frozen(np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32))


def noised(x0, noise, times):
    """$x_t = \\sqrt{\\bar\\alpha_t}\\, x_0 + \\sqrt{1 - \\bar\\alpha_t}\\, \\epsilon$; (batch, d)."""
    signal, spread = (scale.astype(x0.dtype)[times][:, None] for scale in scales())
    return signal * x0 + spread * noise


def velocity(x0, noise, times):
    """$v = \\sqrt{\\bar\\alpha_t}\\, \\epsilon - \\sqrt{1 - \\bar\\alpha_t}\\, x_0$; (batch, d).

    From it and $x_t$ both are known: $\\epsilon = \\sqrt{1 - \\bar\\alpha_t}\\, x_t + \\sqrt{\\bar\\alpha_t}\\, v$.
    Salimans and Ho (2022).
    """
    signal, spread = (scale.astype(x0.dtype)[times][:, None] for scale in scales())
    return signal * noise - spread * x0


def _frozen(table: np.ndarray) -> np.ndarray:
    table.flags.writeable = False  # everybody has the same one
    return table
