"""What the transforms are judged by: roots of unity and a DFT with twice the digits of float64, on any machine.

A number is an unevaluated sum hi + lo of two float64, or of two complex128, with $|lo| \\le u|hi|$: about 106 bits.
Source: T. J. Dekker, A floating-point technique for extending the available precision, Numer. Math. 18 (1971), 224-242.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

HALF_PI = (1.5707963267948966, 6.123233995736766e-17)  # pi/2 rounded to float64, and what the rounding took
TERMS = 14  # (pi/4)**28 / 28! < 2**-106: no further term of either series counts


def two_sum(a, b):
    """a + b, rounded, and what the rounding took; complex numbers part by part (Knuth, TAOCP vol. 2, 4.2.2)."""
    s = a + b
    z = s - a
    return s, (a - (s - z)) + (b - z)


def two_product(a, b):
    """a * b of reals, rounded, and what the rounding took: each factor is split into halves of 26 bits."""
    p = a * b
    (ah, al), (bh, bl) = _halves(a), _halves(b)
    return p, al * bl - (((p - ah * bh) - al * bh) - ah * bl)


def _halves(a):
    """a = high + low, each short enough that products of halves are exact."""
    c = (2.0**27 + 1) * a
    high = c - (c - a)
    return high, a - high


def add(a, b):
    """(hi, lo) + (hi, lo); reals or complex numbers."""
    s, e = two_sum(a[0], b[0])
    t, f = two_sum(a[1], b[1])
    s, e = two_sum(s, e + t)
    return two_sum(s, e + f)


def multiply(a, b):
    """(hi, lo) * (hi, lo), complex if either is."""
    if np.iscomplexobj(a[0]) or np.iscomplexobj(b[0]):
        (ar, ai), (br, bi) = _parts(a), _parts(b)
        minus_ai = (-ai[0], -ai[1])
        re, im = add(multiply(ar, br), multiply(minus_ai, bi)), add(multiply(ar, bi), multiply(ai, br))
        return re[0] + 1j * im[0], re[1] + 1j * im[1]
    p, e = two_product(a[0], b[0])
    return two_sum(p, e + (a[0] * b[1] + a[1] * b[0]))


def _parts(a):
    return (np.real(a[0]), np.real(a[1])), (np.imag(a[0]), np.imag(a[1]))


def conjugate(a):
    """The complex conjugate of (hi, lo)."""
    return np.conj(a[0]), np.conj(a[1])


def _series(z, first):
    """$\\sum_k (-z)^k / (2k + first)!$ by Horner's rule: cos(t) for first = 0, sin(t)/t for first = 1; $z = t^2$."""
    total = (np.zeros_like(z[0]), np.zeros_like(z[0]))
    factorial = Fraction(1)
    inverses = []
    for k in range(2 * TERMS + first):
        factorial *= max(k, 1)
        if k % 2 == first:
            inverses.append((-1) ** (k // 2) / factorial)
    for c in reversed(inverses):
        hi = float(c)
        total = add(multiply(total, z), (hi, float(c - Fraction(hi))))
    return total


def exact_roots(n, k=None):
    """$w_k = e^{-2 \\pi i k/n}$ for k = 0, ..., n-1 or an array of them, as (hi, lo); hi is rounded correctly.

    The angle is reduced to [0, pi/4] in integers, where it is still exact; there both series converge fast.
    """
    quadrant, r = np.divmod(4 * (np.arange(n) if k is None else k), n)
    reduced, where = np.unique(np.minimum(r, n - r), return_inverse=True)
    quotient = reduced / n
    p, e = two_product(quotient, np.float64(n))
    t = multiply(HALF_PI, two_sum(quotient, ((reduced - p) - e) / n))  # pi/2 * reduced/n
    z = multiply(t, t)
    cos, sin = _series(z, 0), multiply(t, _series(z, 1))
    swap = 2 * r > n  # beyond pi/4 of its quadrant: sine and cosine change places
    hi, lo = (
        np.where(swap, s[where], c[where]) - 1j * np.where(swap, c[where], s[where])
        for c, s in zip(cos, sin, strict=True)
    )
    turn = np.array([1, -1j, -1, 1j])[quadrant]
    return hi * turn, lo * turn


def roots(n, dtype="complex128", k=None):
    """The n-th roots of unity $e^{-2 \\pi i k/n}$, each part rounded once: $\\mu = u$ in Higham's theorem 24.2."""
    return exact_roots(n, k)[0].astype(dtype)


def exact(x):
    """The DFT of each row as (hi, lo), 11 or more bits better than x holds; complex64 is transformed in complex128."""
    if x.dtype == np.complex64:
        import scipy.fft

        return scipy.fft.fft(x.astype(np.complex128)), np.zeros(x.shape)
    return exact_of_pair((x, np.zeros_like(x)))


def exact_of_pair(x):
    """The DFT of hi + lo: in long double where that is wider than float64 (Linux on x86), elsewhere in pairs."""
    import scipy.fft

    if np.finfo(np.longdouble).eps > 2.0**-60:
        return exact_in_pairs(x)
    wide = scipy.fft.fft(x[0].astype(np.clongdouble) + x[1])
    hi = wide.astype(np.complex128)
    return hi, (wide - hi).astype(np.complex128)


def exact_in_pairs(x):
    """The DFT of pairs (hi, lo): Stockham's algorithm, or Bluestein's where n is not a power of two."""
    n = x[0].shape[-1]
    if n & (n - 1):
        return _bluestein_in_pairs(x, n)
    w = exact_roots(n)
    s = 1
    while s < n:
        m = n // (2 * s)
        a, b = (tuple(part.reshape(-1, 2, m, s)[:, half] for part in x) for half in (0, 1))
        ws = tuple(part[: n // 2 : s, None] for part in w)
        total, difference = add(a, b), multiply(add(a, (-b[0], -b[1])), ws)
        x = tuple(np.stack(pair, axis=2).reshape(-1, n) for pair in zip(total, difference, strict=True))
        s *= 2
    return x


def _bluestein_in_pairs(x, n):
    """The steps of _fft_bluestein, one by one."""
    length = 1 << (2 * n - 2).bit_length()
    j = np.arange(n)
    chirp = exact_roots(2 * n, j * j % (2 * n))
    a = tuple(np.pad(part, ((0, 0), (0, length - n))) for part in multiply(x, chirp))
    b = tuple(around(np.conj(part), length) for part in chirp)
    product = multiply(exact_in_pairs(a), exact_in_pairs(b))
    c = conjugate(exact_in_pairs(conjugate(product)))
    return multiply((c[0][:, :n] / length, c[1][:, :n] / length), chirp)


def around(b, length):
    """b at the places 0, ..., n-1 and, backwards, at -1, ..., -(n-1) of a ring of that length; shape (1, length)."""
    ring = np.zeros((1, length), b.dtype)
    ring[0, : b.size] = b
    ring[0, length - b.size + 1 :] = b[:0:-1]
    return ring
