"""The photograph from a few of its directions, or the singular values with what each method makes of them."""

from __future__ import annotations

import numpy as np

from maths_exp.linear_algebra._svd_krylov import OVERSAMPLES, block_krylov, dimension
from maths_exp.linear_algebra._svd_laws import singular_values, tail
from maths_exp.linear_algebra._svd_problems import CHINA
from maths_exp.linear_algebra._svd_randomised import randomised

SHOWN = 300  # rows and columns at the most: a larger matrix is drawn by its first ones


def picture(figure, A, k, excess):
    """A photograph at several ranks; of other matrices the singular values, and the error left at each rank."""
    if A.shape == tuple(-(-side // every_of(A)) for side in CHINA) and A.min() >= 0:
        return compressed(figure, A, k)
    A = A[:SHOWN, :SHOWN].astype(np.float64)
    k = min(k, *A.shape)
    sigma = singular_values(A, k, excess)
    left, right = figure.subplots(1, 2)
    spectrum(left, A, sigma)
    return sharpening(right, A, min(k, max(1, len(sigma) // 2 - OVERSAMPLES)), sigma)


def every_of(A):
    """How many pixels of the photograph stand behind one of these, if it is the photograph."""
    return -(-CHINA[0] // A.shape[0])


def compressed(figure, A, k):
    """The photograph from its first directions, with the numbers that they take."""
    U, s, Vt = np.linalg.svd(A.astype(np.float64), full_matrices=False)
    ranks = [max(1, k // 8), max(1, k // 2), k]
    for axes, rank in zip(figure.subplots(1, 4), (*ranks, None), strict=True):
        image = A if rank is None else (U[:, :rank] * s[:rank]) @ Vt[:rank]
        axes.imshow(image, cmap="gray", vmin=0, vmax=1)
        part = 1 if rank is None else rank * (sum(A.shape) + 1) / A.size
        lost = 0 if rank is None else tail(s, rank) / np.linalg.norm(s)
        axes.set_title(f"rank {rank}" if rank else f"all {len(s)}")
        axes.set_xlabel(f"{100 * part:.0f}% of the numbers\n{100 * lost:.1f}% off")
        axes.set(xticks=[], yticks=[])


def spectrum(axes, A, sigma):
    """Singular values by LAPACK's two methods: what bidiagonalisation knows of small ones is the rounding of large."""
    j = np.arange(1, len(sigma) + 1)
    by_reflections = np.linalg.svd(A, compute_uv=False)
    floor = float(np.finfo(float).tiny)
    for values, mark, label in ((by_reflections, "s", "bidiagonal (gesdd)"), (sigma, ".-", "Jacobi")):
        axes.semilogy(j, np.maximum(values, floor), mark, markersize=4, label=label)
    lowest = max(sigma[-1], sigma[0] * 1e-22, floor) / 10
    if sigma[0] * 2.0**-53 > lowest:
        axes.axhline(sigma[0] * 2.0**-53, color="0.8", linewidth=1, label="$u \\sigma_1$")
    axes.set(xlabel="j", ylabel="$\\sigma_j$", ylim=(lowest, 10 * sigma[0] or 1))
    axes.set_title("Singular values")
    axes.legend(fontsize="small")


def sharpening(axes, A, k, sigma):
    """How far above the least error of rank k the randomised methods are for the products that they make."""
    axes.set(xlabel="products of A or $A^T$ with a vector", ylabel="error over the least, minus 1")
    axes.set_title(f"Rank {k}: Krylov keeps what powers forget")
    least = tail(sigma, k)
    if k + OVERSAMPLES > min(A.shape) or least <= 1e-12 * sigma[0]:
        axes.text(0.5, 0.5, "too small for random samples", ha="center", transform=axes.transAxes)
        return
    whole = min(A.shape)
    powers = range(6)
    further = [q for q in range(0, 40, 2) if dimension(A, k, q) < whole and dimension(A, k, q) <= 6 * (k + OVERSAMPLES)]
    for method, products, qs in (
        (randomised, lambda q: (2 * q + 2) * (k + OVERSAMPLES), powers),
        (block_krylov, lambda q: 2 * dimension(A, k, q), further),
    ):
        errors = []
        for q in qs:
            U, s, Vt = method(A, k, q)
            errors.append(max(np.linalg.norm(A - (U * s) @ Vt) / least - 1, 1e-16))
        axes.semilogy([products(q) for q in qs], errors, "o-", label=method.__name__.replace("_", " "))
    axes.legend(fontsize="small")
