"""The GPT: bounds against mistakes, runs that are cut in two, the learning rate, the training's parts."""

import math
from pathlib import Path

import numpy as np
import pytest

from dl_exp.engine.shape import Shape
from dl_exp.sequence import _gpt_by_hand, _gpt_model
from dl_exp.sequence._gpt_model import ADAMW, STEPS, WARM_UP, rate, start_weights
from dl_exp.sequence._gpt_problems import SMALL
from dl_exp.sequence._gpt_training import TRAINING, mlx_engine, threads_engine
from dl_exp.sequence.gpt import BOUNDS, EXPERIMENT, LAWS, by_hand, cost, exact, python_docs, saturated, symbols
from dl_exp.text import Corpus, read_text
from exp_core.machine import thread_limit

SHAKESPEARE = Path(__file__).parents[4] / "shared" / "data" / "tinyshakespeare.txt"
SIZES = SMALL | {"vocabulary": 7, "context": 6, "width": 8, "layers": 2, "batch": 3}
TEXT = Corpus("How much wood would a woodchuck chuck if a woodchuck could chuck wood? " * 40)


def made(problem=symbols, **changes):
    return problem(**(SIZES | changes), dtype="float32", rng=np.random.default_rng(3))


def broken(result, inputs):
    truth = exact(*inputs)
    return [name for name, law in LAWS.items() if not law(result, *inputs, truth) <= BOUNDS[name](*inputs)]


@pytest.mark.parametrize("problem", [symbols, saturated])
def test_mistakes_are_told_from_rounding(problem, monkeypatch):
    inputs = made(problem)
    weights, tokens, targets, shape = inputs
    assert not broken(by_hand(*inputs), inputs)
    assert broken(by_hand(weights, tokens, np.roll(targets, 1, axis=2), shape), inputs)
    assert broken(by_hand(weights, tokens[:2], targets[:2], shape), inputs)
    assert broken(by_hand(weights.astype(np.float16).astype(np.float32), tokens, targets, shape), inputs)
    assert broken(by_hand(weights, tokens[::-1], targets[::-1], shape), inputs)
    assert broken(by_hand(weights, tokens, targets, shape._replace(heads=1)), inputs)
    for constants in (ADAMW._replace(beta2=0.98), ADAMW._replace(decay=0.2)):
        monkeypatch.setattr(_gpt_by_hand, "ADAMW", constants)
        assert broken(by_hand(*inputs), inputs), constants


def test_attention_that_looks_ahead_is_seen(monkeypatch):
    inputs = made()
    exact(*inputs), BOUNDS["loss curve"](*inputs)
    monkeypatch.setattr(_gpt_by_hand, "NEVER", 0.0)
    assert broken(by_hand(*inputs), inputs)


