"""Diffusion: to draw new examples, learn to take a little noise away, and begin with nothing else.

Problem   Examples $x_0$, shape (updates, batch, d), are spoilt with noise $\\epsilon$, more of it the later the time t:
          $x_t = \\sqrt{\\bar\\alpha_t}\\, x_0 + \\sqrt{1 - \\bar\\alpha_t}\\, \\epsilon$.  From weights w make as many
          steps of Adam on $\\|v_w(x_t, t) - v\\|^2$ with
          $v = \\sqrt{\\bar\\alpha_t}\\, \\epsilon - \\sqrt{1 - \\bar\\alpha_t}\\, x_0$.
Idea      Who knows v knows the noise, $\\epsilon = \\sqrt{1 - \\bar\\alpha_t}\\, x_t + \\sqrt{\\bar\\alpha_t}\\, v$,
          and can take some of it away; where there is nearly nothing else, the network need not repeat it.  DDPM starts
          from pure noise, goes all T steps back and adds a little fresh noise after each; DDIM adds none, so that it is
          a curve that may be followed in fewer, larger steps.
Look for  The loss falls quickly to a level that is not zero, and the samples go on getting better long after: most of
          the noise cannot be guessed.  Moons are judged by the sliced Wasserstein distance; it would flatter a Gaussian
          among digits, since along a line 64 pixels together look almost normal, and other digits would be but 1.3
          times nearer.  There it counts how often a nearest neighbour tells what is a sample: of examples learnt from,
          12 times less often than of a fitted Gaussian.  Digits carry their labels with them as ten more numbers.
          1,437 examples are few: with 512 units the loss falls on and samples get worse.  So half of them are moved a
          little, and six more numbers say how; samples are held to "not moved".  With --data digits --hidden 512
          --steps 12000 the squared kernel distance in a classifier's features is 7.3 to 14 times less than the
          Gaussian's (DDPM) and 9.6 to 21 (DDIM), by the seed and the draw; by neighbours DDIM's are 3.9 to 6.8 times
          nearer (5.3 to 5.6 in what a run prints), and DDPM's 3.0 to 3.6: there 5 times is not reached.
          Guesses are means, and pale; they are stretched until samples vary as much as the examples.
          mlx.optimizers' Adam costs more than the graph of its formulas: see adam.
          On far-away data, which were not brought to mean 0 and variance 1, noise never drowns them.
Source    J. Ho, A. Jain, P. Abbeel, Denoising diffusion probabilistic models, NeurIPS (2020), arXiv:2006.11239.
          J. Song, C. Meng, S. Ermon, Denoising diffusion implicit models, ICLR (2021), arXiv:2010.02502.
          T. Salimans, J. Ho, Progressive distillation for fast sampling of diffusion models, ICLR (2022),
          arXiv:2202.00512, for v.
          T. Karras et al., Elucidating the design space of diffusion-based generative models, NeurIPS (2022),
          arXiv:2206.00364, for moved examples that do not leak into samples.
          D. Kingma, J. Ba, Adam, ICLR (2015), arXiv:1412.6980.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from dl_exp.generative._diffusion_engine import threads
from dl_exp.generative._diffusion_library import mlx_nn, torch_eager
from dl_exp.generative._diffusion_mlx import mlx_compiled, mlx_grad
from dl_exp.generative._diffusion_model import BETA1, BETA2, EPSILON, RATE, corrections, cost, cost_of_loops
from dl_exp.generative._diffusion_problems import digits, far_away, moons
from dl_exp.generative._diffusion_schedule import FEATURES, clock, noised, scales, velocity
from dl_exp.generative._diffusion_tape import on_our_tape
from dl_exp.generative._diffusion_training import TRAINING
from dl_exp.trajectories import LAWS, oracle_and_bounds
from exp_core import Experiment, Implementation, Problem


def loops(weights, x0, noise, times, shape):
    """Number after number: every sum of the page is a loop."""
    told, (signal, spread) = clock(), (scale.tolist() for scale in scales())
    w = [float(number) for number in weights]
    m, v, losses = [0.0] * len(w), [0.0] * len(w), []
    for k, batch in enumerate(zip(x0.tolist(), noise.tolist(), times.tolist(), strict=True), 1):
        loss, share = 0.0, 1 / (len(batch[0]) * shape.dims)
        layers = _layers(w, shape)
        gradients = [([[0.0] * len(b) for _ in W], [0.0] * len(b)) for W, b in layers]
        for clean, e, t in zip(*batch, strict=True):
            x = [signal[t] * x_i + spread[t] * e_i for x_i, e_i in zip(clean, e, strict=True)]
            inputs, slopes = [x + told[t].tolist()], []
            for W, b in layers:
                a = inputs[-1]
                z = [b_j + sum(a_i * row[j] for a_i, row in zip(a, W, strict=True)) for j, b_j in enumerate(b)]
                s = [sigmoid(z_j) for z_j in z]
                slopes.append([s_j * (1 + z_j * (1 - s_j)) for s_j, z_j in zip(s, z, strict=True)])
                inputs.append([z_j * s_j for s_j, z_j in zip(s, z, strict=True)])
            v_t = [signal[t] * e_i - spread[t] * x_i for x_i, e_i in zip(clean, e, strict=True)]
            wrong = [z_i - v_i for z_i, v_i in zip(z, v_t, strict=True)]  # the last layer's sum as it is
            loss += share * sum(r * r for r in wrong)
            delta = [2 * share * r for r in wrong]
            for layer in (3, 2, 1, 0):
                gW, gb = gradients[layer]
                for j, delta_j in enumerate(delta):
                    gb[j] += delta_j
                    for i, a_i in enumerate(inputs[layer]):
                        gW[i][j] += a_i * delta_j
                if layer:
                    W, slope = layers[layer][0], slopes[layer - 1]
                    delta = [
                        s_i * sum(w_ij * delta_j for w_ij, delta_j in zip(row, delta, strict=True))
                        for s_i, row in zip(slope, W, strict=True)
                    ]
        losses.append(loss)
        g = [number for gW, gb in gradients for number in itertools.chain(*gW, gb)]
        c1, c2 = corrections(k)
        for i, g_i in enumerate(g):
            m[i] = BETA1 * m[i] + (1 - BETA1) * g_i
            v[i] = BETA2 * v[i] + (1 - BETA2) * g_i * g_i
            w[i] -= RATE * (m[i] / c1) / (math.sqrt(v[i] / c2) + EPSILON)
    return np.array(losses, np.float32), np.array(w, np.float32)


def sigmoid(z):
    """$1/(1 + e^{-z})$, whose exponential would overflow far on the negative side."""
    return 1 / (1 + math.exp(-z)) if z > 0 else math.exp(z) / (1 + math.exp(z))


def _layers(w, shape):
    """Each layer's matrix as rows, and its bias; of the first layer the rows for x and those for the time."""
    numbers, d, h = iter(w), shape.dims, shape.hidden
    return [
        ([[next(numbers) for _ in range(columns)] for _ in range(rows)], [next(numbers) for _ in range(columns)])
        for rows, columns in ((d + FEATURES, h), (h, h), (h, h), (h, d))
    ]


