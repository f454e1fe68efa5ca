"""The rules: known first steps, mistakes told from rounding, the fused engine at block edges, the kernel's barriers."""

import numpy as np
import pytest
from counting import Tally, tallied
from kernel_checks import assert_every_barrier_matters, every_language, needs_a_compiler

from dl_exp.emulator import emulating
from dl_exp.optimisers import adam as file
from dl_exp.optimisers._adam_engine import BLOCK, threads
from dl_exp.optimisers._adam_kernel import STEP, THREADS, fused_kernel
from dl_exp.optimisers._adam_rules import ADAM, ADAMW, RULES, SGD
from dl_exp.optimisers.adam import BOUNDS, LAWS, cost, exact, loops, vectorised

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.method)


def made(rule, n=50, updates=4, seed=2):
    rng = np.random.default_rng(seed)
    w, c = rng.standard_normal((2, n)).astype(np.float32)
    return w, rng.uniform(0.1, 2, n).astype(np.float32), c, updates, rule


def on_mlx(inputs):
    mx = pytest.importorskip("mlx.core", reason="kernels take MLX's arrays")
    return [mx.array(x) if isinstance(x, np.ndarray) else x for x in inputs]


def broken(result, inputs):
    truth = exact(*inputs)
    return [name for name, law in LAWS.items() if not law(result, *inputs, truth) <= BOUNDS[name](*inputs)]


def test_adam_s_first_step_is_the_rate_in_every_direction():
    """$m/(1 - \\beta_1) = g$ and $v/(1 - \\beta_2) = g^2$: the step is $\\alpha\\,\\mathrm{sign}(g)$."""
    w, a, c, _, rule = made(ADAM)
    _, after = vectorised(w.astype(float), a.astype(float), c.astype(float), 1, rule)
    np.testing.assert_allclose(w - after, rule.rate * np.sign(a * (w - c)), rtol=1e-5)


def test_decay_shrinks_weights_that_have_no_gradient():
    w, a, c, updates, rule = made(ADAMW)
    _, after = vectorised(w.astype(float), 0.0 * a, c.astype(float), updates, rule)
    np.testing.assert_allclose(after, w.astype(float) * (1 - rule.rate * rule.decay) ** updates, rtol=1e-12)


def test_descent_on_a_bowl_is_known_in_closed_form():
    """$w_k - c = (1 - \\alpha a)^k (w_0 - c)$."""
    w, a, c, updates, rule = (x.astype(float) if isinstance(x, np.ndarray) else x for x in made(SGD))
    _, after = vectorised(w, a, c, updates, rule)
    np.testing.assert_allclose(after - c, (1 - rule.rate * a) ** updates * (w - c), rtol=1e-12)


@every_rule
def test_every_rule_goes_down(rule):
    losses, _ = vectorised(*made(rule, updates=50))
    assert losses[-1] < losses[0]


@every_rule
def test_mistakes_are_told_from_rounding(rule):
    inputs = w, a, c, updates, _ = made(rule)
    assert not broken(vectorised(*inputs), inputs)
    wrongs = [rule._replace(rate=1.001 * rule.rate)]
    if rule.method not in ("sgd",):
        wrongs.append(rule._replace(beta1=0.901, beta2=0.9))
    if rule.decay:
        wrongs += [rule._replace(decay=0.0), ADAM]
    for wrong in wrongs:
        assert broken(vectorised(w, a, c, updates, wrong), inputs)
    assert broken(vectorised(w, a, c, updates - 1, rule), inputs)


def test_averages_that_are_not_corrected_are_seen():
    inputs = w, a, c, updates, rule = made(ADAM)
    w, m, v, losses = w.copy(), 0 * w, 0 * w, []
    for _ in range(updates):
        g = a * (w - c)
        losses.append(np.mean(0.5 * g * (w - c)))
        m, v = rule.beta1 * m + (1 - rule.beta1) * g, rule.beta2 * v + (1 - rule.beta2) * g * g
        w = w - rule.rate * m / (np.sqrt(v) + rule.epsilon)
    assert broken((np.array(losses, np.float32), w), inputs)


@every_rule
@pytest.mark.parametrize("n", [1, 7, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_the_engine_at_the_edges_of_its_blocks(rule, n):
    pytest.importorskip("numba", reason="the engine is compiled")
    inputs = made(rule, n=n, updates=3)
    assert not broken(threads(*inputs), inputs)


@every_rule
def test_what_is_no_number_stays_where_it_is(rule):
    """One gradient that is not a number spoils its own weight and no other."""
    pytest.importorskip("numba", reason="the engine is compiled")
    w, a, c, updates, _ = made(rule, n=BLOCK + 3)
    a = a.copy()
    a[[5, BLOCK + 1]] = np.nan, np.inf
    c[BLOCK + 1] = w[BLOCK + 1]  # infinity times 0
    with np.errstate(all="ignore"):
        for implementation in (vectorised, threads):
            losses, after = implementation(w, a, c, updates, rule)
            assert np.isnan(losses).all()
            assert np.flatnonzero(np.isnan(after)).tolist() == [5, BLOCK + 1]


def test_a_weight_without_gradient_stays():
    """Never 0/0: epsilon stands below the fraction, and subnormal gradients vanish in it."""
    pytest.importorskip("numba", reason="the engine is compiled")
    w, a, c, updates, rule = made(ADAM)
    for curvature in (0.0, 1e-42):
        flat = np.full_like(a, curvature)
        for implementation in (loops, vectorised, threads):
            _, after = implementation(w, flat, c, updates, rule)
            np.testing.assert_allclose(after, w, rtol=1e-6)


@every_rule
def test_cost_is_recounted(rule):
    w, a, c, updates, _ = made(rule, n=1000)
    tally = Tally()
    vectorised(*(tallied(x, tally) for x in (w, a, c)), updates, rule)
    tally.flops -= 5 * w.size  # what start() makes of zeros, once
    assert cost(w, a, c, updates, rule).flops == pytest.approx(tally.flops, rel=0.15)


@needs_a_compiler
@every_language
def test_no_barrier_is_too_many(language):
    assert_every_barrier_matters(
        STEP, language, lambda: np.asarray(fused_kernel(*on_mlx(made(ADAMW, n=300, updates=1)))[0])
    )


@needs_a_compiler
@every_language
@every_rule
@pytest.mark.parametrize("n", [1, 7, THREADS, THREADS + 1, 1021])
def test_the_kernel_at_awkward_sizes(language, rule, n):
    inputs = made(rule, n=n, updates=2)
    with emulating(language):
        result = tuple(np.asarray(part) for part in fused_kernel(*on_mlx(inputs)))
    assert not broken(result, inputs)


def test_the_picture_s_rules_all_arrive_somewhere():
    """The valley's rates are below 2 over its steepest curvature."""
    begin, curvature, centre, steps = file.picture.__globals__["np"].array([-1.5, 1.0]), np.array([1.0, 100.0]), 0.0, 60
    for rule in RULES:
        here = rule._replace(rate=0.015 if rule.method in ("sgd", "momentum") else 0.1)
        w, memory = begin, file.start(begin)
        for _ in range(steps):
            w, memory = file.update(here, w, curvature * (w - centre), memory, np.sqrt)
        assert np.isfinite(w).all()
        assert 0.5 * (curvature * w * w).sum() < 0.5 * (curvature * begin * begin).sum()
