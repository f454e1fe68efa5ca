"""Fast Fourier transform: from n² operations to n log n, and from there to the speed of the machine.

Problem   $y_k = \\sum_j x_j w^{jk}$, $w = e^{-2 \\pi i/n}$, for each row of x, shape (batch, n), complex.
Idea      Even and odd terms are two transforms of half the length: $y_k = e_k + w^k o_k$, $y_{k+n/2} = e_k - w^k o_k$.
          Halve $\\log_2 n$ times. What remains is to move numbers well: in order, few times, eight side by side.
Look for  The factor between $n^2$ and $n \\log_2 n$; then, as large, one between the textbook and the same sums in
          good order. The floor of the tones' spectrum is rounding alone. A prime length costs two transforms of twice
          the length.
          Why the library wins where n is made of 3, 5, 7 and 11: SciPy has passes for them; ours goes Bluestein's way,
          two transforms of two to four times the length, as soon as n is no power of two.
Source    C. Van Loan, Computational Frameworks for the Fast Fourier Transform (1992), doi:10.1137/1.9781611970999.
          N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), doi:10.1137/1.9780898718027,
          chapter 24.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from exp_core import Experiment, Implementation, Problem
from maths_exp.basics import _fft_theory as theory
from maths_exp.basics._fft_bluestein import bluestein, bluestein_lanes, bluestein_lanes_plan, bluestein_plan
from maths_exp.basics._fft_exact import exact
from maths_exp.basics._fft_plans import power_of_two_only, with_matrix, with_plan, with_roots, with_workers
from maths_exp.basics._fft_signals import awkward_length, complex_normal, noise, photograph, tones
from maths_exp.basics._fft_stockham import stockham, stockham_radix4
from maths_exp.basics._fft_two_level import lanes_plan, stockham_lanes


def dft(x, w):
    """The definition, term by term: $n^2$ products; w holds the n-th roots of unity, the powers of one."""
    batch, n = x.shape
    y = np.zeros_like(x)
    for row in range(batch):
        for k in range(n):
            total = x.dtype.type(0)
            for j in range(n):
                total += x[row, j] * w[j * k % n]
            y[row, k] = total
    return y


def dft_matrix(x, matrix):
    """The definition as one product with the matrix of all weights: as many operations, at BLAS's speed."""
    return x @ matrix