def test_the_learning_rate_is_nanogpts():
    """A line up, a cosine down to the last step; its configuration: 100 of 2000 steps, from 1e-3 to 1e-4."""
    assert rate(0, STEPS) == pytest.approx(1e-3 / 101)
    assert rate(WARM_UP - 1, STEPS) == pytest.approx(1e-3 * 100 / 101)
    assert rate(WARM_UP, STEPS) == pytest.approx(1e-3)
    assert rate((WARM_UP + STEPS) // 2, STEPS) == pytest.approx(5.5e-4)
    assert rate(STEPS, STEPS) == rate(10 * STEPS, 10 * STEPS) == pytest.approx(1e-4)
    assert rate(0, 1) == pytest.approx(1e-3), "a run of one step is no warm-up"
    assert rate(2, 40) == pytest.approx(1e-3), "a short run warms up for a twentieth of it"


def test_the_weights_are_nanogpts():
    """0.80 million weights for its CPU configuration, by its own count without positions; spreads of 0.02."""
    shape = Shape(65, 64, 128, 4, 4)
    weights = start_weights(shape, np.random.default_rng(0))
    parts = dict(zip(shape.layout.shapes, shape.layout.unpack(weights), strict=True))
    assert shape.layout.size - parts["positions"].size == pytest.approx(0.80e6, rel=0.01)
    assert parts["up"].std() == pytest.approx(0.02, rel=0.01)
    assert parts["out"].std() == pytest.approx(0.02 / math.sqrt(8), rel=0.01)
    assert (parts["norm1"] == 1).all()
    assert shape.matrices == shape.layout.size - 9 * 128


def test_the_cost_is_palms():
    """Appendix B of Chowdhery et al.: 6N + 12LCT a token; and the update's 16 a weight."""
    inputs = symbols(dtype="float32", rng=np.random.default_rng(0))
    n = 4 * 12 * 128 * 128 + 65 * 128
    assert cost(*inputs).flops == 3 * (768 * (6 * n + 12 * 4 * 128 * 64) + 16 * inputs[0].size)


@pytest.mark.parametrize("problem", [symbols, saturated, python_docs])
def test_heads_that_do_not_fit_are_refused(problem):
    with pytest.raises(ValueError, match="--heads 3 do not divide --width 128"):
        problem(heads=3, dtype="float32", rng=np.random.default_rng(0))


def test_targets_are_the_next_symbols():
    for problem in EXPERIMENT.problems:
        _, tokens, targets, _ = problem.make(**problem.small, dtype="float32", rng=np.random.default_rng(0))
        np.testing.assert_array_equal(tokens[..., 1:], targets[..., :-1])


# --- training ---


def begun(**sizes):
    shape = TRAINING.model(TEXT, **({"context": 8, "width": 16, "heads": 2, "layers": 2} | sizes))
    return shape, TRAINING.start(shape, np.random.default_rng(0))


def advanced(engine, shape, state, steps, batch=4):
    batches = TRAINING.batches(shape, TEXT, 1, steps, batch)
    return engine(shape, state, (*batches, *TRAINING.rates(steps, TRAINING.steps)), steps.start)


@pytest.mark.parametrize("engine", [threads_engine, mlx_engine])
def test_a_run_cut_in_two_is_the_same_to_the_bit(engine):
    pytest.importorskip("numba" if engine is threads_engine else "mlx.core", reason="the engine needs it")
    shape, state = begun()
    with thread_limit(2):
        losses, whole = advanced(engine, shape, state, range(12))
        first, half = advanced(engine, shape, state, range(5))
        if engine is threads_engine:
            advanced(engine, *begun(width=8), range(3))  # something else in between
        second, rest = advanced(engine, shape, half, range(5, 12))
    assert np.concatenate([first, second]).tobytes() == np.asarray(losses).tobytes()
    for name in whole:
        assert rest[name].tobytes() == whole[name].tobytes(), name
    assert all(not np.shares_memory(rest[name], half[name]) for name in rest)


def test_engines_follow_the_same_curve():
    pytest.importorskip("numba", reason="the engine is compiled")
    pytest.importorskip("mlx.core", reason="the other one is MLX's")
    shape, state = begun()
    ours, theirs = (advanced(engine, shape, state, range(20))[0] for engine in (threads_engine, mlx_engine))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    assert ours[-1] < ours[0]


@pytest.mark.parametrize("pieces", [1, 270])
def test_it_learns_and_speaks(pieces):
    """After 150 steps on a text of one sentence it expects the next symbol far better than chance, and says words."""
    pytest.importorskip("numba", reason="the engine is compiled")
    shape, state = begun(pieces=pieces)
    assert shape.vocabulary == (TEXT.characters if pieces == 1 else pieces)
    before = TRAINING.evaluate(shape, state, TEXT)["held-out loss"]
    assert before == pytest.approx(math.log(shape.vocabulary), rel=0.05)
    _, state = advanced(threads_engine, shape, state, range(400), batch=16)
    assert TRAINING.evaluate(shape, state, TEXT)["held-out loss"] < before / 3
    said = TRAINING.sample(shape, state, TEXT, "How much ", 40, np.random.default_rng(0))
    assert said == TRAINING.sample(shape, state, TEXT, "How much ", 40, np.random.default_rng(0))
    assert "wood" in said
    assert TRAINING.sample(shape, state, TEXT, "", 5, np.random.default_rng(0))
    if pieces == 1:
        with pytest.raises(ValueError, match="has no '!'"):
            TRAINING.sample(shape, state, TEXT, "!", 5, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        ({"heads": 3, "width": 16}, "--heads 3 do not divide --width 16"),
        ({"context": 5000}, "choose a longer text"),
        ({"pieces": 100}, "257 at least"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(sizes, says):
    with pytest.raises(ValueError, match=says):
        TRAINING.model(TEXT, **sizes)


def test_batches_are_a_function_of_seed_and_step():
    shape, _ = begun()
    whole = TRAINING.batches(shape, TEXT, 7, range(10), 3)
    later = TRAINING.batches(shape, TEXT, 7, range(4, 10), 3)
    for one, other in zip(whole, later, strict=True):
        np.testing.assert_array_equal(one[4:], other)
    assert whole[0].shape == (10, 3, 8)
    assert not np.array_equal(whole[0], TRAINING.batches(shape, TEXT, 8, range(10), 3)[0])


@pytest.mark.slow
def test_it_reaches_nanogpts_loss_on_shakespeare():
    """1.88 by nanoGPT's README for this configuration; ours within the 1.89 of the issue."""
    pytest.importorskip("numba", reason="the engine is compiled")
    if not SHAKESPEARE.exists():
        pytest.skip("needs a copy of tinyshakespeare beside the repository")
    corpus = read_text(SHAKESPEARE)
    shape = TRAINING.model(corpus)
    state = TRAINING.start(shape, np.random.default_rng(0))
    for step in range(0, STEPS, 100):
        steps = range(step, step + 100)
        batches = TRAINING.batches(shape, corpus, 0, steps, TRAINING.batch)
        _, state = threads_engine(shape, state, (*batches, *TRAINING.rates(steps, STEPS)), step)
    (target,) = TRAINING.targets
    assert target.reached(TRAINING.evaluate(shape, state, corpus)[target.figure])


def test_the_model_says_what_its_constants_are():
    assert (ADAMW.beta1, ADAMW.beta2, ADAMW.decay, ADAMW.clip) == (0.9, 0.99, 0.1, 1.0)
    assert (_gpt_model.RATE, _gpt_model.LOWEST) == (1e-3, 1e-4)
