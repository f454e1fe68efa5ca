"""Diffusion: the schedule, the gradient, the samplers on data whose score is known, the distance, the training."""

import itertools
import math

import numpy as np
import pytest

from dl_exp.generative import _diffusion_distance as distance
from dl_exp.generative import _diffusion_samplers as samplers
from dl_exp.generative import _diffusion_training as training
from dl_exp.generative._diffusion_model import BETA1, BETA2, RATE, Shape, start_weights
from dl_exp.generative._diffusion_problems import GREY, Points, read_images, read_moons, two_moons
from dl_exp.generative._diffusion_schedule import FEATURES, STEPS, alpha_bar, clock, noised, scales
from dl_exp.generative.diffusion import EXPERIMENT, by_hand, cost, loops, loss_and_gradient
from exp_core.tensor import gamma


def problem(**sizes):
    chosen = {"hidden": 5, "batch": 4, "updates": 3} | sizes
    return EXPERIMENT.problem("moons").make(**chosen, dtype="float32", rng=np.random.default_rng(1))


def test_the_schedule_begins_at_the_data_and_ends_next_to_noise():
    a = alpha_bar()
    assert a[0] == 1
    assert np.all(np.diff(a) < 0)
    assert a[-1] < 1e-4, "what is left of the data"
    signal, spread = scales()
    assert np.abs(signal.astype(float) ** 2 + spread.astype(float) ** 2 - 1).max() <= 4 * np.finfo(np.float32).eps
    assert clock().shape == (STEPS + 1, FEATURES)
    assert len(np.unique(clock(), axis=0)) == STEPS + 1, "two times look the same"
    with pytest.raises(ValueError, match="read-only"):
        alpha_bar()[0] = 2


def test_noised_has_the_mean_and_the_variance_of_q():
    """n draws: their mean within 6 standard errors, their variance too (that of a normal's square is 2)."""
    n, t = 40_000, STEPS // 3
    noise = np.random.default_rng(0).standard_normal((n, 1))
    x = noised(np.full((n, 1), 3.0), noise, np.full(n, t))
    a = alpha_bar()[t]
    assert abs(x.mean() - 3 * math.sqrt(a)) <= 6 * math.sqrt((1 - a) / n)
    assert abs(x.var() - (1 - a)) <= 6 * (1 - a) * math.sqrt(2 / n)


def test_the_gradient_is_the_slope_of_the_loss():
    """Along any direction, by central differences: off by a third of the third derivative times h^2, and rounding."""
    weights, x0, noise, times, shape = problem(batch=7)
    w, rng, h = weights.astype(np.float64), np.random.default_rng(2), 1e-4
    one = x0[0].astype(np.float64), noise[0].astype(np.float64), times[0]
    _, g = loss_and_gradient(w, *one, shape)
    for _ in range(5):
        v = rng.standard_normal(w.size)
        v /= np.linalg.norm(v)

        def slope(step, v=v):
            up, down = (loss_and_gradient(w + sign * step * v, *one, shape)[0] for sign in (1, -1))
            return (up - down) / (2 * step)

        # Richardson: what two steps differ by is 3 of the 4 parts of the larger one's error
        error = abs(slope(h) - slope(2 * h)) + 1e-15 / h * 64
        assert abs(slope(h) - g @ v) <= error
        assert abs(slope(h) - 1.001 * g @ v) > error or abs(g @ v) < 1e3 * error


def test_the_first_step_of_adam_goes_by_the_sign():
    """All means are corrected, so that it is the rate times g/|g|, but for epsilon: Kingma and Ba (2015), section 2."""
    weights, x0, noise, times, shape = problem(updates=1)
    _, after = by_hand(weights.astype(np.float64), x0.astype(np.float64), noise.astype(np.float64), times, shape)
    _, g = loss_and_gradient(weights.astype(np.float64), x0[0].astype(float), noise[0].astype(float), times[0], shape)
    clear = np.abs(g) > 1e-5
    step = (weights - after)[clear] / RATE
    assert np.all(np.abs(step - np.sign(g[clear])) <= 1e-8 / 1e-5 + 1e-9)


