"""A run that is cut short anywhere and goes on has the curve and the weights of one that was not, to the last bit."""

from dataclasses import replace

import numpy as np
import pytest
import training_toy as toy

pytest.importorskip("safetensors", reason="checkpoints need safetensors")

from exp_core.training import checkpoint
from exp_core.training.checkpoint import LATEST, LOG, CheckpointError
from exp_core.training.group import GroupError
from exp_core.training.run import NotANumberError, train


def watch(moment):
    """Nobody looks."""


def fresh(folder, **changes):
    job = toy.job(folder, **changes)
    return train(job, job.beginning(), watch)


def resumed(folder, **changes):
    path = checkpoint.path_to_read(folder)
    return train(toy.job(folder, **changes), checkpoint.read(path), watch, path=path)


def bits(state):
    return {name: array.tobytes() for name, array in state.items()}


@pytest.fixture
def whole(tmp_path):
    return fresh(tmp_path / "whole"), (tmp_path / "whole" / LOG).read_text()


@pytest.mark.parametrize("stop", [1, 7, 10, 63, 99])
def test_stopped_and_resumed_is_the_same_run(tmp_path, whole, stop):
    fresh(tmp_path / "cut", steps=stop)
    outcome = resumed(tmp_path / "cut")
    assert bits(outcome.state) == bits(whole[0].state)
    steps_and_losses = [line.split(",")[:2] for line in (tmp_path / "cut" / LOG).read_text().splitlines()]
    assert steps_and_losses == [line.split(",")[:2] for line in whole[1].splitlines()]
    assert [line.step for line in outcome.lines] == list(range(1, 101))


def test_an_interruption_saves_the_last_whole_step(tmp_path, whole):
    def impatient(moment):
        if moment.step >= 33:
            raise KeyboardInterrupt

    job = toy.job(tmp_path / "cut")
    outcome = train(job, job.beginning(), impatient)
    assert outcome.interrupted
    assert checkpoint.read(tmp_path / "cut" / LATEST).step == outcome.step
    assert bits(resumed(tmp_path / "cut").state) == bits(whole[0].state)
    assert (tmp_path / "cut" / LOG).read_text() == whole[1]


@pytest.mark.parametrize("where", ["append", "write", "after"])
def test_an_interruption_in_the_middle_of_saving(tmp_path, whole, monkeypatch, where):
    """Ctrl-C between the log and the checkpoint, or after both: no line is lost, none stands there twice."""
    from exp_core.training.log import Log

    target, name = {"append": (Log, "append"), "write": (checkpoint, "write"), "after": (checkpoint, "write")}[where]
    real, calls = getattr(target, name), []

    def interrupted(*args, **options):
        calls.append(name)
        if len(calls) == 3 and where == "write":
            raise KeyboardInterrupt
        result = real(*args, **options)
        if len(calls) == 3 and where != "write":
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(target, name, interrupted)
    assert fresh(tmp_path / "cut").interrupted
    monkeypatch.undo()
    resumed(tmp_path / "cut")
    assert (tmp_path / "cut" / LOG).read_text() == whole[1]


def test_ctrl_c_that_has_ended_another_process_first(tmp_path, whole, monkeypatch):
    """The other one is gone, and while that is saved the same Ctrl-C arrives here."""

    def alone(moment):
        if moment.step >= 33:
            raise GroupError("another process of this run has died")

    def interrupted(*args, **options):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "write", interrupted)
    job = toy.job(tmp_path / "cut", save_every=1000)
    outcome = train(job, job.beginning(), alone)
    assert outcome.interrupted
    assert checkpoint.read(tmp_path / "cut" / LATEST).step == outcome.step
    resumed(tmp_path / "cut")
    assert (tmp_path / "cut" / LOG).read_text() == whole[1]


@pytest.mark.parametrize("ahead", ["21,0.5,\n22,0.4,\n", "21,0.5,\n22,0.", "\0\0\0"])
def test_a_log_ahead_of_its_checkpoint_is_cut_back(tmp_path, whole, ahead):
    """A kill between log and checkpoint: what the log has more, a half line included, is made again."""
    fresh(tmp_path / "cut", steps=20)
    with (tmp_path / "cut" / LOG).open("a") as file:
        file.write(ahead)
    resumed(tmp_path / "cut")
    assert (tmp_path / "cut" / LOG).read_text() == whole[1]


