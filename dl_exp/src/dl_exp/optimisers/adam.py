"""Adam: from plain descent to AdamW, one idea after the other, and all of a step in one pass over memory.

Problem   Minimise $f(w) = \\frac1{2n} \\sum_i a_i (w_i - c_i)^2$ by some updates from the gradient $g = a(w - c)$,
          taken without the 1/n: each coordinate is a problem of its own.  w, a, c: shape (n,).
          --problem chooses the rule: sgd, momentum, rmsprop, adam or adamw.
Idea      Momentum averages gradients: what alternates cancels.  RMSProp divides by their size: all coordinates move
          at the same speed.  Adam does both, and corrects that averages begin at 0; AdamW keeps the decay of weights
          out of the averages.
Look for  No rule does more than 20 operations a weight, and memory is what limits: six numbers read, three written.
          Operation by operation a step goes through memory twenty times, fused once.  In mx.compile mlx.optimizers
          may be three times slower than without: the powers in Adam's corrections are fused in, and taken for every
          weight (50,000 of them: 590 µs a step, 150 without corrections, 190 uncompiled; a power alone 160).  Ours take
          them once, in Python.
          Where the curvature spans six orders of magnitude (ill-conditioned) descent may only take the steps that the
          steepest allows; Adam need not.
Source    D. P. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR (2015), arXiv:1412.6980, algorithm 1.
          I. Loshchilov, F. Hutter, Decoupled weight decay regularization, ICLR (2019), arXiv:1711.05101, algorithm 2.
          T. Tieleman, G. Hinton, Lecture 6.5: RMSProp (2012).
"""

from __future__ import annotations

import functools
import math

import numpy as np

from dl_exp.optimisers._adam_engine import threads
from dl_exp.optimisers._adam_kernel import fused_kernel
from dl_exp.optimisers._adam_library import mlx_optimizers, mlx_optimizers_compiled, torch_optim
from dl_exp.optimisers._adam_picture import picture
from dl_exp.optimisers._adam_problems import AWKWARD, SMALL, adam, adamw, ill_conditioned, momentum, rmsprop, sgd
from dl_exp.trajectories import LAWS, oracle_and_bounds
from exp_core import Cost, Experiment, Implementation, Problem


def loops(w, a, c, updates, rule):
    """Weight after weight, as the algorithm's box in the paper has it."""
    w, losses = w.astype(float).tolist(), []
    m, v = [0.0] * len(w), [0.0] * len(w)
    curvatures, centres = a.tolist(), c.tolist()
    for t in range(1, updates + 1):
        loss = 0.0
        for i, (a_i, c_i) in enumerate(zip(curvatures, centres, strict=True)):
            g = a_i * (w[i] - c_i)
            loss += 0.5 * g * (w[i] - c_i) / len(w)
            if rule.method == "sgd":
                w[i] -= rule.rate * g
            elif rule.method == "momentum":
                m[i] = rule.beta1 * m[i] + g
                w[i] -= rule.rate * m[i]
            elif rule.method == "rmsprop":
                v[i] = rule.beta2 * v[i] + (1 - rule.beta2) * g * g
                w[i] -= rule.rate * g / (math.sqrt(v[i]) + rule.epsilon)
            else:
                m[i] = rule.beta1 * m[i] + (1 - rule.beta1) * g
                v[i] = rule.beta2 * v[i] + (1 - rule.beta2) * g * g
                m_hat, v_hat = m[i] / (1 - rule.beta1**t), v[i] / (1 - rule.beta2**t)
                w[i] -= rule.rate * rule.decay * w[i]
                w[i] -= rule.rate * m_hat / (math.sqrt(v_hat) + rule.epsilon)
        losses.append(loss)
    return np.array(losses, np.float32), np.array(w, np.float32)


def vectorised(w, a, c, updates, rule):
    """All weights at once: every operation goes through memory."""
    losses, memory = [], start(w)
    for _ in range(updates):
        g = a * (w - c)
        losses.append(np.mean(0.5 * g * (w - c)))
        w, memory = update(rule, w, g, memory, np.sqrt)
    return np.array(losses, w.dtype), np.asarray(w)