def by_hand(weights, x0, noise, times, shape):
    """A batch at once: the same formulas as matrix products in NumPy."""
    weights, losses = weights.copy(), []
    m, v = np.zeros_like(weights), np.zeros_like(weights)
    for k, batch in enumerate(zip(x0, noise, times, strict=True), 1):
        loss, g = loss_and_gradient(weights, *batch, shape)
        losses.append(loss)
        c1, c2 = corrections(k)
        m[:] = BETA1 * m + (1 - BETA1) * g
        v[:] = BETA2 * v + (1 - BETA2) * g * g
        weights -= RATE * (m / c1) / (np.sqrt(v / c2) + EPSILON)
    return np.array(losses, weights.dtype), weights


def loss_and_gradient(weights, x0, noise, times, shape):
    """The mean square of what is wrong with the guess, and its gradient; x0 and noise (batch, d), times (batch,)."""
    W1, b1, W2, b2, W3, b3, W4, b4 = shape.layout.unpack(weights)
    d = shape.dims
    x, told = noised(x0, noise, times), clock().astype(x0.dtype)[times]
    h1, slope1 = silu(x @ W1[:d] + told @ W1[d:] + b1)  # (batch, hidden)
    h2, slope2 = silu(h1 @ W2 + b2)
    h3, slope3 = silu(h2 @ W3 + b3)
    wrong = h3 @ W4 + b4 - velocity(x0, noise, times)  # (batch, d)

    delta4 = (2 / wrong.size) * wrong
    delta3 = (delta4 @ W4.T) * slope3
    delta2 = (delta3 @ W3.T) * slope2
    delta1 = (delta2 @ W2.T) * slope1
    g = np.empty_like(weights)
    gW1, gb1, gW2, gb2, gW3, gb3, gW4, gb4 = shape.layout.unpack(g)
    gW1[:d], gW1[d:], gb1[:] = x.T @ delta1, told.T @ delta1, np.sum(delta1, axis=0)
    gW2[:], gb2[:] = h1.T @ delta2, np.sum(delta2, axis=0)
    gW3[:], gb3[:] = h2.T @ delta3, np.sum(delta3, axis=0)
    gW4[:], gb4[:] = h3.T @ delta4, np.sum(delta4, axis=0)
    return np.mean(wrong * wrong), g


def silu(z):
    """$z \\sigma(z)$ and its slope $\\sigma(z)(1 + z(1 - \\sigma(z)))$."""
    s = 1 / (1 + np.exp(-z))  # an overflow of exp is right: s is 0 there
    return z * s, s * (1 + z * (1 - s))


def picture(figure, weights, x0, noise, times, shape):
    """The way into noise, and what the first steps of learning bring."""
    from dl_exp.generative._diffusion_picture import draw

    draw(figure, by_hand, weights, x0, noise, times, shape)


exact, BOUNDS = oracle_and_bounds(by_hand)
SMALL = {"hidden": 5, "batch": 4, "updates": 3}
AWKWARD = (
    {"hidden": 1, "batch": 1, "updates": 1},
    {"hidden": 17, "batch": 13, "updates": 2},
    {"hidden": 65, "batch": 3, "updates": 2},
)


def row(function, rung, cost=cost, **more):
    """An implementation: all do the same, and round within the same bounds."""
    return Implementation(function, rung, cost=cost, bound=BOUNDS, **more)


EXPERIMENT = Experiment(
    problems=(
        Problem(moons, small=SMALL, awkward=AWKWARD),
        Problem(far_away, kind="hard", small=SMALL, awkward=AWKWARD),
        Problem(digits, kind="real", small=SMALL, requires=("sklearn",)),
    ),
    dtypes=("float32",),
    oracle=exact,
    laws=LAWS,
    implementations=(
        row(loops, "textbook", cost=cost_of_loops),
        row(by_hand, "vectorised"),
        row(on_our_tape, "vectorised"),
        row(mlx_grad, "vectorised", arrays="mlx"),
        row(mlx_compiled, "compiled", arrays="mlx"),
        row(threads, "compiled"),
        row(mlx_nn, "library", arrays="mlx"),
        row(torch_eager, "library", requires=("torch",)),
    ),
    picture=picture,
    training=TRAINING,
)