def test_the_cost_is_recounted():
    """Every multiplication and addition of one update, by the loops' own structure."""
    weights, x0, noise, times, shape = problem(updates=1, batch=3)
    d, h, k = shape.dims, shape.hidden, shape.dims + FEATURES
    forward = 2 * (k * h + 2 * h * h + h * d)
    into, down = forward, 2 * (2 * h * h + h * d)
    elementwise = 3 * h * (4 + 5) + 3 * d + 3 * d + 2 * d  # sigmoid, silu and its slope; noise; the loss; delta
    counted = 3 * (forward + into + down + elementwise) + 14 * weights.size
    declared = cost(weights, x0, noise, times, shape).flops
    assert counted / 1.5 <= declared <= 1.5 * counted


def gaussian(deviation):
    """The exact guess for data from N(0, deviation^2): E[x_0 | x_t]."""
    a = alpha_bar().tolist()
    return lambda x, t: math.sqrt(a[t]) * deviation**2 / (a[t] * deviation**2 + 1 - a[t]) * x


def points(x, limit=math.inf):
    """Data of which the samplers know the limits and the variance alone."""
    return Points(x, x, -limit, limit, distance.told_apart, x.shape[1], np.zeros(x.shape[1]), 1.0)


FREE = points(np.zeros((1, 1)))


