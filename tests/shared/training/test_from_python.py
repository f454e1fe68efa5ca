"""Training from Python: the command's flow, a value at the end, and refusals of one sentence in Python's words."""

import csv
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import training_toy as toy

from exp_core import api, training
from exp_core.api.train import HowToTrain
from exp_core.catalogue import Catalogue, Entry, Topic
from exp_core.experiment import Experiment
from exp_core.training.trained import Trained

pytest.importorskip("safetensors", reason="checkpoints need safetensors")


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """A package whose one experiment trains the toy; and one that trains nothing."""
    import toys as ladder

    monkeypatch.setenv("EXP_CORE_DATA", str(tmp_path))
    trains = replace(ladder.EXPERIMENT, training=toy.TRAINING)
    entries = [
        Entry(name, f"{name.title()}: it learns", "t", "toys", name, Path(__file__)) for name in ("bowl", "lazy")
    ]
    known = {"bowl": trains, "lazy": ladder.EXPERIMENT}
    monkeypatch.setattr(Entry, "load", lambda self: known[self.name])
    catalogue = Catalogue((Topic("t", "T", "toys", tuple(entries)),))
    monkeypatch.setattr("exp_core.api.found.read_catalogue", lambda command: catalogue)
    return api.Package("toys", devices=("metal", "cuda", "cpu"))


def train(package, name="bowl", sizes=None, **how):
    return package.train(name, sizes or {}, HowToTrain(progress=False, **how))


def test_what_comes_back_is_the_run_as_the_flow_makes_it(toys, tmp_path):
    from exp_core.training.run import train as flow

    r = train(toys, steps=40, batch=4, save_every=7)
    job = toy.job(tmp_path / "other", steps=40)
    plain = flow(job, job.beginning(), lambda moment: None)
    assert isinstance(r, Trained)
    np.testing.assert_array_equal(r.losses, [line.loss for line in plain.lines])
    assert r.figures == plain.figures
    assert (r.step, r.steps, r.interrupted) == (40, 40, False)
    assert r.checkpoint == tmp_path / "training" / "bowl" / "latest.safetensors"
    assert r.checkpoint.exists()
    with r.log.open() as file:
        assert [float(row["loss"]) for row in csv.DictReader(file)] == list(r.losses)
    assert r.reached is r.targets[0].reached(r.figures["distance"])


def test_one_that_goes_on_has_the_curve_of_one_that_never_stopped(toys):
    whole = train(toys, steps=60)
    train(toys, steps=25)
    on = train(toys, steps=60, resume=True)
    assert len(on.losses) == 60
    np.testing.assert_array_equal(on.losses, whole.losses)
    assert any("the run before this one is now in" in note for note in train(toys, steps=5).notes)


def test_without_steps_it_is_trained_to_its_target(toys):
    assert train(toys).step == toy.TRAINING.steps


def test_what_was_trained_is_read_again(toys, tmp_path):
    r = train(toys, steps=20, seed=3)
    again = toys.trained("bowl", HowToTrain())
    np.testing.assert_array_equal(again.losses, r.losses)
    np.testing.assert_array_equal(again.state["weights"], r.state["weights"])
    assert (again.figures, again.step, again.job.seed) == (r.figures, 20, 3)
    other = train(toys, steps=20, seed=4, checkpoint=tmp_path / "elsewhere")
    named = toys.trained("bowl", HowToTrain(checkpoint=str(other.checkpoint)))
    assert named.job.seed == 4
    assert named.checkpoint == other.checkpoint
    assert r.sample("so", length=7) == "so and so"


def test_ctrl_c_saves_and_what_is_known_is_held(toys, monkeypatch):
    def pressed(shape, state, batches, step):
        if step >= 10:
            raise KeyboardInterrupt
        return toy.momentum(shape, state, batches, step)

    engines = (replace(toy.TRAINING.engines[0], advance=pressed), toy.TRAINING.engines[1])
    experiment = replace(Entry.load(next(iter(toys.experiments().values()))))
    known = replace(experiment, training=replace(toy.TRAINING, engines=engines))
    monkeypatch.setattr(Entry, "load", lambda self: known)
    with pytest.raises(api.Interrupted) as stop:
        train(toys, steps=50)
    partial = stop.value.partial
    assert isinstance(stop.value, KeyboardInterrupt)
    assert partial.interrupted
    assert 10 <= partial.step < 50
    assert partial.checkpoint.exists()
    assert f"{partial.step} steps of 50, interrupted" in repr(partial)
    assert "interrupted after step" in str(partial)


