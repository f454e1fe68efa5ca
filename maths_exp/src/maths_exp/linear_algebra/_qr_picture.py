"""The classic figure: how much orthogonality each method loses as the condition number grows."""

from __future__ import annotations

import numpy as np

from exp_core.tensor import unit_roundoff
from maths_exp.linear_algebra import _qr_blocks as blocks
from maths_exp.linear_algebra._qr_bounds import condition, orthogonality

COLUMNS = 12


def picture(figure, A):
    """||Q^T Q - I|| of each method against the condition number, at the precision of A, and where A itself stands."""
    from maths_exp.linear_algebra.qr import classical_gram_schmidt, householder, modified_gram_schmidt

    u = unit_roundoff(A)
    rng = np.random.default_rng(0)
    U = np.linalg.qr(rng.standard_normal((60, COLUMNS)))[0]
    V = np.linalg.qr(rng.standard_normal((COLUMNS, COLUMNS)))[0]
    kappas = np.geomspace(1, 10 / u, 25)
    matrices = [(U * np.geomspace(1, 1 / kappa, COLUMNS) @ V).astype(A.dtype) for kappa in kappas]
    axes = figure.subplots()
    axes.loglog(kappas, kappas**2 * u, color="0.6", linestyle=":", label="$\\kappa^2 u$")
    axes.loglog(kappas, kappas * u, color="0.6", linestyle="--", label="$\\kappa u$")
    for method, colour, marker in (
        (classical_gram_schmidt, "tab:red", "o"),
        (blocks.cholesky_qr, "tab:orange", "s"),
        (modified_gram_schmidt, "tab:blue", "^"),
        (blocks.cholesky_qr2, "tab:purple", "D"),
        (householder, "tab:green", "v"),
    ):
        losses = [orthogonality(method(B), B) for B in matrices]
        label = method.__name__.replace("_", " ")
        axes.loglog(kappas, losses, color=colour, marker=marker, markersize=4, linewidth=1, label=label)
    if 1 <= (here := condition(A) if A.shape[0] >= A.shape[1] else 0) < kappas[-1]:
        axes.axvline(here, color="0.8", linewidth=6, zorder=0)
        axes.annotate("A", (here, u), ha="center", color="0.4")
    axes.set(ylim=(u / 4, 40), xlim=(0.7, kappas[-1]), xlabel="condition number $\\kappa$", ylabel="$\\|Q^T Q - I\\|$")
    axes.set_title("What Gram-Schmidt and CholeskyQR lose, and Householder keeps")
    axes.legend(fontsize="small", loc="upper left")
