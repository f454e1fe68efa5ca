"""The gradient of attention on a GPU: one kernel sums over keys, for dq, and one over queries, for dk and dv.

Template  T: element type; D: numbers in a query, up to 96; L queries, S keys, H heads, G groups; CAUSAL.
The first kernel leaves $do_i^T o_i$, (heads, length), for the second; which of them a sum runs in decides who needs
not meet whom: no two groups of threads add to the same number, and the result is the same in every run.
"""

from __future__ import annotations

import functools

from dl_exp.kernel import Kernel
from dl_exp.sequence import _attention_gradient_cuda as cuda
from dl_exp.sequence import _attention_gradient_metal as metal
from dl_exp.sequence._attention_kernel import kernel as forward
from dl_exp.sequence._attention_kernel import with_logsum
from exp_core import Skip

THREADS, TILE = 128, 16  # of a group; queries or keys of a group
MOST = 96  # numbers in a query: two tiles of 16 and one of 32 fill 25 of the 32 KB of shared memory

OF_QUERIES = Kernel(
    "flash_attention_back_queries",
    inputs=("q", "k", "v", "o", "dout", "logsum"),
    outputs=("dq", "sent"),
    metal=metal.OF_QUERIES,
    cuda=cuda.OF_QUERIES,
)
OF_KEYS = Kernel(
    "flash_attention_back_keys",
    inputs=("q", "k", "v", "dout", "logsum", "sent"),
    outputs=("dk", "dv"),
    metal=metal.OF_KEYS,
    cuda=cuda.OF_KEYS,
)


def kernel(q, k, v, do, causal):
    """By hand for a GPU: forwards for the sums of the weights, then a kernel for each direction of the sums."""
    o, logsum = with_logsum(q, k, v, causal)
    return backwards(q, k, v, o, do, logsum, causal)


def backwards(q, k, v, o, do, logsum, causal):
    """(dq, dk, dv), from what ``with_logsum`` has returned."""
    dq, sent = of_queries(q, k, v, o, do, logsum, causal)
    return dq, *of_keys(q, k, v, do, logsum, sent, causal)


def of_queries(q, k, v, o, do, logsum, causal):
    """(dq, sent): the gradient by the queries, and $do_i^T o_i$."""
    shapes, dtypes = (q.shape, logsum.shape), (q.dtype, logsum.dtype)
    return OF_QUERIES(q, k, v, o, do, logsum, **launch(q, k, causal, q.shape), shapes=shapes, dtypes=dtypes)


def of_keys(q, k, v, do, logsum, sent, causal):
    """(dk, dv): the gradients by keys and values."""
    shapes, dtypes = (k.shape, v.shape), (k.dtype, v.dtype)
    return OF_KEYS(q, k, v, do, logsum, sent, **launch(q, k, causal, k.shape), shapes=shapes, dtypes=dtypes)


def launch(q, k, causal, tiled):
    """The template, and a group of threads for each tile of the array that has the given shape."""
    (heads, length, dim), (groups, keys, _) = q.shape, k.shape
    return {
        "template": {"T": q.dtype, "D": dim, "L": length, "S": keys, "H": heads, "G": groups, "CAUSAL": causal},
        "grid": (THREADS * -(-tiled[1] // TILE), tiled[0], 1),
        "threadgroup": (THREADS, 1, 1),
    }


def too_wide(q, k, v, do, causal):
    """Shared memory is finite."""
    if q.shape[2] > MOST:
        return Skip(f"its tiles are made for queries of at most {MOST} numbers", f"--dim {MOST}")
    return None


def attention(q, k, v, causal):
    """Attention for training on a GPU, by hand forwards and backwards: ``mx.grad`` of it calls ``backwards``."""
    return _with_gradient(causal)(q, k, v)


@functools.cache
def _with_gradient(causal):
    import mlx.core as mx

    @mx.custom_function
    def forwards(q, k, v):
        return forward(q, k, v, causal)

    @forwards.vjp
    def gradient(primals, do, o):
        return kernel(*primals, do, causal)

    return forwards
