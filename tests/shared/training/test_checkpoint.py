"""A checkpoint is whole or not there, and one that does not fit is refused in one sentence."""

import errno
import os

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="checkpoints need safetensors")

from exp_core.training import checkpoint
from exp_core.training.checkpoint import LATEST, PREVIOUS, Checkpoint, CheckpointError, Identity

ME = Identity("toy", "('bowl', 3)", "normal", 0, 4, "momentum")
STATE = {"weights": np.array([1, 2, 3], np.float32), "count": np.array(5)}


def written(folder, step=1, state=STATE):
    checkpoint.write(Checkpoint(ME, step, state, 40), folder)
    return folder / LATEST


def test_what_is_written_is_read(tmp_path):
    found = checkpoint.read(written(tmp_path, 17))
    assert (found.identity, found.step, found.steps) == (ME, 17, 40)
    for name, array in STATE.items():
        assert found.state[name].tobytes() == array.tobytes()
        assert found.state[name].dtype == array.dtype
    assert [path.name for path in tmp_path.iterdir()] == [LATEST]


def test_two_generations_are_kept(tmp_path):
    for step in (1, 2, 3):
        written(tmp_path, step)
    assert checkpoint.read(tmp_path / LATEST).step == 3
    assert checkpoint.read(tmp_path / PREVIOUS).step == 2
    assert checkpoint.path_to_read(tmp_path).name == LATEST
    (tmp_path / LATEST).unlink()  # killed between the two renames
    assert checkpoint.path_to_read(tmp_path).name == PREVIOUS


def test_a_damaged_latest_does_not_push_out_the_one_before(tmp_path):
    for step in (1, 2):
        written(tmp_path, step)
    (tmp_path / LATEST).write_bytes(b"damaged")
    checkpoint.write(Checkpoint(ME, 3, STATE, 40), tmp_path, keep_latest=False)
    assert [checkpoint.read(tmp_path / name).step for name in (LATEST, PREVIOUS)] == [3, 1]


@pytest.mark.parametrize("size", [0, 1, 8, 60, -1])
def test_one_that_was_cut_short_is_refused(tmp_path, size):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(CheckpointError, match="no checkpoint, or was cut short: leave out --resume"):
        checkpoint.read(path)


def test_the_one_before_is_named_where_the_latest_is_damaged(tmp_path):
    written(tmp_path, 1)
    path = written(tmp_path, 2)
    path.write_bytes(b"\0" * 100)
    with pytest.raises(CheckpointError, match=PREVIOUS):
        checkpoint.read(path)


def test_other_files_are_refused(tmp_path):
    from safetensors.numpy import save_file

    text, foreign = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    text.write_text("not a checkpoint at all, but long enough to have a header's length in front")
    save_file({"weights": STATE["weights"]}, foreign)
    with pytest.raises(CheckpointError, match="no checkpoint"):
        checkpoint.read(text)
    with pytest.raises(CheckpointError, match="no checkpoint of a training run of this version"):
        checkpoint.read(foreign)
    with pytest.raises(CheckpointError, match="no checkpoint"):
        checkpoint.read(tmp_path / "missing.safetensors")
    with pytest.raises(CheckpointError, match="train first"):
        checkpoint.path_to_read(tmp_path / "nowhere")


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    path = written(tmp_path, 1)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        checkpoint.write(Checkpoint(ME, 2, STATE, 40), tmp_path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [LATEST]


def test_each_difference_is_named():
    path = checkpoint.Path("x")
    checkpoint.same(ME, ME, path)
    for name, value in (("experiment", "gpt"), ("shape", "('bowl', 4)"), ("data", "other"), ("seed", 1), ("batch", 5)):
        other = Identity(**{**ME.__dict__, name: value})
        with pytest.raises(CheckpointError, match=str(value).replace("(", r"\(").replace(")", r"\)")):
            checkpoint.same(other, ME, path)


def test_other_arrays_are_refused():
    path = checkpoint.Path("x")
    checkpoint.fits(STATE, STATE, path)
    for other in (
        {"weights": STATE["weights"]},
        STATE | {"weights": np.zeros(4, np.float32)},
        STATE | {"weights": np.zeros(3)},
    ):
        with pytest.raises(CheckpointError, match="other arrays"):
            checkpoint.fits(other, STATE, path)
