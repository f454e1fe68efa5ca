"""What quantisation costs our own GPT: its training and where it is kept, perplexity, and bounds on what is lost."""

from __future__ import annotations

import errno
import functools
import itertools
import math
import os
from contextlib import ExitStack

import numpy as np
import pytest
import toys

import dl_exp
from dl_exp.efficiency import _quantisation_codes as codes
from dl_exp.efficiency import _quantisation_gpt as gpt
from dl_exp.efficiency import _quantisation_gpt_problems as problems
from dl_exp.efficiency import _quantisation_laws as laws
from dl_exp.efficiency import _quantisation_trained as trained
from dl_exp.efficiency import quantisation
from dl_exp.engine.shape import Layer, Shape, unpacked
from dl_exp.sequence._gpt_by_hand import forwards, mean_loss, train
from dl_exp.sequence._gpt_model import start_weights
from dl_exp.sequence._gpt_training import cut
from dl_exp.text import read_python_docs
from exp_core.admission import make_input, refuse_what_cannot_fit
from exp_core.alone import alone
from exp_core.loading import load
from exp_core.request import Request
from exp_core.run import Run
from exp_core.waiting import told_of_waiting

SCHEMES = list(itertools.product((4, 8), (False, True)))
GROUP = 32
SEED = int(np.random.default_rng(0).integers(2**31))  # of the weights, where that of the ladder is 0


@functools.cache
def small():
    """A GPT after forty steps on Python's help, asked for 150 symbols: the last window is used in part."""
    corpus = read_python_docs()
    shape, rng = Shape(corpus.characters, 16, 64, 2, 2), np.random.default_rng(0)
    learnt = corpus.learnt(shape.vocabulary)
    first = rng.integers(0, len(learnt) - 17, (40, 8))
    weights = train(start_weights(shape, rng), *cut(learnt, first, 16), shape)[1].astype(np.float32)
    return gpt.Model(weights, shape, corpus, 150)


def test_perplexity_is_the_exponential_of_the_mean_loss():
    model = small()
    whole = gpt.Model(model.weights, model.shape, model.corpus, 160)  # of whole windows: as training evaluates
    tokens, targets = whole.held_out
    loss = mean_loss(model.weights, tokens, targets.reshape(tokens.shape), model.shape)
    assert whole.before == pytest.approx(math.exp(loss), rel=1e-6)
    uniform = np.zeros((150, model.shape.vocabulary), np.float32)
    assert model.perplexity(uniform) == pytest.approx(model.shape.vocabulary, rel=1e-12)
    assert 1 < model.before < model.shape.vocabulary
    sure = np.full((150, model.shape.vocabulary), -np.inf, np.float32)
    sure[np.arange(150), model.held_out[1]] = 1e4
    assert model.perplexity(sure) == 1


