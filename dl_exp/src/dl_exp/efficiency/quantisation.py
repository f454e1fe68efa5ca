"""Quantisation: weights in 4 or 8 bits, and a product that never writes them out.

Problem   $y = x \\hat W^T$, $\\hat w = s q + \\beta$; x is (rows, k), float32; q are whole numbers of 4 or 8 bits,
          packed in words, with one s and $\\beta$ for each group of neighbours in a row of W (out, k).
Idea      A network that writes one word after the other reads all of its weights for each: at rest in 4 bits they are
          an eighth of the traffic, if they are unpacked where they are used.  Rounding to nearest loses
          $s/2$ a weight; passing on what is lost, as the inputs correlate, loses far less of y (GPTQ).
Look for  mx.quantize's codes are ours to the last bit.  Unpacked into memory the weights cost more than they save.
          What a processor does for one row is unpacking: the codes of 2048 by 2048 weights in 4 bits would come out of
          the third-level cache in 13 us, ours takes 58 on two threads, two operations to make a code a float where it
          lies in its word, and one to make it a weight.  MLX, on one thread, takes 2600.  From 64 rows on the weights
          are made once for all rows, panel by panel, and it is a matrix product again, as fast as one.
          What it costs a network: on gpt, with all matrices of a GPT of ours rounded (800,000 weights, trained in some
          seconds and kept), each row shows the perplexity that its product leaves, beside that of the float32 model,
          and below the table stand 8 and 4 bits, to nearest and with feedback.
          lost: how much of $x W^T$ is gone, on normal weights, with outliers that stretch a group's scale, and with
          error feedback.
Source    E. Frantar et al., GPTQ, arXiv:2210.17323 (2022).  T. Dettmers, L. Zettlemoyer, The case for 4-bit precision,
          arXiv:2212.09720 (2022).
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from dl_exp.efficiency import _quantisation_codes as codes
from dl_exp.efficiency import _quantisation_laws as laws
from dl_exp.efficiency._quantisation_codes import Bits, Group, Rows, bits_of
from dl_exp.efficiency._quantisation_compiled import fused_compiled
from dl_exp.efficiency._quantisation_gpt import remarks
from dl_exp.efficiency._quantisation_gpt_problems import gpt, gpt_fed_back, learnt
from dl_exp.efficiency._quantisation_kernel import kernel
from dl_exp.efficiency._quantisation_picture import picture
from exp_core import Experiment, Implementation, Problem
from exp_core.tensor import normal


def by_the_formula(x, packed, scales, biases):
    """Weight after weight: take its bits out of the word, scale and shift it, multiply and add."""
    bits = bits_of(x, packed)
    per_word, group = codes.WORD // bits, x.shape[1] // scales.shape[1]
    y = np.zeros((len(x), len(packed)), x.dtype)
    for r, o in np.ndindex(y.shape):
        total = x.dtype.type(0)
        for i in range(x.shape[1]):
            q = int(packed[o, i // per_word]) >> (i % per_word * bits) & (1 << bits) - 1
            total = total + x[r, i] * (scales[o, i // group] * q + biases[o, i // group])
        y[r, o] = total
    return y


def unpacked(x, packed, scales, biases):
    """All weights at once, in float32, and then one matrix product: eight times the memory of 4 bits comes and goes."""
    import mlx.core as mx

    bits = bits_of(x, packed)
    places = mx.arange(0, codes.WORD, bits, dtype=mx.uint32)
    q = (packed[..., None] >> places) & (2**bits - 1)
    w = scales[..., None] * q.reshape(*scales.shape, -1).astype(mx.float32) + biases[..., None]
    return x @ w.reshape(len(packed), -1).T


def library(x, packed, scales, biases):
    """mx.quantized_matmul: unpacks as it multiplies."""
    import mlx.core as mx

    group = x.shape[1] // scales.shape[1]
    return mx.quantized_matmul(x, packed, scales, biases, group_size=group, bits=bits_of(x, packed))


def without_weights(x, packed, scales, biases, w, model):
    """What a network has left: the weights as they were, and the model, are only there for the figures."""
    return x, packed, scales, biases


Columns = Annotated[int, "weights in a row"]
Out = Annotated[int, "rows of weights"]


def normal_weights(
    rows: Rows = 1, k: Columns = 2048, out: Out = 2048, bits: Bits = 4, group: Group = 64, *, dtype, rng
):
    """Normal weights and inputs, rounded to nearest."""
    codes.check(k, bits, group)
    w = normal(rng, (out, k), dtype)
    return normal(rng, (rows, k), dtype), *codes.groupwise(w, bits, group), w, None


def outliers(rows: Rows = 1, k: Columns = 2048, out: Out = 2048, bits: Bits = 4, group: Group = 64, *, dtype, rng):
    """One weight in a hundred is thirty times as large: its group's steps are too wide for all others."""
    codes.check(k, bits, group)
    w = normal(rng, (out, k), dtype)
    w[rng.random((out, k)) < 0.01] *= 30
    return normal(rng, (rows, k), dtype), *codes.groupwise(w, bits, group), w, None