@pytest.mark.parametrize("stop", [1, 33, 99])
def test_a_schedule_is_stretched_over_the_steps_asked_for(tmp_path, stop):
    """Killed and resumed, the rates are those of the whole run; the checkpoint knows how long it is to be."""

    def impatient(moment):
        if moment.step >= stop:
            raise KeyboardInterrupt

    whole = fresh(tmp_path / "whole", training=toy.SCHEDULED)
    job = toy.job(tmp_path / "cut", training=toy.SCHEDULED)
    cut = train(job, job.beginning(), impatient)
    assert cut.interrupted
    found = checkpoint.read(tmp_path / "cut" / LATEST)
    assert (found.step, found.steps) == (cut.step, 100)
    assert bits(resumed(tmp_path / "cut", training=toy.SCHEDULED).state) == bits(whole.state)
    assert (tmp_path / "cut" / LOG).read_text() == (tmp_path / "whole" / LOG).read_text()
    # sabotage: a schedule for other steps gives another curve
    assert bits(fresh(tmp_path / "long", training=toy.SCHEDULED, steps=101).state) != bits(whole.state)
    assert [float(rate) for rate in toy.SCHEDULED.rates(range(98, 100), 100)[0]] == pytest.approx([0.002, 0.001])
    assert toy.TRAINING.rates(range(3), 100) == ()


def test_the_order_of_data_matters_here(tmp_path, whole):
    """Sabotage: with another seed the curve is another one, so that the comparisons above can fail."""
    assert bits(fresh(tmp_path / "other", seed=1).state) != bits(whole[0].state)


def test_a_resumed_run_without_its_momentum_would_be_seen(tmp_path, whole):
    """Sabotage: the optimiser's part of the state forgotten."""
    fresh(tmp_path / "cut", steps=50)
    found = checkpoint.read(tmp_path / "cut" / LATEST)
    lost = replace(found, state=found.state | {"speed": 0 * found.state["speed"]})
    outcome = train(toy.job(tmp_path / "cut"), lost, watch, path=tmp_path / "cut" / LATEST)
    assert bits(outcome.state) != bits(whole[0].state)


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint(tmp_path):
    with pytest.raises(NotANumberError, match=r"loss of step 30 is not a number.*checkpoint of step 28 is kept"):
        fresh(tmp_path / "nan", engine=1)
    kept = checkpoint.read(tmp_path / "nan" / LATEST)
    assert kept.step == 28
    assert all(np.isfinite(array).all() for array in kept.state.values())
    assert len((tmp_path / "nan" / LOG).read_text().splitlines()) == 30  # its head, and the 29 steps before


def test_a_weight_that_is_no_number_is_not_saved(tmp_path):
    job = toy.job(tmp_path / "nan")
    begin = job.beginning()
    spoilt = replace(begin, state=begin.state | {"speed": np.full(3, np.nan, np.float32)})
    with pytest.raises(NotANumberError, match="nothing was saved yet"):
        train(job, spoilt, watch)
    assert not (tmp_path / "nan" / LATEST).exists()


def test_a_full_disk_in_the_middle_keeps_the_checkpoint(tmp_path, monkeypatch):
    real, calls = checkpoint.write, []

    def full(*args, **options):
        calls.append(args)
        if len(calls) == 3:
            raise CheckpointError("the checkpoint of step 21 could not be written: No space left on device")
        return real(*args, **options)

    monkeypatch.setattr(checkpoint, "write", full)
    with pytest.raises(CheckpointError, match=r"No space left.*checkpoint of step 14 is kept"):
        fresh(tmp_path / "full")
    monkeypatch.undo()
    assert checkpoint.read(tmp_path / "full" / LATEST).step == 14
    outcome = resumed(tmp_path / "full")
    assert bits(outcome.state) == bits(fresh(tmp_path / "whole").state)


def test_an_earlier_run_is_set_aside(tmp_path):
    fresh(tmp_path / "toy", steps=5)
    assert checkpoint.set_aside(tmp_path / "toy") == tmp_path / "toy-1"
    assert checkpoint.set_aside(tmp_path / "toy") is None
    fresh(tmp_path / "toy", steps=5)
    assert checkpoint.set_aside(tmp_path / "toy") == tmp_path / "toy-2"


def test_processes_share_each_batch():
    from exp_core.training.group import Group

    batch = (np.arange(30).reshape(2, 5, 3),)
    parts = [Group(rank, 2).part(batch)[0] for rank in range(2)]
    assert [part.shape for part in parts] == [(2, 3, 3), (2, 2, 3)]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts, axis=1), axis=1), batch[0])
