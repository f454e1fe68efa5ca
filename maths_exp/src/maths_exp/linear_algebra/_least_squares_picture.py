"""How many digits are right: of this problem, and of NIST's, by the normal equations, QR, SVD and refinement."""

from __future__ import annotations

import numpy as np

from maths_exp.linear_algebra._least_squares_laws import exact_solution, right_digits
from maths_exp.linear_algebra._least_squares_problems import CERTIFIED

MOST = 20_000  # entries of A that are solved exactly for the picture; of a larger one the first rows


def picture(figure, A, b, A_low, b_low):
    """Right digits of the worst coefficient: a group of bars a problem, a bar a method."""
    from maths_exp.linear_algebra import least_squares

    rows = max(A.shape[1], MOST // A.shape[1])
    here = tuple(x[:rows] for x in (A, b, A_low, b_low))
    cases = [("this input", here), *((make.__name__, make(dtype="float64", rng=None)) for make, _ in CERTIFIED)]
    axes = figure.subplots()
    methods = {
        "normal equations": lambda A, b, *low: least_squares.normal_equations(A, b),
        "QR": lambda A, b, *low: least_squares.numpy_qr(A, b),
        "np.linalg.lstsq": lambda A, b, *low: least_squares.numpy_lstsq(A, b),
        "refined": least_squares.refined,
    }
    truths = [exact_solution(*inputs) for _, inputs in cases]
    for place, (label, method) in enumerate(methods.items()):
        with np.errstate(all="ignore"):
            found = [method(*inputs) for _, inputs in cases]
        digits = [right_digits(x, *inputs, truth) for x, (_, inputs), truth in zip(found, cases, truths, strict=True)]
        axes.bar(np.arange(len(cases)) + 0.2 * (place - 1.5), digits, width=0.2, label=label)
    axes.set_xticks(range(len(cases)), [name for name, _ in cases], rotation=30, ha="right")
    axes.set(ylabel="right digits of the worst coefficient", ylim=(0, 18))
    axes.set_title("What each method keeps of fifteen certified digits")
    axes.legend(ncols=4, fontsize="small", loc="upper center")
