"""All of MNIST, as a user has it: from files that lie there already, or not at all; a network is never reached."""

from __future__ import annotations

import gzip
import hashlib
import socket

import numpy as np
import pytest

from dl_exp import data
from exp_core.cli.program import main

pytest.importorskip("pooch", reason="downloads need pooch")
pytest.importorskip("safetensors", reason="checkpoints need safetensors")
pytest.importorskip("mlx", reason="dl_exp needs MLX")

TRAINED, HELD_OUT = 40, 10


@pytest.fixture
def train(tmp_path, monkeypatch, capsys):
    """Runs ``cnn --data mnist`` on MLX in this process: its exit code, output and errors."""
    monkeypatch.setattr(data, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setenv("EXP_CORE_DATA", str(tmp_path / "data"))

    def unreachable(*args, **options):
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)

    def run(*args):
        command = ["cnn", "--data", "mnist", "--steps", "6", "--batch", "8", "--only", "mlx_engine", "--cpu", *args]
        with pytest.raises(SystemExit) as ended:
            main("dl_exp", ("metal", "cuda", "cpu"), args=command)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return ended.value.code, said.out, said.err

    return run


def idx(array):
    """LeCun's format: two zeros, 8 for bytes, the number of axes, their lengths, the bytes."""
    lengths = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + lengths + array.astype(np.uint8).tobytes(), mtime=0)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Four tiny files under MNIST's names, with their own checksums."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "cache" / "data"
    folder.mkdir(parents=True)
    sums = {}
    for name in data.MNIST_MD5:
        n = TRAINED if name.startswith("train") else HELD_OUT
        content = idx(rng.integers(0, 256, (n, 28, 28)) if "images" in name else np.arange(n) % 10)
        (folder / name).write_bytes(content)
        sums[name] = f"md5:{hashlib.md5(content).hexdigest()}"
    monkeypatch.setattr(data, "MNIST_MD5", sums)
    return folder


def test_files_that_lie_there_are_trained_on(train, files, tmp_path):
    found = data.read_mnist()
    assert (found.x.shape, found.held_out_x.shape) == ((TRAINED, 784), (HELD_OUT, 784))
    code, out, err = train()
    assert code == 0, err
    assert "held-out accuracy" in out + err
    log = (tmp_path / "data" / "training" / "cnn" / "log.csv").read_text().splitlines()
    losses = [float(line.split(",")[log[0].split(",").index("loss")]) for line in log[1:]]
    assert len(losses) == 6 and all(0 < loss < 10 for loss in losses)


def test_without_network_and_files_it_is_one_sentence(train):
    code, out, err = train()
    assert code == 2 and out == ""
    assert len(err.splitlines()) == 1
    assert "train-images-idx3-ubyte.gz could not be downloaded from https://" in err
    for name in data.MNIST_MD5:
        assert name in err


def test_another_file_of_that_name_is_refused(train, files):
    """A file with another checksum is fetched again; without a network it is left alone, and that is said."""
    wrong = files / "t10k-labels-idx1-ubyte.gz"
    wrong.write_bytes(idx(np.zeros(HELD_OUT)))
    before = wrong.read_bytes()
    code, _, err = train()
    assert code == 2 and "t10k-labels-idx1-ubyte.gz" in err.splitlines()[-1]
    assert wrong.read_bytes() == before
