"""The residual's way down, plain, by Jacobi and by SSOR, and the pace that the condition number sets."""

from __future__ import annotations

import numpy as np

POINTS = 4096  # a larger system is drawn by its first rows and columns: they are positive definite as well


def ssor(A, omega):
    """What divides a vector by $(D / \\omega + L) D^{-1} (D / \\omega + L)^T$, L the part of A below its diagonal D."""
    from scipy.sparse import diags_array, tril
    from scipy.sparse.linalg import splu

    lower = (tril(A, -1) + diags_array([A.diagonal() / omega], offsets=[0])).tocsc()
    solver = splu(lower, permc_spec="NATURAL", diag_pivot_thresh=0, options={"SymmetricMode": True})
    return lambda r: solver.solve(A.diagonal() * solver.solve(r), "T")


def picture(figure, data, indices, indptr, b, tolerance):
    """||r|| / ||b|| after each step, and Chebyshev's bound on the error in the norm of A."""
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import LinearOperator, cg, eigsh

    from maths_exp.linear_algebra._conjugate_gradient_preconditioned import relaxation
    from maths_exp.linear_algebra.conjugate_gradient import as_scipy

    A, b, tolerance = as_scipy(data, indices, indptr, b, tolerance)
    A, b = A[:POINTS, :POINTS].tocsr(), b[:POINTS]
    axes = figure.subplots()
    longest = 1
    for name, M, colour in (
        ("plain", None, "tab:blue"),
        ("Jacobi", diags_array([1 / A.diagonal()], offsets=[0]), "tab:orange"),
        ("SSOR", LinearOperator(A.shape, ssor(A, relaxation(b.size, int(np.diff(A.indptr).max())))), "tab:green"),
    ):
        sizes = [1.0]
        see = lambda x, sizes=sizes: sizes.append(np.linalg.norm(b - A @ x) / np.linalg.norm(b))  # noqa: E731
        cg(A, b, rtol=tolerance, atol=0.0, M=M, callback=see)
        axes.semilogy(sizes, color=colour, label=name, linewidth=3 if M is None else 1.5)
        longest = max(longest, len(sizes))
    if b.size > 20:
        start = np.ones(b.size)
        least = eigsh(A.tocsc(), k=1, sigma=0, v0=start, return_eigenvectors=False)[0]
        root = np.sqrt(eigsh(A, k=1, v0=start, return_eigenvectors=False)[0] / least)
        k = np.arange(longest)
        pace = 2 * ((root - 1) / (root + 1)) ** k
        axes.semilogy(k, pace, color="0.6", linestyle="--", label=f"Chebyshev's bound, $\\kappa$ = {root**2:.3g}")
    axes.axhline(tolerance, color="0.8", linewidth=1)
    axes.set(xlabel="steps", ylabel="$\\|b - Ax\\| / \\|b\\|$", ylim=(tolerance / 10, None))
    axes.set_title("The residual wanders, the bound on the error goes straight down")
    axes.legend(fontsize="small")