def recursive(x, w):
    """Divide and conquer: the even and the odd terms, each half as long."""
    n = x.shape[-1]
    if n == 1:
        return x.copy()
    even, odd = recursive(x[:, ::2], w[::2]), recursive(x[:, 1::2], w[::2])
    turned = w[: n // 2] * odd
    return np.concatenate([even + turned, even - turned], axis=1)


def iterative(x, w):
    """No recursion: sort by reversed bits, as the divisions would, then combine in place, pairs first."""
    n = x.shape[-1]
    y = x[:, bit_reversed(n)]
    half = 1
    while half < n:
        for start in range(0, n, 2 * half):
            for k in range(start, start + half):
                turned = w[(k - start) * (n // (2 * half))] * y[:, k + half]
                y[:, k], y[:, k + half] = y[:, k] + turned, y[:, k] - turned
        half *= 2
    return y


def bit_reversed(n):
    """0, ..., n-1 in the order of their binary digits read backwards: 0 4 2 6 1 5 3 7 for n = 8."""
    order = np.zeros(1, int)
    while order.size < n:
        order = np.concatenate([2 * order, 2 * order + 1])
    return order


def scipy_fft(x, workers=1):
    """scipy.fft.fft: pocketfft in C++; it keeps its plans, and shares the rows of a batch among its workers."""
    return scipy.fft.fft(x, workers=workers)


def relative_error(y, x, truth):
    r"""$\|\hat y - y\|_2 / \|y\|_2$, of the worst row."""
    high, low = truth  # two float64 for one number: the difference below is exact to far more digits than y has
    scale = np.maximum(abs(high).max(axis=1, keepdims=True), np.finfo(float).tiny)
    difference = np.linalg.norm(((y - high) - low) / scale, axis=1)
    return float(np.max(difference / np.maximum(np.linalg.norm(high / scale, axis=1), np.finfo(float).tiny)))


def picture(figure, x):
    """The spectrum of the first signal, and how the error grows with n beside its bound."""
    spectrum, errors = figure.subplots(1, 2)
    n = x.shape[-1]
    frequency = (np.arange(n) - n // 2) / n
    size = np.maximum(np.fft.fftshift(abs(bluestein(x[:1])[0])), np.finfo(float).tiny)
    spectrum.semilogy(frequency, size, lw=0.8, color="C0")
    spectrum.fill_between(frequency, size, size.min(), alpha=0.2, color="C0", lw=0)
    spectrum.set(xlabel="frequency $k/n$", ylabel="$|y_k|$", title="Spectrum of the first signal")
    rng = np.random.default_rng(0)
    signals = [complex_normal(1, 2**k, x.dtype, rng) for k in range(1, 13)]
    lengths = [signal.size for signal in signals]
    for method, prepare, some in ((dft_matrix, with_matrix, signals[:9]), (stockham, with_roots, signals)):
        measured = [relative_error(method(*prepare(s)), s, exact(s)) for s in some]
        errors.plot(lengths[: len(some)], measured, marker="o", ms=4, label=method.__name__)
    errors.plot(lengths[:9], [theory.definition_bound(s) for s in signals[:9]], "C0:", label="bound, definition")
    errors.plot(lengths, [theory.radix_bound(s) for s in signals], "C1:", label="bound, $\\log_2 n$ levels")
    errors.set_xscale("log", base=2)
    errors.set_yscale("log")
    errors.set(xlabel="length $n$", ylabel="relative error", title="What rounding takes")
    errors.legend(fontsize="small")


AWKWARD = tuple({"n": n, "batch": batch} for n, batch in ((1, 1), (2, 3), (3, 2), (8, 1), (64, 1), (127, 2), (128, 5)))
RADIX = {"bound": theory.radix_bound, "skip": power_of_two_only}

EXPERIMENT = Experiment(
    problems=(
        Problem(noise, small={"n": 64, "batch": 2}, awkward=AWKWARD),
        Problem(awkward_length, kind="hard", small={"n": 61, "batch": 2}, awkward=AWKWARD),
        Problem(tones, kind="hard", small={"n": 128, "batch": 2}, awkward=AWKWARD),
        Problem(photograph, kind="real", small={"n": 128, "batch": 4}, requires=("sklearn",)),
    ),
    oracle=exact,
    laws={"relative error": relative_error},
    dtypes=("complex128", "complex64"),
    implementations=(
        Implementation(
            dft,
            "textbook",
            prepare=with_roots,
            cost=theory.cost(theory.definition_flops, 1),
            bound=theory.definition_bound,
        ),
        Implementation(recursive, "textbook", prepare=with_roots, cost=theory.cost(theory.radix2_flops, 4), **RADIX),
        Implementation(iterative, "textbook", prepare=with_roots, cost=theory.cost(theory.radix2_flops, 1), **RADIX),
        Implementation(
            dft_matrix, "vectorised", prepare=with_matrix, cost=theory.matrix_cost, bound=theory.definition_bound
        ),
        Implementation(stockham, "vectorised", prepare=with_roots, cost=theory.cost(theory.radix2_flops, 4), **RADIX),
        Implementation(
            bluestein,
            "vectorised",
            prepare=with_plan(bluestein_plan),
            cost=theory.cost(theory.chirp_flops(theory.radix2_flops), 20),
            bound=theory.bluestein_bound,
        ),
        Implementation(
            stockham_radix4, "compiled", prepare=with_roots, cost=theory.cost(theory.radix4_flops, 3), **RADIX
        ),
        Implementation(
            stockham_lanes,
            "compiled",
            prepare=with_plan(lanes_plan),
            cost=theory.two_level_cost,
            bound=theory.two_level_bound,
            skip=power_of_two_only,
        ),
        Implementation(
            bluestein_lanes,
            "compiled",
            prepare=with_plan(bluestein_lanes_plan),
            cost=theory.cost(theory.chirp_flops(theory.two_level_flops), 20),
            bound=theory.bluestein_lanes_bound,
        ),
        Implementation(
            scipy_fft,
            "library",
            prepare=with_workers,
            cost=theory.cost(theory.library_flops, 1),
            bound=theory.library_bound,
        ),
    ),
    picture=picture,
)
