"""Texts to learn from: their symbols, or pieces of them, as numbers; the last tenth is held out."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dl_exp.bpe import Pieces
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

    def tokeniser(self, merges: int) -> Characters | Pieces:
        """Characters; with merges, pieces of bytes, learnt from the part that is not held out."""
        return _tokeniser(self, merges)

    def learnt(self, merges: int) -> np.ndarray:
        """The tokens to learn from, int32."""
        return _tokens(self, merges)[0]

    def held_out(self, merges: int) -> np.ndarray:
        """The tokens held out, int32."""
        return _tokens(self, merges)[1]


@functools.lru_cache(maxsize=4)
def _tokeniser(corpus: Corpus, merges: int) -> Characters | Pieces:
    if merges == 0:
        return Characters("".join(sorted(set(corpus.text))))
    return Pieces.learnt(corpus.text[: int(LEARNT * len(corpus.text))], merges)


@functools.lru_cache(maxsize=4)
def _tokens(corpus: Corpus, merges: int) -> tuple[np.ndarray, np.ndarray]:
    tokeniser, cut = corpus.tokeniser(merges), int(LEARNT * len(corpus.text))
    return tokeniser.encode(corpus.text[:cut]), tokeniser.encode(corpus.text[cut:])


@functools.cache
def read_python_docs() -> Corpus:
    """Python's own help on its topics, some 700,000 characters of English: it comes with every Python."""
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
