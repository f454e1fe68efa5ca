"""Texts to learn from: their symbols, or pieces of them, as numbers; the last tenth is held out."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dl_exp.bpe import BYTES, Pieces
from dl_exp.data import downloaded

TINYSHAKESPEARE = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
TINYSHAKESPEARE_SHA256 = "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
LEARNT = 0.9  # of the text; the rest is held out, as nanoGPT does


@dataclass(frozen=True)
class Characters:
    """Each character that occurs is a symbol, in the order of their code points."""

    symbols: str

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.symbols)

    def encode(self, text: str) -> np.ndarray:
        """Numbers, int32.  Raises ValueError for a character that is none of them."""
        if unknown := sorted(set(text) - set(self.symbols)):
            raise ValueError(f"the text that was learnt has no {', '.join(map(repr, unknown))}: leave it out")
        places = np.array([ord(symbol) for symbol in self.symbols], np.uint32)
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        return np.searchsorted(places, codes).astype(np.int32)

    def decode(self, tokens) -> str:
        """The text."""
        return "".join(self.symbols[token] for token in tokens)


@dataclass(frozen=True)
class Corpus:
    """A text.  Raises ValueError if it is empty."""

    text: str

    def __post_init__(self) -> None:
        if not self.text:
            raise ValueError("there is no text in it: choose another file")

    @property
    def characters(self) -> int:
        """How many different ones there are."""
        return _characters(self).size

    def tokeniser(self, vocabulary: int) -> Characters | Pieces:
        """The one with so many symbols: the text's characters, or else pieces of bytes, learnt from what is learnt."""
        return _characters(self) if vocabulary == self.characters else _pieces(self, vocabulary)

    def learnt(self, vocabulary: int) -> np.ndarray:
        """The tokens to learn from, int32."""
        return _tokens(self, vocabulary)[0]

    def held_out(self, vocabulary: int) -> np.ndarray:
        """The tokens held out, int32."""
        return _tokens(self, vocabulary)[1]


@functools.lru_cache(maxsize=4)
def _characters(corpus: Corpus) -> Characters:
    return Characters("".join(sorted(set(corpus.text))))


@functools.lru_cache(maxsize=4)
def _pieces(corpus: Corpus, vocabulary: int) -> Pieces:
    if vocabulary <= BYTES:
        raise ValueError(f"{vocabulary} pieces are no more than the {BYTES} bytes: ask for {BYTES + 1} at least")
    return Pieces.learnt(corpus.text[: int(LEARNT * len(corpus.text))], vocabulary - BYTES)


@functools.lru_cache(maxsize=4)
def _tokens(corpus: Corpus, vocabulary: int) -> tuple[np.ndarray, np.ndarray]:
    tokeniser, cut = corpus.tokeniser(vocabulary), int(LEARNT * len(corpus.text))
    return tokeniser.encode(corpus.text[:cut]), tokeniser.encode(corpus.text[cut:])


@functools.cache
def read_python_docs() -> Corpus:
    """Python's own help on its topics, some 450,000 characters of English: it comes with every Python."""
    from pydoc_data.topics import topics

    return Corpus("\n\n".join(topics[name].strip() for name in sorted(topics)))


@functools.cache
def read_tinyshakespeare() -> Corpus:
    """A megabyte of Shakespeare's plays; downloaded once.  Raises OSError where it cannot be had.

    Source: A. Karpathy, The Unreasonable Effectiveness of Recurrent Neural Networks (2015).
    """
    path = downloaded(TINYSHAKESPEARE, TINYSHAKESPEARE_SHA256, name="tinyshakespeare.txt")
    return Corpus(path.read_text(encoding="utf-8"))


def read_text(path: Path) -> Corpus:
    """A file of the user's, in UTF-8.  Raises OSError, and ValueError if it is no text or empty."""
    try:
        return Corpus(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8") from error
