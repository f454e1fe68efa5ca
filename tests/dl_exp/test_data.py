"""Data sets: what is held out, what a download may do wrong, and LeCun's format."""

import gzip

import numpy as np
import pytest

from dl_exp import data


def test_a_split_keeps_every_example_once_and_is_always_the_same():
    x, labels = np.arange(20.0)[:, None], np.arange(20)
    one, again = (data.split(x, labels, 0.25) for _ in range(2))
    assert (len(one.x), len(one.held_out_x)) == (15, 5)
    assert sorted([*one.labels, *one.held_out_labels]) == list(range(20))
    np.testing.assert_array_equal(one.x[:, 0], one.labels)
    np.testing.assert_array_equal(one.held_out_labels, again.held_out_labels)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ConnectionError("no route"),
            "could not be downloaded from https://example.org/x.gz (ConnectionError): put it",
        ),
        (ValueError("hash differs"), "not the file that is known by its checksum"),
        (OSError("disk full"), "could not be downloaded"),
    ],
)
def test_a_download_that_fails_is_one_sentence(monkeypatch, error, words):
    pooch = pytest.importorskip("pooch", reason="downloads need pooch")

    def failing(*args, **options):
        raise error

    monkeypatch.setattr(pooch, "retrieve", failing)
    with pytest.raises(OSError, match=r"x\.gz") as caught:
        data.downloaded("https://example.org/x.gz", "md5:0")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_download_that_fails_names_all_that_is_missing_and_nothing_else(monkeypatch, tmp_path):
    pooch = pytest.importorskip("pooch", reason="downloads need pooch")

    def failing(*args, **options):
        raise ConnectionError

    monkeypatch.setattr(pooch, "retrieve", failing)
    monkeypatch.setattr(data, "cache_folder", lambda: tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "b.gz").write_bytes(b"")
    with pytest.raises(OSError, match=r"put it and c\.gz from there into") as caught:
        data.downloaded("https://example.org/a.gz", "md5:0", also=("a.gz", "b.gz", "c.gz"))
    assert "b.gz" not in str(caught.value)


def test_mnist_is_read_from_lecun_s_format(monkeypatch, tmp_path):
    """Two images of 2 by 3 and their labels, written by hand."""
    files = {
        "images": b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (2, 2, 3)) + bytes(range(0, 240, 20)),
        "labels": b"\0\0\x08\x01" + (2).to_bytes(4, "big") + b"\x07\x01",
    }

    def local(url, checksum, also=()):
        assert checksum.startswith("md5:")
        path = tmp_path / url.rpartition("/")[2]
        with gzip.open(path, "wb") as file:
            file.write(files["images" if "images" in url else "labels"])
        return path

    monkeypatch.setattr(data, "downloaded", local)
    found = data.read_mnist()
    np.testing.assert_allclose(found.x, np.arange(0, 240, 20).reshape(2, 6) / 255, rtol=1e-6)
    assert found.labels.tolist() == found.held_out_labels.tolist() == [7, 1]
    assert found.x.dtype == np.float32
