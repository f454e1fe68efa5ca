"""Data sets: those that come with a Python package, and those that are downloaded once and checked.

Each reader returns NumPy arrays; it raises OSError with one sentence where the data cannot be had.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Examples(NamedTuple):
    """Labelled examples, shuffled once and for all, the last ones held out.

    x: float32, shape (n, features), from 0 to 1.     labels: int32, shape (n,).
    """

    x: np.ndarray
    labels: np.ndarray
    held_out_x: np.ndarray
    held_out_labels: np.ndarray


def split(x, labels, held_out: float) -> Examples:
    """Examples in one fixed random order; of these the last part is held out."""
    order = np.random.default_rng(0).permutation(len(x))
    x, labels = np.ascontiguousarray(x[order], np.float32), labels[order].astype(np.int32)
    cut = round(len(x) * (1 - held_out))
    return Examples(x[:cut], labels[:cut], x[cut:], labels[cut:])


def read_digits() -> Examples:
    """1,797 handwritten digits of 8 by 8 pixels with 17 levels of grey; a fifth is held out.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998).
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    return split(digits.data / 16, digits.target, 0.2)
