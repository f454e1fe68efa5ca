"""The way back from noise to data: DDPM in all its steps, DDIM in a few.

Both ask ``guess(x, t)``, shape (n, d), what of x is noise, and hold what is left, $\\hat x_0$, within the
data's limits.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from dl_exp.generative._diffusion_model import Shape
from dl_exp.generative._diffusion_schedule import STEPS, alpha_bar, clock, scales

Guess = Callable[[np.ndarray, int], np.ndarray]
JUMPS = 50  # of DDIM


def guesser(weights: np.ndarray, shape: Shape) -> Guess:
    """The network as such a function, in NumPy: of the velocity that it guesses, the noise."""
    W1, b1, W2, b2, W3, b3, W4, b4 = shape.layout.unpack(weights)
    d, (signal, spread) = shape.dims, scales()

    def silu(z):
        with np.errstate(over="ignore"):  # right: the sigmoid is 0 there
            return z / (1 + np.exp(-z))

    def guess(x, t):
        h = silu(x @ W1[:d] + (clock()[t] @ W1[d:] + b1))
        return spread[t] * x + signal[t] * (silu(silu(h @ W2 + b2) @ W3 + b3) @ W4 + b4)

    return guess


def ddpm(guess: Guess, x: np.ndarray, limit: float, rng: np.random.Generator) -> np.ndarray:
    """From pure noise x, shape (n, d), all T steps back; after each but the last some fresh noise.

    $x_{t-1} \\sim q(x_{t-1} \\mid x_t, \\hat x_0)$: Ho, Jain, Abbeel (2020), eqs. (6) and (7).
    """
    a = alpha_bar()
    for t in range(STEPS, 0, -1):
        clean, _ = split(guess(x, t), x, t, limit)
        beta = 1 - a[t] / a[t - 1]
        variance = (1 - a[t - 1]) / (1 - a[t]) * beta
        mean = (
            np.sqrt(a[t - 1]) * beta / (1 - a[t]) * clean + np.sqrt(a[t] / a[t - 1]) * (1 - a[t - 1]) / (1 - a[t]) * x
        )
        x = (mean + np.sqrt(variance) * rng.standard_normal(x.shape)).astype(x.dtype)
    return x


def ddim(guess: Guess, x: np.ndarray, limit: float, jumps: int = JUMPS) -> np.ndarray:
    """From pure noise x, shape (n, d), in jumps and without fresh noise: the same x always leads to the same example.

    Song, Meng, Ermon (2021), eq. (12) with $\\sigma = 0$.  Raises ValueError for fewer than one jump or more than T.
    """
    if not 1 <= jumps <= STEPS:
        raise ValueError(f"{jumps} jumps are not between 1 and {STEPS}")
    a = alpha_bar()
    times = np.linspace(STEPS, 0, jumps + 1).round().astype(int)
    for t, earlier in itertools.pairwise(times):
        clean, noise = split(guess(x, t), x, t, limit)
        x = (np.sqrt(a[earlier]) * clean + np.sqrt(1 - a[earlier]) * noise).astype(x.dtype)
    return x


def split(noise: np.ndarray, x: np.ndarray, t: int, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """$\\hat x_0$ within the limits, and the noise that is then left: x is their sum, as $x_t$ was of theirs."""
    a = alpha_bar()[t]
    clean = np.clip((x - np.sqrt(1 - a) * noise) / np.sqrt(a), -limit, limit)
    return clean, (x - np.sqrt(a) * clean) / np.sqrt(1 - a)
