"""Numbers as unsigned integers that are in the same order: what a program sorts then has one type a width, and no NaN.

In two's complement it is enough to turn over the sign.  A float is sign and magnitude: of a negative one all bits are
turned over.  Minus zero comes right before zero, which it equals; every NaN becomes the largest key, so that it comes
last, as NumPy has it, and comes back as one NaN without the others' payload.

Source    IEEE 754-2019, section 5.10, totalOrder.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit


def as_bits(x):
    """The bits of x, shape (n,), as unsigned integers; and as such the sign, all ones, and infinity (integers: 0)."""
    bits = x.view(f"u{x.itemsize}")
    infinity = np.array(np.inf, x.dtype).view(bits.dtype)[()] if x.dtype.kind == "f" else 0
    ones = np.iinfo(bits.dtype).max
    return bits, tuple(bits.dtype.type(b) for b in (ones // 2 + 1, ones, infinity))


def as_they_are(masks):
    """Masks with which a key is its own key."""
    sign, ones, _ = masks
    return sign ^ sign, ones, sign ^ sign


@njit
def to_keys(bits, masks, keys):
    """Write the key of each number; returns the smallest and the largest of them (without any: all ones, and 0)."""
    sign, ones, infinity = masks
    low, high = ones, ones ^ ones
    for i in range(bits.size):
        b = bits[i]
        negative = infinity != 0 and b & sign != 0
        key = b ^ (ones if negative else sign)
        if infinity != 0 and (b | sign) ^ sign > infinity:
            key = ones ^ sign ^ sign
        low, high = min(low, key), max(high, key)
        keys[i] = key
    return low, high


@njit
def to_bits(keys, masks, bits):
    """Write the number of each key, as bits."""
    sign, ones, infinity = masks
    for i in range(keys.size):
        key = keys[i]
        bits[i] = key ^ (sign if infinity == 0 or key & sign != 0 else ones)