def fed_back(rows: Rows = 64, k: Columns = 256, out: Out = 256, bits: Bits = 4, group: Group = 64, *, dtype, rng):
    """Inputs that correlate (a tenth as many causes as inputs), and weights rounded with error feedback."""
    codes.check(k, bits, group)
    w, x = normal(rng, (out, k), dtype), correlated(rng, rows, k)
    return x.astype(dtype), *codes.fed_back(w, correlated(rng, 4 * k, k), bits, group), w, None


def correlated(rng, rows, k):
    """A few causes, seen by all inputs through the same mixture, and a little noise; the mixture is always the same."""
    causes = max(1, k // 10)
    mixture = np.random.default_rng(k).standard_normal((causes, k)) / math.sqrt(causes)
    return rng.standard_normal((rows, causes)) @ mixture + 0.1 * rng.standard_normal((rows, k))


SMALL = {"rows": 2, "k": 64, "out": 3, "group": 32}
AWKWARD = (
    {"rows": 1, "k": 32, "out": 1, "group": 32, "bits": 8},
    {"rows": 3, "k": 128, "out": 7, "group": 128},
    {"rows": 2, "k": 192, "out": 5, "group": 64, "bits": 8},
)

FEW = {"rows": 2, "steps": 3}
SCHEME = "bits", "group"

EXPERIMENT = Experiment(
    problems=(
        Problem(normal_weights, small=SMALL, awkward=AWKWARD, fixed=SCHEME),
        Problem(outliers, kind="hard", small=SMALL, awkward=AWKWARD, fixed=SCHEME),
        Problem(fed_back, small=SMALL, awkward=AWKWARD, fixed=SCHEME),
        *(
            Problem(make, kind="real", small=FEW, requires=("numba",), fixed=(*SCHEME, "steps"), load=learnt)
            for make in (gpt, gpt_fed_back)
        ),
    ),
    dtypes=("float32",),
    oracle=laws.exact,
    laws={"componentwise error": laws.componentwise_error},
    figures={"lost": laws.lost, "perplexity": laws.perplexity, "in float32": laws.perplexity_before},
    remarks=remarks,
    implementations=tuple(
        Implementation(function, rung, cost=laws.cost(copies), bound=laws.bound, prepare=without_weights, **how)
        for function, rung, copies, how in (
            (by_the_formula, "textbook", 0, {}),
            (unpacked, "vectorised", 4, {"arrays": "mlx"}),
            (fused_compiled, "compiled", 0, {}),
            (kernel, "kernel", 0, {"arrays": "mlx", "devices": ("metal", "cuda")}),
            (library, "library", 0, {"arrays": "mlx"}),
        )
    ),
    picture=picture,
)