def test_a_loss_that_is_no_number_is_an_error_and_what_was_saved_stays(toys):
    with pytest.raises(ArithmeticError, match=r"the loss of step 30 is not a number.*checkpoint of step"):
        train(toys, steps=50, only="exploding", save_every=7)
    assert 0 < toys.trained("bowl", HowToTrain(only="exploding")).step < 30


def test_a_disk_that_takes_no_more_is_one_sentence(toys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training.checkpoint.os, "replace", full)
    with pytest.raises(api.Refused, match="No space left on device"):
        train(toys, steps=10)


@pytest.mark.parametrize(
    ("name", "how", "sizes", "sentence"),
    [
        ("bowls", {}, {}, "did you mean bowl?"),
        ("lazy", {}, {}, 'lazy has nothing to train; toys.run("lazy") climbs its ladder'),
        ("bowl", {"steps": 0}, {}, "steps must be at least 1"),
        ("bowl", {"steps": 1.5}, {}, "steps takes a whole number, not 1.5"),
        ("bowl", {"steps": "9"}, {}, "steps takes a number, not '9'"),
        ("bowl", {"batch": 0}, {}, "batch must be at least 1"),
        ("bowl", {"batch": 2**60}, {}, "does not fit into the"),
        ("bowl", {"seed": -1}, {}, "seed must be at least 0"),
        ("bowl", {"save_every": True}, {}, "save_every takes a whole number"),
        ("bowl", {"threads": 4096}, {}, "threads=4096 is more than the"),
        ("bowl", {"data": "nomal"}, {}, "did you mean normal?"),
        ("bowl", {"data": 3}, {}, "data: the name of a data set, or a file, not 3"),
        ("bowl", {"data": "no\0name"}, {}, "no data set is called"),
        ("bowl", {"checkpoint": 3}, {}, "checkpoint takes a folder or a checkpoint, not 3"),
        ("bowl", {"checkpoint": "no\0name"}, {}, "checkpoint takes a folder or a checkpoint, not"),
        ("bowl", {"checkpoint": "x.safetensors", "resume": True}, {}, "leave out resume=True to start anew"),
        ("bowl", {"resume": True}, {}, "train first, with steps and without resume=True"),
        ("bowl", {"only": "momentums"}, {}, "did you mean momentum?"),
        ("bowl", {"rung": "kernel"}, {}, "nothing of that name or rung trains bowl; these do: momentum"),
        ("bowl", {"device": "mental"}, {}, "did you mean metal?"),
        ("bowl", {}, {"width": 4}, "the model has no width; it has no sizes"),
    ],
)
def test_what_makes_no_sense_is_one_sentence_in_python_s_spelling(toys, tmp_path, name, how, sizes, sentence):
    with pytest.raises(api.Refused) as refused:
        train(toys, name, sizes, **how)
    said = str(refused.value)
    assert sentence in said
    assert "--" not in said
    assert "\n" not in said
    assert refused.value.__suppress_context__
    assert not (tmp_path / "training").exists(), "it was refused before any work"


def test_checkpoints_of_others_are_refused(toys):
    train(toys, steps=10)
    for how, sentence in (
        ({"steps": 10}, "the checkpoint has 10 steps already: steps=20 would go on"),
        ({"steps": 20, "seed": 1}, "seed 0, and 1 was asked for"),
        ({"steps": 20, "batch": 8}, "batch 4, and 8 was asked for"),
    ):
        with pytest.raises(api.Refused) as refused:
            train(toys, resume=True, **how)
        assert sentence in str(refused.value)
        assert "--" not in str(refused.value)