@pytest.mark.parametrize("deviation", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("jumps", [1, 7, STEPS])
def test_ddim_on_a_gaussian_is_a_known_factor(deviation, jumps):
    """Each jump is linear; the product of the factors, each within a few roundings."""
    a = alpha_bar()
    factor = 1.0
    for t, u in itertools.pairwise(samplers.stations(jumps)):
        clean = math.sqrt(a[t]) * deviation**2 / (a[t] * deviation**2 + 1 - a[t])  # of x
        noise = (1 - math.sqrt(a[t]) * clean) / math.sqrt(1 - a[t])
        factor *= math.sqrt(a[u]) * clean + math.sqrt(1 - a[u]) * noise
    x = np.random.default_rng(0).standard_normal((50, 1))
    result = samplers.ddim(gaussian(deviation), x, FREE, jumps=jumps)
    most = max(1, deviation) * np.abs(x).max()  # on the way
    assert np.abs(result - factor * x).max() <= gamma(40 * jumps, "float64") * most
    if jumps == STEPS:
        assert abs(factor / deviation - 1) < 0.1, "small jumps bring noise to the data's own deviation"


def test_ddpm_on_a_gaussian_has_the_variance_that_its_steps_give():
    """Linear steps with fresh noise: the variance obeys a recursion; n draws within 6 standard errors of it."""
    a, n, variance = alpha_bar(), 20_000, 1.0
    for t in range(STEPS, 0, -1):
        beta = 1 - a[t] / a[t - 1]
        clean, left = math.sqrt(a[t]), (1 - a[t - 1]) / (1 - a[t])  # clean: of x, for deviation 1
        factor = math.sqrt(a[t - 1]) * beta / (1 - a[t]) * clean + math.sqrt(1 - beta) * left
        variance = factor**2 * variance + beta * left
    rng = np.random.default_rng(0)
    x = samplers.ddpm(gaussian(1.0), rng.standard_normal((n, 1)), FREE, rng)
    assert abs(x.var() - variance) <= 6 * variance * math.sqrt(2 / n)
    assert abs(x.mean()) <= 6 * math.sqrt(variance / n)


def test_ddim_is_deterministic_and_refuses_what_is_no_number_of_jumps():
    x = np.random.default_rng(0).standard_normal((9, 2)).astype(np.float32)
    guess = samplers.guesser(start_weights(Shape(2, 8), np.random.default_rng(1)), Shape(2, 8))
    assert np.array_equal(samplers.ddim(guess, x, points(x)), samplers.ddim(guess, x, points(x)))
    assert np.abs(samplers.ddim(guess, x, points(x, 0.5))).max() <= 0.5
    for jumps in (0, STEPS + 1):
        with pytest.raises(ValueError, match="jumps"):
            samplers.ddim(guess, x, points(x), jumps=jumps)


def test_the_guess_is_the_networks():
    weights, x0, noise, _, shape = problem(updates=1, batch=6)
    same = np.full(6, 17)
    x = noised(x0[0], noise[0], same).astype(np.float64)
    guess = samplers.guesser(weights.astype(np.float64), shape)(x, 17)
    loss, _ = loss_and_gradient(weights.astype(np.float64), x0[0].astype(float), noise[0].astype(float), same, shape)
    # the example's error is that of the velocity times sqrt(1 - alpha_bar); x_t was rounded to float32 for the guess
    assert np.mean((guess - x0[0]) ** 2) == pytest.approx((1 - alpha_bar()[17]) * loss, rel=1e-5)


def test_the_distance_of_a_shift_is_known():
    """Seen along u, a cloud moved by s is moved by u.s: the root of the mean square of that, exactly."""
    x = np.random.default_rng(0).standard_normal((500, 3))
    shift = np.array([1.0, -2.0, 0.5])
    towards = np.random.default_rng(0).standard_normal((3, distance.DIRECTIONS))
    towards /= np.linalg.norm(towards, axis=0)
    expected = math.sqrt(np.mean((shift @ towards) ** 2))
    assert distance.sliced_wasserstein(x + shift, x) == pytest.approx(expected, rel=1e-13)
    assert distance.sliced_wasserstein(x[::-1], x) == 0
    with pytest.raises(ValueError, match="point by point"):
        distance.sliced_wasserstein(x[:4], x)


@pytest.mark.parametrize("jumps", [1, 2, 50, STEPS])
def test_jumps_lead_evenly_from_noise_to_data(jumps):
    times = samplers.stations(jumps)
    assert (times[0], times[-1]) == (STEPS, 0)
    lengths = -np.diff(times)
    assert len(lengths) == jumps
    assert lengths.min() >= 1
    assert lengths.max() - lengths.min() <= 1, "but for rounding, all are as long"


@pytest.mark.parametrize("sampler", [samplers.ddpm, samplers.ddim])
def test_guesses_are_stretched_until_samples_vary_as_the_data(sampler):
    """A guess that is 3% too small makes samples pale; the variance of 64 n normal numbers is known to its error."""
    rng, d, deviation = np.random.default_rng(0), 64, 0.5
    data = points(deviation * rng.standard_normal((20_000, d)))
    exact = gaussian(deviation)

    def pale(x, t):
        return 0.97 * exact(x, t)

    stretch = samplers.stretch_for(sampler, pale, data, rng)
    noise = rng.standard_normal((2_000, d))
    aim = data.x.var()
    # of the data, of what the stretch was found with, of these samples; and a halving is as fine as that in the factor
    numbers = d * np.array([20_000, samplers.DRAWN, 2_000])
    error = 6 * math.sqrt(np.sum(2 / numbers))
    step = (samplers.WIDEST - 1) / 2**samplers.HALVINGS

    def variance(factor):
        return sampler(pale, noise, data, np.random.default_rng(1), factor).var() / aim

    assert variance(stretch - step) - error <= 1 <= variance(stretch + step) + error
    assert variance(1.0) < 1 - error, "pale"
    assert samplers.stretch_for(sampler, lambda x, t: 1.05 * exact(x, t), data, rng) == 1, "what is not pale stays"


def test_neighbours_tell_what_they_should():
    """Clouds of one law: chance alone, each part within 6 deviations of 1/2; apart: always; within another: half."""
    rng, n = np.random.default_rng(0), 400
    x, y = rng.standard_normal((2, n, 5))
    assert distance.told_apart(x, y) <= 6 / math.sqrt(n)
    assert distance.told_apart(x, y + 100) == 1
    assert distance.told_apart(x[:1], y[:1]) == 1  # one point each: the neighbour is always the other's
    pale = 0.1 * rng.standard_normal((n, 64))
    assert distance.told_apart(rng.standard_normal((n, 64)), pale) > 0.9, "pale images are their own neighbours"
    with pytest.raises(ValueError, match="chance"):
        distance.told_apart(x[:4], y)


def test_the_distance_of_digits_can_reach_the_goal_and_sees_faults():
    """Chosen by what it says of examples, not of samples: those learnt from are 5 times nearer to those held out than
    the Gaussian, and those that were spoilt are not."""
    pytest.importorskip("sklearn", reason="the digits come with it")
    data, rng = read_images(), np.random.default_rng(0)
    learnt, n = rng.permutation(data.x), len(data.held_out)
    learnt, held_out = data.seen(learnt), data.seen(data.held_out)
    gaussian = np.mean([data.distance(distance.fitted_gaussian(learnt, n, rng), held_out) for _ in range(3)])

    def nearer(spoil):
        clouds = (learnt[k * n : (k + 1) * n] for k in range(3))
        return gaussian / np.mean([data.distance(spoil(cloud), held_out) for cloud in clouds])

    assert nearer(lambda x: x) > 2 * training.NEARER
    assert nearer(lambda x: 0.9 * x) < training.NEARER, "pale"
    assert nearer(lambda x: (x + x[::-1]) / 2) < training.NEARER, "two at once"
    assert nearer(lambda x: x + 0.2 * rng.standard_normal(x.shape)) < training.NEARER, "noisy"


def test_digits_carry_their_labels_and_come_back():
    pytest.importorskip("sklearn", reason="the digits come with it")
    from dl_exp.data import read_digits

    data, examples, u = read_images(), read_digits(), float(np.finfo(np.float32).eps)
    assert np.abs(data.x.mean(axis=0)).max() <= len(data.x) * u * np.abs(data.x).max()
    assert data.x[:, : data.own].var(axis=0).mean() == pytest.approx(1, rel=len(data.x) * u)
    assert np.abs(data.seen(data.held_out) - (2 * examples.held_out_x - 1)).max() <= 8 * u
    labels = np.s_[data.own : data.own + 10]
    assert np.array_equal(np.argmax(data.held_out[:, labels] - data.low[labels], axis=1), examples.held_out_labels)
    for x in (data.x, data.held_out):
        assert np.all(x >= data.low - 8 * u)
        assert np.all(x <= data.high + 8 * u)


def test_half_of_the_digits_were_moved_and_samples_were_not():
    pytest.importorskip("sklearn", reason="the digits come with it")
    data, u = read_images(), float(np.finfo(np.float32).eps)
    flag, greys = data.learnt[:, data.own + 10], (data.seen(data.learnt) + 1) / GREY
    still = data.learnt[flag == 0]
    assert len(still) == len(data.learnt) / 2
    assert np.array_equal(np.unique(still, axis=0), np.unique(data.x, axis=0))
    assert np.abs(greys - np.round(greys)).max() <= 64 * u, "moved images have greys of digits too"
    assert greys.min() >= -64 * u
    assert greys.max() <= 16 * (1 + 4 * u)
    labels = np.s_[data.own : data.own + 10]
    assert np.array_equal(data.learnt[: len(data.x), labels], data.x[:, labels])
    # a network that knows no better guesses the mean of what it has learnt, moved or not: samples are still not moved
    mean, rng = data.learnt.mean(axis=0), np.random.default_rng(0)
    for sampler in (samplers.ddpm, samplers.ddim):
        x = sampler(lambda x, t: np.tile(mean, (len(x), 1)), rng.standard_normal((5, len(mean))), data, rng)
        assert np.abs(x[:, data.own + 10 :]).max() <= 8 * u
        assert mean[data.own + 10] > 0.1


def test_samples_of_digits_have_their_greys():
    pytest.importorskip("sklearn", reason="the digits come with it")
    data, rng = read_images(), np.random.default_rng(0)
    decoded = data.decoded(data.held_out + 0.4 * GREY / data.scale * rng.uniform(-1, 1, data.held_out.shape))
    assert np.array_equal(decoded, np.round(decoded / GREY) * GREY)
    assert np.abs(decoded - data.seen(data.held_out)).max() <= 8 * float(np.finfo(np.float32).eps)
    moons = read_moons()
    assert np.array_equal(moons.decoded(moons.x), moons.seen(moons.x)), "a point of the plane has no greys"


def test_moons_have_mean_0_and_variance_1():
    x = two_moons(100_000, np.random.default_rng(0))
    assert np.all(np.abs(x.mean(axis=0)) <= 6 / math.sqrt(len(x)))
    assert np.all(np.abs(x.var(axis=0) - 1) <= 6 * np.sqrt((x**4).mean(axis=0) / len(x)))
    again = two_moons(100_000, np.random.default_rng(0))
    assert np.array_equal(x, again)


def test_a_run_in_pieces_is_the_run_at_once():
    data = read_moons()
    shape = training.model(data, hidden=9)
    begin = training.start(shape, np.random.default_rng(0))
    for engine in training.TRAINING.engines:
        for module in engine.modules:
            pytest.importorskip(module)

        def after(state, steps, engine=engine):
            batches = training.batches(shape, data, 3, steps, 16)
            return engine.advance(shape, state, (*batches, *training.TRAINING.rates(steps, 7)), steps.start)[1]

        at_once, state = after(begin, range(7)), begin
        for steps in (range(2), range(2, 3), range(3, 7)):
            state = after(state, steps)
        assert all(np.array_equal(state[name], at_once[name]) for name in at_once), engine.name
        assert np.array_equal(begin["weights"], training.start(shape, np.random.default_rng(0))["weights"])


def test_untrained_samples_are_no_nearer_than_the_gaussian():
    """The figure can fail."""
    data = read_moons()
    shape = training.model(data, hidden=8)
    figures = training.evaluate(shape, training.start(shape, np.random.default_rng(0)), data)
    assert all(value < training.NEARER for value in figures.values())


@pytest.mark.exhaustive
def test_training_reaches_its_target():
    data = read_moons()
    shape = training.model(data)
    pytest.importorskip("numba")
    state = training.start(shape, np.random.default_rng(0))
    plan = training.TRAINING
    for first in range(0, plan.steps, 500):
        steps = range(first, first + 500)
        batches = (*training.batches(shape, data, 0, steps, plan.batch), *plan.rates(steps, plan.steps))
        _, state = training.threads_engine(shape, state, batches, first)
    figures = training.evaluate(shape, state, data)
    assert all(target.reached(figures[target.figure]) for target in plan.targets), figures


@pytest.mark.parametrize("spoil", ["no correction", "half the slope", "noise and data exchanged"])
def test_a_wrong_step_breaks_the_laws(spoil, monkeypatch):
    from dl_exp.generative import diffusion

    inputs = problem()
    truth = EXPERIMENT.oracle(*inputs)
    bounds = EXPERIMENT.bounds(EXPERIMENT.implementations[0], inputs)
    if spoil == "no correction":
        monkeypatch.setattr(diffusion, "corrections", lambda step: (1.0, 1.0))
    elif spoil == "half the slope":
        monkeypatch.setattr(diffusion, "silu", lambda z: (z / (1 + np.exp(-z)), 0.5 / (1 + np.exp(-z))))
    else:
        monkeypatch.setattr(diffusion, "noised", lambda x0, noise, times: noised(noise, x0, times))
    errors = EXPERIMENT.errors(by_hand(*inputs), inputs, truth)
    assert any(errors[law] > bounds[law] for law in bounds)


def test_loops_and_arrays_differ_by_rounding_alone():
    """In float64 the two are the same sums in another order: a thousand roundings at most, amplified by two steps."""
    weights, x0, noise, times, shape = problem(updates=2)
    losses = by_hand(weights.astype(float), x0.astype(float), noise.astype(float), times, shape)[0]
    assert loops(weights, x0, noise, times, shape)[0] == pytest.approx(losses, rel=1e-6)
    assert BETA1 < BETA2