@pytest.mark.parametrize("symbols", [1, 15, 16, 17, 150])
def test_as_many_symbols_are_asked_for_as_were_wanted(symbols):
    made = gpt.Model(small().weights, small().shape, small().corpus, symbols)
    weights, (packed, scales, biases) = gpt.rounded(made, 4, GROUP, feedback=False)
    x = made.last_met(weights)
    assert x.shape == (symbols, 64) and x.dtype == np.float32 and made.held_out[1].shape == (symbols,)
    assert packed.shape == (made.shape.vocabulary, 64 * 4 // 32) and scales.shape == biases.shape


def written(model, *, feedback):
    """All weights with every layer's matrices rounded, to 4 bits."""
    w = unpacked(model.weights.copy(), model.shape)
    if feedback:
        gpt.fed_back(w, model.learnt, model.shape, 4, GROUP)
    else:
        for matrix in (matrix for layer in w.layers for matrix in layer[:4]):
            gpt.write(matrix, codes.groupwise(np.ascontiguousarray(matrix.T), 4, GROUP), 4)
    return w


def inputs(w, tokens, shape, number=0):
    """What each matrix of a layer is multiplied with, as rows."""
    h, _, y, _, h2, _, a, _ = forwards(w, tokens, shape)[1][0][number]
    return {name: met.reshape(-1, met.shape[-1]) for name, met in zip(Layer._fields, (h, y, h2, a), strict=False)}


def test_the_layers_are_those_of_the_model_with_rounded_matrices():
    """x is what the whole network computes; embeddings and norms are untouched, and every matrix is on its grid."""
    model = small()
    weights, made = gpt.rounded(model, 4, GROUP, feedback=False)
    x = model.last_met(weights)
    w = written(model, feedback=False)
    logits, (_, h, _) = forwards(w, model.held_out[0], model.shape)
    np.testing.assert_array_equal(x, h.reshape(-1, 64)[:150])
    np.testing.assert_allclose(logits.reshape(-1, logits.shape[-1])[:150], x @ w.tokens.T, rtol=1e-4, atol=1e-4)
    before = unpacked(model.weights, model.shape)
    for name in ("tokens", "positions", "norm"):
        np.testing.assert_array_equal(getattr(w, name), getattr(before, name))
    for layer, old in zip(w.layers, before.layers, strict=True):
        np.testing.assert_array_equal(layer.norm1, old.norm1)
        for name in ("qkv", "out", "up", "down"):
            levels = getattr(layer, name).T.reshape(-1, GROUP)
            assert max(len(np.unique(group)) for group in levels) <= 16
    np.testing.assert_array_equal(codes.unpack(made[0], 4), codes.unpack(codes.groupwise(w.tokens, 4, GROUP)[0], 4))


def losses(w, x, made, bits):
    """What each column loses in rounding, with what those before it have passed on, in units of half a step.

    With $U^T U = H^{-1}$, the rows of $(W - \\hat W) U^{-1}$ times U's diagonal are the losses that ``fed_back`` saw;
    x: None: nothing is passed on, and U is 1.  Columns whose code is at an end of the grid are left out: there w may
    lie beyond it.
    """
    packed, scales, biases = made
    difference = w.astype(np.float64) - codes.dequantised(packed, scales, biases, bits)
    if x is not None:
        H = x.astype(np.float64).T @ x
        H += 0.01 * np.trace(H) / len(H) * np.eye(len(H))
        U = np.linalg.cholesky(np.linalg.inv(H)).T
        difference = np.linalg.solve(U.T, difference.T).T * np.diag(U)
    q = codes.unpack(packed, bits)
    inside = (q > 0) & (q < 2**bits - 1)
    half = np.repeat(abs(scales.astype(np.float64)), GROUP, axis=1) / 2
    return (abs(difference) / half)[inside]


@pytest.mark.parametrize(("bits", "feedback"), SCHEMES)
def test_no_column_of_any_matrix_loses_more_than_half_a_step(bits, feedback):
    """The bound on which all rests, for both schemes; and codes that have changed places break it."""
    model = small()
    w, seen = unpacked(model.weights, model.shape), model.learnt
    met = inputs(w, seen, model.shape) | {"tokens": model.met(model.weights, seen)}
    rng = np.random.default_rng(bits)
    for name, x in met.items():
        matrix = w.tokens if name == "tokens" else np.ascontiguousarray(getattr(w.layers[0], name).T)
        made = codes.fed_back(matrix, x, bits, GROUP) if feedback else codes.groupwise(matrix, bits, GROUP)
        given = x if feedback else None
        assert losses(matrix, given, made, bits).max() <= 1 + 1e-3, name  # w and the grid are rounded to float32
        places = rng.permutation(matrix.shape[1])
        permuted = codes.pack(codes.unpack(made[0], bits)[:, places], bits), *made[1:]
        assert losses(matrix, given, permuted, bits).max() > 4, name


@pytest.mark.parametrize("sabotage", [None, "columns", "rows", "low and high bits"])
def test_the_loss_moves_by_no_more_than_twice_what_half_a_step_moves_the_logits(sabotage):
    """With 8 bits, the last matrix alone rounded: |dz| <= sum |x| s/2, and the cross-entropy moves by 2 max |dz|.

    A code at the end of a grid may be off by a whole step.  The matrix is stretched four times, so that who is sure of
    something else pays for it.
    """
    model = small()
    w = 4 * unpacked(model.weights, model.shape).tokens
    x = model.last_met(model.weights)
    packed, scales, biases = codes.groupwise(w, 8, GROUP)
    q = codes.unpack(packed, 8)
    if sabotage == "columns":
        packed = codes.pack(q[:, np.random.default_rng(0).permutation(64)], 8)
    elif sabotage == "rows":
        packed = np.roll(packed, 1, axis=0)
    elif sabotage:
        packed = codes.pack((q >> 4) | (q & 15) << 4, 8)
    size = abs(x.astype(np.float64))
    shifts = size @ np.repeat(abs(scales.astype(np.float64)), GROUP, axis=1).T
    bound = 2 * shifts.max(axis=1).mean() + 1e-5  # and rounding
    before, after = (
        gpt.cross_entropy(x @ each.T, model.held_out[1]) for each in (w, codes.dequantised(packed, scales, biases, 8))
    )
    assert (abs(after - before) <= bound) == (sabotage is None), (before, after, bound)


def test_8_bits_cost_less_than_4_and_feedback_keeps_more_of_each_layer():
    model = small()
    costs = {(b, f): abs(gpt.cost(model, b, GROUP, feedback=f) / model.before - 1) for b, f in SCHEMES}
    assert costs[8, False] < costs[4, False] + 1e-3 and costs[8, True] < 1e-2
    before, nearest, fed = (
        unpacked(model.weights, model.shape),
        *(written(model, feedback=feedback) for feedback in (False, True)),
    )
    met = inputs(before, model.learnt, model.shape)
    for name in ("qkv", "up"):
        whole, near, best = (getattr(w.layers[0], name) for w in (before, nearest, fed))
        x = met[name].astype(float)
        assert np.linalg.norm(x @ (best - whole)) < np.linalg.norm(x @ (near - whole))


def test_feedback_looks_at_what_comes_behind_the_matrices_that_are_rounded_already():
    """What the last matrix meets is what the rounded network computes."""
    model = small()
    w = unpacked(model.weights.copy(), model.shape)
    met = gpt.fed_back(w, model.learnt, model.shape, 4, GROUP)
    _, (_, h, _) = forwards(w, model.learnt, model.shape)
    np.testing.assert_allclose(met, h.reshape(met.shape), rtol=1e-4, atol=1e-4)
    _, (_, other, _) = forwards(unpacked(model.weights, model.shape), model.learnt, model.shape)
    assert abs(met - other.reshape(met.shape)).max() > 1e-2


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder of its own, and a process that remembers nothing."""
    monkeypatch.setattr(trained, "cache_folder", lambda: tmp_path)
    forget()
    yield tmp_path
    forget()


def forget():
    """What the process remembers."""
    trained.our_gpt.cache_clear()
    problems.ours_rounded.cache_clear()


def test_our_gpt_is_trained_once_and_damage_is_mended(cache, monkeypatch):
    pytest.importorskip("numba", reason="the CPU engine")
    said, trainings = [], []
    train_it = trained.trained
    monkeypatch.setattr(trained, "tell", lambda *words: said.append(words))
    monkeypatch.setattr(trained, "trained", lambda *how: trainings.append(how) or train_it(*how))

    def again():
        trained.our_gpt.cache_clear()
        return trained.our_gpt(3, 7)[0]

    first = again()
    assert said == [("training a GPT, this once", 0.0)] and len(trainings) == 1
    (file,) = (cache / "gpt").iterdir()
    np.testing.assert_array_equal(again(), first)
    assert len(trainings) == 1
    content = file.read_bytes()
    other = first.copy()
    other[5] = np.nan
    for damage in (content[:1000], b"", b"no array at all", other, first[1:], first.astype(np.float64)):
        if isinstance(damage, bytes):
            file.write_bytes(damage)
        else:
            np.save(file, damage)
        np.testing.assert_array_equal(again(), first)
    assert len(trainings) == 7 and file.read_bytes() == content
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1
    assert (trained.our_gpt(3, 8)[0] != first).any() and len(list((cache / "gpt").iterdir())) == 2


def test_where_nothing_can_be_written_it_is_trained_for_the_process_and_the_ladder_says_so(cache, monkeypatch):
    pytest.importorskip("numba", reason="the CPU engine")
    (cache / "gpt").write_text("a file, not a folder")
    found = trained.our_gpt(2, SEED)
    assert trained.our_gpt(2, SEED) is found and np.isfinite(found.weights).all()
    why = f"File exists: {cache / 'gpt'}"
    assert found.unkept == why
    monkeypatch.setattr(gpt, "cost", lambda *_, **__: 1.0)
    _, said = quantisation.remarks(*quantisation.gpt(40, steps=2, dtype="float32", rng=np.random.default_rng(0)))
    assert said == f"the next run trains its GPT again: this one could not be kept ({why})"


def test_a_training_that_is_stopped_leaves_nothing(cache, monkeypatch):
    """Neither half a file, nor a lock that anybody would wait for."""
    pytest.importorskip("numba", reason="the CPU engine")
    monkeypatch.setattr(trained, "TOLD", 1)

    def stop(doing, done):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), told_of_waiting(stop):
        trained.our_gpt(2, 0)
    assert [path.name for path in cache.iterdir()] == ["gpt.lock"]
    assert np.isfinite(trained.our_gpt(2, 0).weights).all()
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(np, "save", lambda *_, **__: (_ for _ in ()).throw(full))
    assert trained.our_gpt(1, 0).unkept == f"No space left on device: {cache / 'gpt'}"
    assert len(list((cache / "gpt").iterdir())) == 1


def test_who_comes_while_another_process_trains_waits_for_what_it_keeps(cache, monkeypatch):
    """Here the other one is the test; with it gone for good, the waiting ends by whoever hears of it."""
    weights = np.ones(trained.our_shape().layout.size, np.float32)
    path = trained.place(read_python_docs(), trained.our_shape(), 2, 0)
    heard = []

    def hear(doing, done):
        heard.append((doing, done))
        if len(heard) == 2:
            trained.keep(path, weights)
            other.close()

    with alone(cache / "gpt.lock"), pytest.raises(InterruptedError), told_of_waiting(never):
        trained.our_gpt(2, 0)
    other = ExitStack()
    other.enter_context(alone(cache / "gpt.lock"))
    monkeypatch.setattr(trained, "trained", never)
    with told_of_waiting(hear):
        found = trained.our_gpt(2, 0)
    assert heard == [("waiting for another process that trains a GPT", 0.0)] * 2
    np.testing.assert_array_equal(found.weights, weights)
    assert not found.unkept


def never(*_):
    """Must not be called, or ends what calls it."""
    raise InterruptedError


@pytest.mark.parametrize("problem", ["gpt", "gpt-fed-back"])
def test_trials_train_nothing_but_what_was_asked_for(cache, monkeypatch, problem):
    """However many steps: they are no size that is halved, neither to foretell the memory nor the time."""
    shape, trainings = trained.our_shape(), []

    def train(corpus, shape, steps, seed):
        trainings.append(steps)
        return np.random.default_rng(seed).normal(0, 0.02, shape.layout.size).astype(np.float32)

    def rounded(model, bits, group, *, feedback):
        return model.weights, codes.groupwise(unpacked(model.weights, model.shape).tokens, bits, group)

    monkeypatch.setattr(trained, "trained", train)
    monkeypatch.setattr(problems, "rounded", rounded)
    experiment, sizes = quantisation.EXPERIMENT, {"rows": 3000, "bits": 4, "group": GROUP, "steps": 5000}
    run = Run(
        Request(toys.ENTRY, experiment, experiment.problem(problem), sizes, "float32", (), budget_s=60), lambda *_: None
    )
    load(run)
    refuse_what_cannot_fit(run)
    make_input(run)
    assert run.inputs[0].shape == (3000, shape.width)
    assert trainings == [5000]


def test_our_gpt_is_the_same_whoever_computes_it(cache):
    """One thread or two: the parts of a batch are the same."""
    pytest.importorskip("numba", reason="the CPU engine")
    from exp_core.machine import thread_limit

    corpus, shape = read_python_docs(), trained.our_shape()
    with thread_limit(1):
        alone = trained.trained(corpus, shape, 2, 0)
    np.testing.assert_array_equal(trained.trained(corpus, shape, 2, 0), alone)


def test_a_ladder_shows_the_perplexity_of_every_row_and_says_what_each_scheme_costs(cache):
    pytest.importorskip("numba", reason="the CPU engine")
    only = ("unpacked", "fused_compiled", "library")
    found = dl_exp.run(
        "quantisation",
        problem="gpt",
        rows=70,
        steps=2,
        only=only,
        device="cpu",
        budget=0.3,
        store=False,
        progress=False,
    )
    _, *_, model = quantisation.gpt(70, steps=2, dtype="float32", rng=np.random.default_rng(0))
    for name in only:
        figures = found.to_dict()["implementations"][only.index(name)]["figures"]
        assert figures["in float32"] == pytest.approx(model.before)
        assert figures["perplexity"] == pytest.approx(gpt.cost(model, 4, GROUP, feedback=False), rel=1e-5)
    (said,) = (note for note in found.notes if note.startswith("perplexity"))
    assert f"{model.before:.4g} in float32" in said and said.count("to nearest") == said.count("fed back") == 2
    plain = dl_exp.run("quantisation", rows=1, k=64, out=3, only="library", device="cpu", budget=0.1, store=False)
    assert "perplexity" not in str(plain)


def test_permuted_codes_are_wrong_in_the_ladder(cache):
    pytest.importorskip("numba", reason="the CPU engine")
    made = quantisation.gpt_fed_back(40, steps=2, dtype="float32", rng=np.random.default_rng(0))
    x, packed, scales, biases, *_ = made
    truth = laws.exact(*made)
    right = quantisation.fused_compiled(x, packed, scales, biases)
    assert laws.componentwise_error(right, *made, truth) <= laws.bound(*made)
    permuted = codes.pack(np.roll(codes.unpack(packed, 4), 1, axis=1), 4)
    wrong = quantisation.fused_compiled(x, permuted, scales, biases)
    assert laws.componentwise_error(wrong, *made, truth) > laws.bound(*made)


@pytest.mark.parametrize("make", [quantisation.gpt, quantisation.gpt_fed_back])
def test_sizes_that_the_scheme_does_not_have_are_refused_before_anything_is_trained(make, cache):
    for sizes in ({"bits": 3}, {"group": 48}):
        with pytest.raises(ValueError, match="weights have 4 or 8 bits"):
            make(**sizes, dtype="float32", rng=np.random.default_rng(0))
    assert not list(cache.iterdir())


def test_without_a_trained_gpt_the_picture_says_how_to_get_one(tmp_path, monkeypatch):
    from exp_core.training.checkpoint import CheckpointError

    monkeypatch.setenv("EXP_CORE_DATA", str(tmp_path))
    with pytest.raises(CheckpointError, match=r"train first|safetensors"):
        gpt.trained(64)