def start(w):
    """What a rule remembers before the first update: m, v, and the powers of both betas."""
    one = 0 * w[:1] + 1
    return 0 * w, 0 * w, one, one


def update(rule, w, g, memory, sqrt):
    """One update, for arrays of either library: the new weights and what is remembered."""
    m, v, power1, power2 = memory
    if rule.method == "sgd":
        return w - rule.rate * g, memory
    if rule.method == "momentum":
        m = rule.beta1 * m + g
        return w - rule.rate * m, (m, v, power1, power2)
    v = rule.beta2 * v + (1 - rule.beta2) * (g * g)
    if rule.method == "rmsprop":
        return w - rule.rate * (g / (sqrt(v) + rule.epsilon)), (m, v, power1, power2)
    m = rule.beta1 * m + (1 - rule.beta1) * g
    power1, power2 = rule.beta1 * power1, rule.beta2 * power2
    m_hat, v_hat = m / (1 - power1), v / (1 - power2)
    w = w - (rule.rate * rule.decay) * w if rule.decay else w
    return w - rule.rate * (m_hat / (sqrt(v_hat) + rule.epsilon)), (m, v, power1, power2)


def mlx_arrays(w, a, c, updates, rule):
    """The same lines on MLX's device, operation by operation."""
    return _run_mlx(_mlx_step(rule), w, a, c, updates)


def mlx_compiled(w, a, c, updates, rule):
    """The step in mx.compile: gradient, averages and update become one kernel, the loss another."""
    return _run_mlx(_mlx_step_compiled(rule), w, a, c, updates)


def _run_mlx(step, w, a, c, updates):
    import mlx.core as mx

    losses, memory = [], start(w)
    for _ in range(updates):
        loss, w, memory = step(w, a, c, memory)
        mx.eval(loss, w, memory)
        losses.append(loss)
    return mx.stack(losses), w


@functools.cache
def _mlx_step(rule):
    import mlx.core as mx

    def step(w, a, c, memory):
        g = a * (w - c)
        loss = mx.mean(0.5 * g * (w - c))
        return loss, *update(rule, w, g, memory, mx.sqrt)

    return step


@functools.cache
def _mlx_step_compiled(rule):
    import mlx.core as mx

    return mx.compile(_mlx_step(rule))


FLOPS = {"sgd": 2, "momentum": 4, "rmsprop": 9, "adam": 15, "adamw": 15}  # a weight, beside gradient and loss


def cost(w, a, c, updates, rule):
    """Weights, curvatures and centres are read, weights written; m and v are read and written where they are kept."""
    kept = {"sgd": 0, "momentum": 1, "rmsprop": 1}.get(rule.method, 2)
    flops = w.size * (6 + FLOPS[rule.method] + 2 * (rule.decay > 0))
    moved = updates * w.nbytes
    return Cost(updates * flops, moved * (4 + 2 * kept), 12 * w.nbytes, written=moved * (1 + kept))


exact, BOUNDS = oracle_and_bounds(vectorised)


def row(function, rung, **more):
    """An implementation: all do the same, and round within the same bounds."""
    return Implementation(function, rung, cost=cost, bound=BOUNDS, **more)


EXPERIMENT = Experiment(
    problems=(
        *(Problem(rule, small=SMALL, awkward=AWKWARD) for rule in (adamw, adam, rmsprop, momentum, sgd)),
        Problem(ill_conditioned, kind="hard", small=SMALL, awkward=AWKWARD),
    ),
    dtypes=("float32",),
    oracle=exact,
    laws=LAWS,
    implementations=(
        row(loops, "textbook"),
        row(vectorised, "vectorised"),
        row(mlx_arrays, "vectorised", arrays="mlx"),
        row(mlx_compiled, "compiled", arrays="mlx"),
        row(threads, "compiled"),
        row(fused_kernel, "kernel", arrays="mlx", devices=("metal", "cuda")),
        row(mlx_optimizers, "library", arrays="mlx"),
        row(mlx_optimizers_compiled, "library", arrays="mlx"),
        row(torch_optim, "library", requires=("torch",)),
    ),
    picture=picture,
)
