"""What is to be drawn like: two moons, the same far away, handwritten digits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np

from dl_exp.generative._diffusion_distance import sliced_wasserstein, told_apart
from dl_exp.generative._diffusion_kernel import Estimate, between_digits
from dl_exp.generative._diffusion_model import Shape, start_weights
from dl_exp.generative._diffusion_moved import WAYS, moved
from dl_exp.generative._diffusion_schedule import STEPS

THICKNESS = 0.05  # of the moons: standard deviation of what is added
FAR = 100.0
LABEL = 4.0  # how far the number that says "this digit" is from the nine that say "not this one"
GREY = 1 / 8  # between two of the 17 greys of digits from -1 to 1
COPIES = 16  # of each digit, moved; and as many that were not
MOVED = 2.0  # the number that says so


class Points(NamedTuple):
    """Examples to be drawn like and others that are held out, both float32, (n, d), about 0 and of variance about 1.

    low, high: the smallest and the largest that each of the d numbers can be in a sample, (d,) or one for all.
    distance: of two clouds of as many points, the one that these data are judged with.
    own, mean, scale: an example as it was is its first ``own`` numbers, times the scale, and the mean, (own,), on top;
        what comes after them is only learnt along with it.
    kernel: of two clouds, of any sizes, as they were: the squared kernel distance, where these data have one as well.
    learnt: what is learnt from, (m, d), where that is more than x; ``low`` and ``high`` keep samples from the rest.
    grey: as they were, the numbers are whole multiples of this, if it is not 0.
    """

    x: np.ndarray
    held_out: np.ndarray
    low: np.ndarray
    high: np.ndarray
    distance: Callable[[np.ndarray, np.ndarray], float]
    own: int
    mean: np.ndarray
    scale: float
    kernel: Callable[[np.ndarray, np.ndarray], Estimate] | None = None
    learnt: np.ndarray | None = None
    grey: float = 0

    def seen(self, x: np.ndarray) -> np.ndarray:
        """Points as they were; (n, d) -> (n, own)."""
        return x[:, : self.own] * self.scale + self.mean

    def decoded(self, x: np.ndarray) -> np.ndarray:
        """What samples within the limits stand for: as they were, in the nearest greys; (n, d) -> (n, own).

        Ho, Jain, Abbeel (2020), section 3.3, whose last step of the way back is onto the 256 greys of their images.
        """
        seen = self.seen(x)
        return np.round(seen / self.grey) * self.grey if self.grey else seen


def two_moons(n: int, rng: np.random.Generator) -> np.ndarray:
    """Points on two half circles that reach into each other, with mean 0 and variance 1 each way; (n, 2).

    On the upper one (cos a, sin a), on the lower (1 - cos a, 1/2 - sin a), a uniform in 0 to pi.  So the means are 1/2
    and 1/4, and the variances 3/4 and 9/16 - 1/pi, each with the thickness added.
    """
    angle, lower = math.pi * rng.random(n), rng.random(n) < 0.5
    x = np.where(lower, 1 - np.cos(angle), np.cos(angle))
    y = np.where(lower, 0.5 - np.sin(angle), np.sin(angle))
    points = np.stack([x, y], axis=1) + THICKNESS * rng.standard_normal((n, 2))
    return (points - [1 / 2, 1 / 4]) / np.sqrt([3 / 4 + THICKNESS**2, 9 / 16 - 1 / math.pi + THICKNESS**2])


def read_moons() -> Points:
    """Two moons, always the same: 20,000 points, and 10,000 held out."""
    x = two_moons(30_000, np.random.default_rng(0)).astype(np.float32)
    limit = np.abs(x).max()
    return Points(x[:20_000], x[20_000:], -limit, limit, sliced_wasserstein, 2, np.zeros(2, np.float32), 1.0)


def labelled_images() -> Points:
    """Handwritten digits of 8 by 8 pixels, grey from -1 to 1, and behind them which digit it is: ten numbers.

    What it is to be is settled while the pixels are still noise, and the rest is easier for it.  The mean of each
    number is taken away, and pixels are brought to a variance of 1 on average, which the noise has from the start.
    """
    from dl_exp.data import read_digits

    examples = read_digits()
    x, held_out = (
        np.concatenate([2 * pixels - 1, LABEL * np.eye(10, dtype=np.float32)[labels]], axis=1)
        for pixels, labels in ((examples.x, examples.labels), (examples.held_out_x, examples.held_out_labels))
    )
    own = examples.x.shape[1]
    mean, scale = x.mean(axis=0), float(np.sqrt(x[:, :own].var(axis=0).mean()))
    lowest, highest = np.repeat([-1, 0], [own, 10]), np.repeat([1, LABEL], [own, 10])
    low, high = ((limit.astype(np.float32) - mean) / scale for limit in (lowest, highest))
    learnt, others = (x - mean) / scale, (held_out - mean) / scale
    return Points(learnt, others, low, high, told_apart, own, mean[:own], scale, between_digits, grey=GREY)


def read_images() -> Points:
    """The same, with six more numbers: whether an image was moved, and how.  Half of what is learnt from was.

    All six are 0 in what is to be drawn.
    """
    data, rng = labelled_images(), np.random.default_rng(0)
    (n, d), side = data.x.shape, math.isqrt(data.own)
    x, held_out = (np.pad(each, ((0, 0), (0, 1 + WAYS))) for each in (data.x, data.held_out))
    low, high = (np.pad(limit, (0, 1 + WAYS)) for limit in (data.low, data.high))
    learnt, images = np.tile(x, (2 * COPIES, 1)), data.seen(x).reshape(n, side, side)
    for first in range(0, COPIES * n, n):
        copies, how = moved(images, rng)
        copies = np.round(copies.reshape(n, data.own) / GREY) * GREY
        learnt[first : first + n, : data.own] = (copies - data.mean) / data.scale
        learnt[first : first + n, d:] = np.insert(how, 0, MOVED, axis=1) / data.scale
    return data._replace(x=x, held_out=held_out, low=low, high=high, learnt=learnt)


def moons(
    hidden: Annotated[int, "units in a hidden layer"] = 128,
    batch: Annotated[int, "examples a step"] = 128,
    updates: Annotated[int, "steps of training"] = 5,
    *,
    dtype,
    rng,
):
    """Two half circles that reach into each other."""
    return _stacked(two_moons(updates * batch, rng), hidden, batch, updates, dtype, rng)


def far_away(
    hidden: Annotated[int, "units in a hidden layer"] = 128,
    batch: Annotated[int, "examples a step"] = 128,
    updates: Annotated[int, "steps of training"] = 5,
    *,
    dtype,
    rng,
):
    """The same moons a hundred of their sizes away from zero."""
    return _stacked(FAR + two_moons(updates * batch, rng), hidden, batch, updates, dtype, rng)


def digits(
    hidden: Annotated[int, "units in a hidden layer"] = 128,
    batch: Annotated[int, "examples a step"] = 128,
    updates: Annotated[int, "steps of training"] = 5,
    *,
    dtype,
    rng,
):
    """Handwritten digits, 8 by 8 pixels, with their labels."""
    x = labelled_images().x
    return _stacked(x[rng.integers(0, len(x), updates * batch)], hidden, batch, updates, dtype, rng)


def _stacked(x, hidden, batch, updates, dtype, rng):
    """Weights, then a minibatch, its noise and its times for each step."""
    shape = Shape(x.shape[1], hidden)
    size = (updates, batch, shape.dims)
    noise, times = rng.standard_normal(size), rng.integers(1, STEPS + 1, (updates, batch))
    weights = start_weights(shape, rng)
    return weights.astype(dtype), x.reshape(size).astype(dtype), noise.astype(dtype), times.astype(np.int32), shape
