"""Reduction: many numbers become one, and whoever adds has to wait for whoever reads.

Problem   $s = \\sum_i x_i$; x is a vector of n floats, s one float32, in which all additions are made.
Idea      Addition is associative (nearly), so that any number of workers can begin at once.  What costs is where they
          meet: a tree in shared memory has $\\log_2 n$ meetings of all; a worker who first adds up its own share meets
          the others once.  Nothing is used twice: a sum can be no faster than its numbers come out of memory.
Look for  How near the best rows come to the memory's bandwidth.  Why a tree loses less to rounding than a loop: on the
          problem absorbing the loop never leaves 1.
          On a processor MLX's sum is one core's, and adds more slowly than memory brings: both foldings pass it.
Source    M. Harris, Optimizing Parallel Reduction in CUDA, NVIDIA (2007).
          N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), doi:10.1137/1.9780898718027,
          section 4.2.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from dl_exp.kernels._reduction_kernel import THREADS, additions_met, simd_kernel, tree_kernel
from dl_exp.kernels._reduction_picture import picture
from exp_core import Cost, Experiment, Implementation, Problem
from exp_core.compiled import REORDER, njit, prange
from exp_core.tensor import dtype_name, from_numpy, gamma, normal, unit_roundoff

BLOCK = 4096  # numbers that a compiled loop adds up before it hands over


def left_to_right(x):
    """Add one after the other: the first term is rounded n - 1 times."""
    s = np.float32(0)
    for term in x.astype(np.float32):
        s = s + term
    return s


def folded(x):
    """Add the upper half onto the lower half, log2 n times: what a group of threads does, as arrays."""
    x = x.astype(np.float32)
    while x.size > 1:
        half = (x.size + 1) // 2
        sums = x[:half].copy()
        sums[: x.size - half] += x[half:]
        x = sums
    return x[0]


def folded_on_device(x):
    """The same tree on the device: MLX sends every level to memory and back, twice the traffic of x in all."""
    import mlx.core as mx

    x = x.astype(mx.float32)
    while x.size > 1:
        half = (x.size + 1) // 2
        paired = x.size - half
        sums = x[:paired] + x[half:]
        x = sums if paired == half else mx.concatenate([sums, x[paired:half]])
    return x.reshape(())


def blocks_compiled(x):
    """Compile it: every thread adds up blocks in vector registers, and one of them the blocks' sums."""
    return np.float32(_sum_of_blocks(x))


@njit(parallel=True)
def _sum_of_blocks(x):
    partial = np.empty((x.size + BLOCK - 1) // BLOCK, np.float32)
    for block in prange(partial.size):
        partial[block] = _sum(x[block * BLOCK : (block + 1) * BLOCK])
    return _sum(partial)


@njit(fastmath=REORDER)
def _sum(x):
    s = np.float32(0)
    for i in range(x.size):
        s += x[i]
    return s


def library(x):
    """mx.sum, in float32."""
    import mlx.core as mx

    return mx.sum(x.astype(mx.float32))


def exact(x):
    """The sum, rounded once to float64."""
    return math.fsum(x.astype(np.float64).tolist())


def relative_error(s, x, truth):
    r"""$|\hat s - s| / \sum |x|$: the condition number of the sum is taken out."""
    if np.size(s) != 1 or dtype_name(np.asarray(s)) != "float32":
        return math.inf
    scale = math.fsum(np.abs(x.astype(np.float64)).tolist())
    difference = abs(float(np.reshape(s, ())) - truth)
    return difference / scale if scale else difference


def uniform(n: Annotated[int, "number of terms"] = 2**22, *, dtype, rng):
    """Positive terms from the interval [0, 1): well conditioned."""
    return (from_numpy(rng.random(n), "numpy", dtype),)


def cancelling(n: Annotated[int, "number of terms"] = 2**22, *, dtype, rng):
    """Normal terms of both signs: most of the sum's digits cancel."""
    return (normal(rng, (n,), dtype),)


def absorbing(n: Annotated[int, "number of terms"] = 2**22, *, dtype, rng):
    """A one, then terms of at most half a unit in its last place: added to 1 they vanish, one by one."""
    x = np.full(n, 0.99 * unit_roundoff("float32"))
    x[0] = 1
    return (from_numpy(x, "numpy", dtype),)


def any_order(x):
    """Higham (2002), (4.4): n - 1 additions, in whatever order."""
    return gamma(max(x.size - 1, 1), "float32")


def depth(x):
    """Higham (2002), (4.6): a term meets one addition at each level of the tree."""
    return gamma(max(math.ceil(math.log2(x.size)), 1), "float32")


def depth_of_launches(x):
    """The same with groups of THREADS: eight levels a launch, some of which add nothing but zeros."""
    launches = max(math.ceil(math.log(x.size) / math.log(THREADS) - 1e-9), 1)
    return gamma(launches * int(math.log2(THREADS)), "float32")


def blocked(x):
    """A block's additions in any order, and then one for each block."""
    return gamma(min(x.size, BLOCK) + math.ceil(x.size / BLOCK), "float32")


def two_launches(x):
    """A term meets those of its thread, its simdgroup and its group; then the same again."""
    return gamma(additions_met(x.size), "float32")


def additions(copies=0.0, traffic=1.0):
    """A cost: n - 1 additions; x passes so many times; so many float32 copies of it are kept."""
    return lambda x: Cost(flops=max(x.size - 1, 0), bytes=traffic * x.nbytes, memory=copies * 4 * x.size, written=0)


GPUS = {"arrays": "mlx", "devices": ("metal", "cuda")}
SMALL = {"n": 1000}
AWKWARD = ({"n": 1}, {"n": 2}, {"n": 7}, {"n": THREADS + 1}, {"n": 4099})

EXPERIMENT = Experiment(
    problems=(
        Problem(uniform, small=SMALL, awkward=AWKWARD),
        Problem(cancelling, kind="hard", small=SMALL, awkward=AWKWARD),
        Problem(absorbing, kind="hard", small=SMALL, awkward=AWKWARD),
    ),
    dtypes=("float32", "float16", "bfloat16"),
    oracle=exact,
    laws={"relative error": relative_error},
    implementations=(
        Implementation(left_to_right, "textbook", cost=additions(copies=1), bound=any_order),
        Implementation(folded, "vectorised", cost=additions(copies=2), bound=depth),
        Implementation(folded_on_device, "vectorised", cost=additions(copies=2), bound=depth, arrays="mlx"),
        Implementation(blocks_compiled, "compiled", cost=additions(), bound=blocked, dtypes=("float32",)),
        Implementation(tree_kernel, "kernel", cost=additions(copies=1 / 128), bound=depth_of_launches, **GPUS),
        Implementation(simd_kernel, "kernel", cost=additions(), bound=two_launches, **GPUS),
        Implementation(library, "library", cost=additions(copies=1), bound=any_order, arrays="mlx"),
    ),
    picture=picture,
)
