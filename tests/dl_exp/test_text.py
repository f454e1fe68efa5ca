"""Texts: what is learnt and what is held out, characters and pieces, and what is refused."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from dl_exp import data, text
from dl_exp.text import Characters, Corpus, read_python_docs, read_text

SHAKESPEARE = Path(__file__).parents[3] / "shared" / "data" / "tinyshakespeare.txt"


def test_characters_there_and_back():
    corpus = Corpus("Größe ☃ und 𝔊!" * 10)
    known = corpus.tokeniser(corpus.characters)
    assert isinstance(known, Characters)
    assert known.symbols == "".join(sorted(set(corpus.text)))
    tokens = known.encode(corpus.text)
    assert tokens.dtype == np.int32
    assert known.decode(tokens) == corpus.text
    assert known.encode("").size == 0
    with pytest.raises(ValueError, match="has no 'q', 'z'"):
        known.encode("zq!")


def test_the_last_tenth_is_held_out():
    corpus = Corpus("abcdefghij" * 10)
    learnt, held_out = corpus.learnt(10), corpus.held_out(10)
    assert len(learnt) == 90
    assert held_out.tolist() == list(range(10))


def test_pieces_are_learnt_from_what_is_learnt():
    corpus = Corpus("ab" * 90 + "xy" * 10)
    tokeniser = corpus.tokeniser(257)
    assert tokeniser.pairs == ((97, 98),)
    assert len(corpus.learnt(257)) == 90
    with pytest.raises(ValueError, match="257 at least"):
        corpus.tokeniser(256)


def test_python_brings_its_own_text():
    corpus = read_python_docs()
    assert len(corpus.text) > 400_000
    assert 'The "assert" statement' in corpus.text
    assert 95 <= corpus.characters <= 256  # ASCII, and a few letters of other scripts as examples


def test_files(tmp_path):
    good, empty, none = tmp_path / "good.txt", tmp_path / "empty.txt", tmp_path / "none.txt"
    good.write_text("héllo", encoding="utf-8")
    empty.write_text("")
    none.write_bytes(b"\xff\xfe\x00")
    assert read_text(good).text == "héllo"
    with pytest.raises(ValueError, match="no text in it"):
        read_text(empty)
    with pytest.raises(ValueError, match="no text in UTF-8"):
        read_text(none)
    with pytest.raises(OSError):
        read_text(tmp_path / "absent.txt")


def test_the_checksum_is_that_of_shakespeare():
    if not SHAKESPEARE.exists():
        pytest.skip("needs a copy of tinyshakespeare beside the repository")
    digest = hashlib.sha256(SHAKESPEARE.read_bytes()).hexdigest()
    assert f"sha256:{digest}" == text.TINYSHAKESPEARE_SHA256
    assert read_text(SHAKESPEARE).characters == 65  # as nanoGPT says
    assert len(read_text(SHAKESPEARE).learnt(65)) == 1_003_854


def test_no_network_is_one_sentence(monkeypatch):
    pooch = pytest.importorskip("pooch", reason="downloads need pooch")

    def refuse(*args, **kwargs):
        raise ConnectionError("unreachable")

    monkeypatch.setattr(pooch, "retrieve", refuse)
    text.read_tinyshakespeare.cache_clear()
    with pytest.raises(OSError, match=r"tinyshakespeare\.txt could not be downloaded") as caught:
        text.read_tinyshakespeare()
    assert "\n" not in str(caught.value)
    assert data.downloaded.__doc__
