"""What a count may be: where rounding cannot decide it, a range; everywhere else a single number.

Let $z_k$ be computed in float64 here and $\\hat z_k$ by an implementation, with $|\\hat z_k - z_k| \\le e_k$.  From
$\\hat z^2 - z^2 = (\\hat z - z)(\\hat z + z)$ and at most three roundings in a row in each part of $z^2 + c$,

$e_{k+1} = e_k (2|z_k| + e_k) + \\sqrt 2 \\gamma_3 (|\\hat z_k|^2 + |c|) + \\sqrt 2 \\gamma_3' (|z_k|^2 + |c|)$,

with $\\gamma_3$ of the implementation's arithmetic and $\\gamma_3'$ of float64's.  So long as $|z_k| + e_k$ stays below
2 (by the rounding of the test itself) a point is certainly inside, and once $|z_k| - e_k$ is above it certainly is not.
The $e_k$ grow like the derivative $|dz_k/dc|$, that is with the number of the picture's details in a pixel: where
neighbouring pixels have nothing in common any more, a program has no say either.
"""

from __future__ import annotations

import math

import numpy as np

from exp_core.tensor import gamma


def enclosure(a, b, iterations):
    """The least and the largest count that rounding allows: two arrays of shape (len(b), len(a)), int32."""
    own, reference = math.sqrt(2) * gamma(3, a), math.sqrt(2) * gamma(3, "float64")
    c = (a.astype(np.float64)[None, :] + 1j * b.astype(np.float64)[:, None]).ravel()
    least, most = np.full(c.size, iterations, np.int32), np.full(c.size, iterations, np.int32)
    test = 1 + gamma(3, a) + gamma(3, "float64")  # |z|^2 <= 4 is evaluated with three roundings at most
    active, z, e = np.arange(c.size), np.zeros_like(c), np.zeros(c.size)
    for k in range(iterations):
        size = abs(z)
        maybe_out = size + e > 2 / test
        least[active[maybe_out]] = np.minimum(least[active[maybe_out]], k)
        out = ~(size - e <= 2 * test)
        most[active[out]] = k
        lost = ~np.isfinite(e) | (e > 4)  # nothing is known any more: `most` stays at the end
        going = ~(out | lost)
        active, z, e, size = active[going], z[going], e[going], size[going]
        far = abs(c[active])
        e = e * (2 * size + e) + own * ((size + e) ** 2 + far) + reference * (size**2 + far)
        z = z * z + c[active]
    return least.reshape(b.size, a.size), most.reshape(b.size, a.size)


def misplaced(counts, a, b, iterations, truth):
    """How many points have a count that no rounding can explain; all of them if the shape is wrong."""
    least, most = truth
    counts = np.asarray(counts)
    if counts.shape != least.shape or counts.dtype.kind not in "iu":
        return float(least.size)
    return float(np.count_nonzero((counts < least) | (counts > most)))


def undecided(counts, a, b, iterations, truth):
    """Percent of the points whose count depends on rounding."""
    least, most = truth
    return 100 * float(np.mean(least < most))