def test_a_model_that_says_nothing_or_not_these_words_refuses(toys, monkeypatch):
    r = train(toys, steps=5)
    mute = replace(r, job=replace(r.job, training=replace(toy.TRAINING, sample=None)))
    with pytest.raises(api.Refused, match="goes on with no text"):
        mute.sample("so")

    def strict(shape, state, data, prompt, length, rng):
        raise ValueError("the text that was learnt has no 'ß': leave it out")

    choosy = replace(r, job=replace(r.job, training=replace(toy.TRAINING, sample=strict)))
    with pytest.raises(api.Refused, match="the prompt: the text that was learnt has no 'ß'"):
        choosy.sample("ß")
    with pytest.raises(api.Refused, match="length must be at least 1"):
        r.sample("so", length=0)


def test_it_is_shown_in_words_a_figure_a_frame_and_html(toys):
    r = train(toys, steps=40)
    assert repr(r).startswith("bowl on normal: 40 steps, loss ")
    assert "\n" not in repr(r)
    assert "target ≤ 0.5 (this file)" in str(r)
    html = r._repr_html_()
    markup = html[: html.index("<style>")] + html[html.index("</style>") + len("</style>") :]
    root = ElementTree.fromstring(markup)
    points = root.find(".//polyline").get("points").split()
    assert len(points) == 40
    heights = np.array([float(point.split(",")[1]) for point in points])
    np.testing.assert_allclose((heights.min(), heights.max()), (0, 100))
    assert np.argmax(heights) == np.argmin(r.losses), "down is less"
    assert str(r.job.folder) not in html, "a notebook is passed on"
    hostile = replace(r, entry=replace(r.entry, title="<script>alert(1)</script>"), notes=("<b>&",))
    assert "<script" not in hostile._repr_html_()
    pandas = pytest.importorskip("pandas", reason="data frames need pandas")
    frame = r.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == ["step", "loss", "distance"]
    assert list(frame["loss"]) == list(r.losses)
    assert frame["distance"].notna().sum() == 4
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    assert r.figure()._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("steps", [1, 2, 200, 201, 1000])
def test_a_long_curve_is_drawn_as_means(steps):
    from exp_core.report.training_html import means

    values = list(np.random.default_rng(0).random(steps))
    drawn = means(values, 200)
    assert len(drawn) <= 200
    assert min(values) <= min(drawn) <= max(drawn) <= max(values)
    each = -(-steps // 200)
    assert drawn[0] == pytest.approx(np.mean(values[:each]))
    assert drawn[-1] == pytest.approx(np.mean(values[each * (len(drawn) - 1) :]))


def test_a_run_before_its_first_evaluation_is_shown_too(toys):
    r = train(toys, steps=5)
    bare = replace(r, outcome=replace(r.outcome, lines=(), figures={}))
    assert repr(bare) == "bowl on normal: 5 steps"
    assert not bare.reached
    assert "polyline" not in bare._repr_html_()


def test_python_and_the_command_make_the_same_run(tmp_path):
    """The same curve to the last bit: one flow, whoever asks."""
    pytest.importorskip("mlx", reason="dl_exp needs MLX")
    import dl_exp

    folders = tmp_path / "python", tmp_path / "command"
    r = dl_exp.train("autograd", steps=40, checkpoint=folders[0], progress=False)
    words = [sys.executable, "-m", "dl_exp", "autograd", "--steps", "40", "--checkpoint", str(folders[1])]
    subprocess.run(words, check=True, capture_output=True, env=os.environ | {"EXP_CORE_DATA": str(tmp_path)})
    assert (folders[0] / "log.csv").read_bytes() == (folders[1] / "log.csv").read_bytes()
    assert len(r.losses) == 40


def test_every_experiment_that_trains_is_named_in_the_docstring():
    """The one list of them that is written by hand."""
    pytest.importorskip("mlx", reason="dl_exp needs MLX")
    import dl_exp

    experiments = {name: entry.load() for name, entry in dl_exp.experiments().items()}
    assert all(isinstance(experiment, Experiment) for experiment in experiments.values())
    trains = {name for name, experiment in experiments.items() if experiment.training}
    line = next(line for line in dl_exp.train.__doc__.splitlines() if "an experiment that trains" in line)
    assert set(line.partition(": ")[2].partition(": ")[2].rstrip(".").split(", ")) == trains
