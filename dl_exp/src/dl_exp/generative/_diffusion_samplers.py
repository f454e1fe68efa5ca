"""The way back from noise to data: DDPM in all its steps, DDIM in a few.

Both ask ``guess(x, t)``, shape (n, d), for the example $\\hat x_0$ that x was made of, stretch it, and hold it within
the data's limits.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from dl_exp.generative._diffusion_model import Shape
from dl_exp.generative._diffusion_problems import Points
from dl_exp.generative._diffusion_schedule import STEPS, alpha_bar, clock, scales

Guess = Callable[[np.ndarray, int], np.ndarray]
JUMPS = 50  # of DDIM
WIDEST, HALVINGS, DRAWN = 1.1, 6, 500  # of ``stretch_for``: its end, its steps, and samples in each


def guesser(weights: np.ndarray, shape: Shape) -> Guess:
    """The network as such a function, in NumPy: of the velocity that it guesses, the example."""
    W1, b1, W2, b2, W3, b3, W4, b4 = shape.layout.unpack(weights)
    d, (signal, spread) = shape.dims, [scale.tolist() for scale in scales()]

    def silu(z):
        with np.errstate(over="ignore"):  # right: the sigmoid is 0 there
            return z / (1 + np.exp(-z))

    def guess(x, t):
        h = silu(x @ W1[:d] + (clock()[t] @ W1[d:] + b1))
        return signal[t] * x - spread[t] * (silu(silu(h @ W2 + b2) @ W3 + b3) @ W4 + b4)

    return guess


def ddpm(guess: Guess, x: np.ndarray, data: Points, rng: np.random.Generator, stretch: float = 1.0) -> np.ndarray:
    """From pure noise x, shape (n, d), all T steps back; after each but the last some fresh noise.

    Each step draws from $q(x_{t-1} \\mid x_t, \\hat x_0)$: Ho, Jain, Abbeel (2020), eqs. (6) and (7).
    """
    a = alpha_bar().tolist()
    for t in range(STEPS, 0, -1):
        clean, beta, left = _held(stretch * guess(x, t), data), 1 - a[t] / a[t - 1], (1 - a[t - 1]) / (1 - a[t])
        mean = math.sqrt(a[t - 1]) * beta / (1 - a[t]) * clean + math.sqrt(1 - beta) * left * x
        x = mean + math.sqrt(beta * left) * rng.standard_normal(x.shape, x.dtype)  # left is 0 at last
    return x


def ddim(
    guess: Guess,
    x: np.ndarray,
    data: Points,
    rng: np.random.Generator | None = None,
    stretch: float = 1.0,
    jumps: int = JUMPS,
) -> np.ndarray:
    """From pure noise x, shape (n, d), in jumps and without fresh noise: the same x always leads to the same example.

    Song, Meng, Ermon (2021), eq. (12) with $\\sigma = 0$; ``rng`` is not asked.  Raises ValueError as ``stations``
    does.
    """
    a = alpha_bar().tolist()
    for t, earlier in itertools.pairwise(stations(jumps)):
        clean = _held(stretch * guess(x, t), data)
        noise = (x - math.sqrt(a[t]) * clean) / math.sqrt(1 - a[t])
        x = math.sqrt(a[earlier]) * clean + math.sqrt(1 - a[earlier]) * noise
    return x


def stations(jumps: int) -> list[int]:
    """The times from T to 0 that so many jumps lead over, evenly spaced: the cosine sees to the rest.

    Raises ValueError for fewer than one jump or more than T.
    """
    if not 1 <= jumps <= STEPS:
        raise ValueError(f"{jumps} jumps are not between 1 and {STEPS}")
    return [round(STEPS * k / jumps) for k in range(jumps, -1, -1)]


def stretch_for(sampler: Callable[..., np.ndarray], guess: Guess, data: Points, rng: np.random.Generator) -> float:
    """How far a sampler's guesses must be stretched for its samples to vary as much as what was learnt from; 1 to 1.1.

    Guesses are means, and means are paler than what they are of.  That is as it should be for x as they were in
    training; a sampler meets x that were made by its own guesses, pale already, and the paleness adds up: by a few per
    cent a guess, to a fifth of the variance.  The idea is the scaling of M. Ning, M. Li, J. Su, A. Salah, I. Ertugrul,
    Elucidating the exposure bias in diffusion models, ICLR (2024), with the factor found by halving: what is held out
    is not looked at.
    """
    noise = rng.standard_normal((DRAWN, data.x.shape[1])).astype(np.float32)
    aim = data.seen(data.x).var(axis=0).sum()

    def pale(factor):
        return data.seen(sampler(guess, noise, data, rng, factor)).var(axis=0).sum() < aim

    low, high = 1.0, WIDEST
    if not pale(low):
        return low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if pale(middle) else (low, middle)
    return (low + high) / 2


def _held(clean: np.ndarray, data: Points) -> np.ndarray:
    return np.clip(clean, data.low, data.high)
