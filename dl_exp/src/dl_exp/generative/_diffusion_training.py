"""Diffusion trained for real: on the moons and the digits, until its samples lie where the data lie."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from dl_exp.generative._diffusion_distance import fitted_gaussian
from dl_exp.generative._diffusion_engine import advance
from dl_exp.generative._diffusion_model import AVERAGED, Shape, rate, start_weights
from dl_exp.generative._diffusion_problems import read_images, read_moons
from dl_exp.generative._diffusion_samplers import JUMPS, ddim, ddpm, guesser, stretch_for
from dl_exp.generative._diffusion_schedule import STEPS
from exp_core.training import DataSet, Engine, Target, Training, epochs

JUDGED = 5000  # samples to measure the distance with, if as many examples were held out
CLOUDS = 3  # of as many samples each
SMALLEST = 1e-6  # distance: lest chance divides by none at all
NEARER = 5  # times nearer to the data than a Gaussian that was fitted to them
DDPM, DDIM = "times nearer than a Gaussian", f"the same with DDIM in {JUMPS} jumps"
KERNEL_DDPM, KERNEL_DDIM = "times nearer in squared kernel distance", "the same in it with DDIM"
GOAL = "our own: a fifth of what two moments explain"


def model(data, *, hidden: Annotated[int, "units in a hidden layer"] = 128):
    """The shape for these data."""
    return Shape(data.x.shape[1], hidden)


def start(shape, rng):
    """Weights, Adam's two means, and the running mean of the weights that samples are drawn with.

    The last is Ho, Jain, Abbeel (2020), appendix B.
    """
    weights = start_weights(shape, rng)
    return {"weights": weights, "m": np.zeros_like(weights), "v": np.zeros_like(weights), "average": weights.copy()}


def batches(shape, data, seed, steps, batch):
    """Every example once an epoch; noise and times are drawn anew each time."""
    examples = data.x if data.learnt is None else data.learnt
    chosen = epochs(len(examples), batch, seed, steps)
    noise = np.empty((len(steps), batch, shape.dims), np.float32)
    times = np.empty((len(steps), batch), np.int32)
    for k, step in enumerate(steps):
        rng = np.random.default_rng((seed, 2, step))
        noise[k], times[k] = rng.standard_normal(noise[k].shape), rng.integers(1, STEPS + 1, batch)
    return examples[chosen], noise, times


def threads_engine(shape, state, batches, step):
    """The CPU engine."""
    state = {name: array.copy() for name, array in state.items()}
    losses = np.empty(len(batches[0]), np.float32)
    for k in range(len(losses)):
        one = [part[k : k + 1] for part in batches]
        losses[k : k + 1] = advance(state["weights"], state["m"], state["v"], *one, step + k, shape)
        state["average"] += np.float32(AVERAGED) * (state["weights"] - state["average"])
    return losses, state


def mlx_engine(shape, state, batches, step):
    """The compiled graph, on MLX's device; under mlx.launch with the mean of all processes' gradients."""
    import mlx.core as mx

    from dl_exp.generative._diffusion_mlx import shared_step
    from dl_exp.generative._diffusion_model import corrections

    update, losses = shared_step(shape), []
    kept = tuple(mx.array(state[name]) for name in ("weights", "m", "v", "average"))
    *examples, rates = batches
    for k, (now, *one) in enumerate(zip(rates.tolist(), *map(mx.array, examples), strict=True), step + 1):
        loss, *moved = update(*kept[:3], *one, mx.array([now, *corrections(k)]))
        kept = (*moved, kept[3] + AVERAGED * (moved[0] - kept[3]))
        mx.eval(loss, kept)
        losses.append(loss.item())
    names = ("weights", "m", "v", "average")
    return np.array(losses, np.float32), {name: np.array(array) for name, array in zip(names, kept, strict=True)}


def evaluate(shape, state, data):
    """How many times nearer to examples held out the samples are than those of a Gaussian fitted to the others."""
    truth, rng, guess = data.held_out[:JUDGED], np.random.default_rng(0), guesser(state["average"], shape)
    seen = data.seen(truth)

    def clouds(draw):
        """As many samples as examples held out, some times."""
        return [draw(rng.standard_normal(truth.shape).astype(np.float32)) for _ in range(CLOUDS)]

    def sampled(sampler):
        stretch = stretch_for(sampler, guess, data, rng)
        return clouds(lambda noise: data.decoded(sampler(guess, noise, data, rng, stretch)))

    def apart(drawn):
        return max(float(np.mean([data.distance(cloud, seen) for cloud in drawn])), SMALLEST)

    def squared(drawn):
        """What cannot be told from 0 counts as its error."""
        return max(data.kernel(np.concatenate(drawn), seen))

    gaussian = clouds(lambda noise: data.seen(fitted_gaussian(data.x, len(truth), rng)))
    samples = [sampled(ddpm), sampled(ddim)]
    measured = {name: apart(gaussian) / apart(drawn) for name, drawn in zip((DDPM, DDIM), samples, strict=True)}
    if data.kernel:
        names = KERNEL_DDPM, KERNEL_DDIM
        measured |= {name: squared(gaussian) / squared(drawn) for name, drawn in zip(names, samples, strict=True)}
    return measured


def picture(figure, shape, state, data, rng):
    """Samples beside data."""
    from dl_exp.generative._diffusion_picture import draw_samples

    draw_samples(figure, guesser(state["average"], shape), data, rng)


TRAINING = Training(
    data=(
        DataSet("moons", read_moons, "two half circles of 20,000 points"),
        DataSet("digits", read_images, "1,437 handwritten digits", requires=("sklearn",)),
    ),
    model=model,
    start=start,
    batches=batches,
    engines=(Engine(threads_engine, "compiled"), Engine(mlx_engine, "compiled", arrays="mlx", parallel=True)),
    evaluate=evaluate,
    targets=(
        Target(DDPM, NEARER, "more", GOAL),
        Target(DDIM, NEARER, "more", GOAL),
        Target(KERNEL_DDPM, NEARER, "more", GOAL, data=("digits",)),
        Target(KERNEL_DDIM, NEARER, "more", GOAL, data=("digits",)),
    ),
    steps=12_000,
    batch=256,
    rate=rate,
    every=3000,
    picture=picture,
)
