"""What is transformed: noise, an awkward length, tones of very different strength, and a photograph."""

from __future__ import annotations

from typing import Annotated

import numpy as np


def noise(n: Annotated[int, "length"] = 1024, batch: Annotated[int, "signals"] = 1, *, dtype, rng):
    """White noise, of a length that the reader chooses."""
    return (complex_normal(batch, n, dtype, rng),)


def awkward_length(n: Annotated[int, "length"] = 1009, batch: Annotated[int, "signals"] = 1, *, dtype, rng):
    """A prime length: there is nothing to halve, and only the definition, Bluestein and the library are left."""
    return (complex_normal(batch, n, dtype, rng),)


def tones(n: Annotated[int, "length"] = 1024, batch: Annotated[int, "signals"] = 1, *, dtype, rng):
    """Six tones, each a thousand times weaker than the one before it: the spectrum's floor is rounding alone."""
    places = rng.permutation(n)[:6]
    j = np.arange(n)
    signal = sum(1e-3**i * np.exp(2j * np.pi / n * (k * j % n)) for i, k in enumerate(places))
    phases = np.exp(2j * np.pi * rng.random((batch, 1)))
    return ((phases * signal).astype(dtype),)


def photograph(n: Annotated[int, "length"] = 1024, batch: Annotated[int, "signals"] = 256, *, dtype, rng):
    """Brightness along the lines of scikit-learn's photograph of a temple, in signals of n pixels."""
    from sklearn.datasets import load_sample_image

    grey = load_sample_image("china.jpg").mean(axis=2) / 255
    return (np.resize(grey, (batch, n)).astype(dtype),)


def complex_normal(batch, n, dtype, rng):
    """Independent real and imaginary parts."""
    return (rng.standard_normal((batch, n)) + 1j * rng.standard_normal((batch, n))).astype(dtype)
