"""Peak flops: a multiply-add takes five cycles, and several begin in each.

Problem   Numbers $x_{ij}$, shape (rows, columns), each of which takes n steps $x \\leftarrow m x + b$: 2n operations,
          each of which waits for the one before.  How many operations a second can a processor do?
Idea      A core has pipes that begin a multiply-add in every cycle, but an answer comes some cycles later: by Little's
          law, latency times pipes of them must be under way at once.  One chain waits; as many chains as that never do.
          A vector holds several numbers and costs no more than one; and each core has pipes of its own.  The product of
          matrices is the same thing: $c_{ij} \\leftarrow a_{ip} b_{pj} + c_{ij}$ is a chain for each entry.
Look for  Each factor by itself: `one_chain` to `scalar_chains` is latency times pipes, to `vector_chains` the width of
          a vector, to `vector_chains_threads` the number of cores.  The last is the limit of this machine, to 1 or 2%,
          and above the library, whose matrices have to come from memory: that cannot be avoided, only hidden.
          On `subnormal` nothing changes, where the hardware is well made; a core that calls for help is 100x slower.
Source    J. D. C. Little, A proof for the queuing formula L = λW, Operations Research 9 (1961), 383-387,
          doi:10.1287/opre.9.3.383.
          A. Fog, Instruction tables (2022).
          S. Williams, A. Waterman, D. Patterson, Roofline, CACM 52 (2009), 65-76, doi:10.1145/1498765.1498785.
"""

from __future__ import annotations

import numpy as np

from exp_core import Experiment, Implementation, Problem
from exp_core.compiled import njit, prange
from exp_core.machine.chains import advance, advance_scalars
from maths_exp.hardware import _peak_flops_problems as problems
from maths_exp.hardware._peak_flops_picture import picture


def python_chain(x, m, b, n, _):
    """One number after the other, one step after the other, in plain Python."""
    result = np.empty_like(x)
    for index, number in np.ndenumerate(x):
        for _step in range(n):
            number = m * number + b
        result[index] = number
    return result


def numpy_steps(x, m, b, n, _):
    """All numbers take a step together: two passes through a cache for two operations."""
    y = x.copy()
    for _step in range(n):
        np.multiply(y, m, out=y)
        np.add(y, b, out=y)
    return y


@njit
def one_chain(x, m, b, n, _):
    """Compiled, one number after the other: each step waits until the last one is there."""
    y = x.copy()
    advance_scalars(y.reshape(-1), m, b, n, 1)
    return y


@njit
def scalar_chains(x, m, b, n, together):
    """As many numbers at a time as there are registers: the pipes have something to begin in every cycle."""
    y = x.copy()
    advance_scalars(y.reshape(-1), m, b, n, together)
    return y


@njit
def vector_chains(x, m, b, n, together):
    """Each register holds a vector: the same instructions, and two to sixteen times the operations."""
    y = x.copy()
    advance(y.reshape(-1), m, b, n, together)
    return y


@njit(parallel=True)
def vector_chains_threads(x, m, b, n, together):
    """Each core takes rows of its own."""
    y = x.copy()
    for i in prange(y.shape[0]):
        advance(y[i], m, b, n, together)
    return y


def blas_gemm(a, b, x, m_n):
    """np.matmul, that is BLAS's dgemm or sgemm: n is the inner dimension, and every entry of AB is a chain."""
    return a @ b + m_n * x


def as_matrices(x, m, b, n, _):
    """A and B with $AB = b (1 + m + ... + m^{n-1})$ in every entry, and $m^n$: here m is 1 or -1."""
    powers = m ** np.arange(n - 1, -1, -1, dtype=np.int64)
    a = np.broadcast_to(b * powers.astype(x.dtype), (x.shape[0], n)).copy()
    return a, np.ones((n, x.shape[1]), x.dtype), x, x.dtype.type(m**n)


SMALL = {"rows": 3, "columns": 7, "n": 40}
AWKWARD = (
    {"rows": 1, "columns": 1, "n": 1},
    {"rows": 13, "columns": 61, "n": 17},
    {"rows": 2, "columns": 129, "n": 2},
)

EXPERIMENT = Experiment(
    problems=(
        Problem(problems.counting, small=SMALL, awkward=AWKWARD),
        Problem(problems.turning, small=SMALL, awkward=AWKWARD),
        Problem(problems.subnormal, kind="hard", small=SMALL, awkward=AWKWARD),
    ),
    laws={"wrong numbers": problems.misplaced},
    implementations=(
        Implementation(python_chain, "textbook", cost=problems.cost, bound=problems.exactly),
        Implementation(numpy_steps, "vectorised", cost=problems.cost, bound=problems.exactly),
        Implementation(one_chain, "compiled", cost=problems.cost, bound=problems.exactly),
        Implementation(scalar_chains, "compiled", cost=problems.cost, bound=problems.exactly),
        Implementation(vector_chains, "compiled", cost=problems.cost, bound=problems.exactly),
        Implementation(vector_chains_threads, "compiled", cost=problems.cost, bound=problems.exactly),
        Implementation(blas_gemm, "library", cost=problems.gemm_cost, bound=problems.exactly, prepare=as_matrices),
    ),
    picture=picture,
)
