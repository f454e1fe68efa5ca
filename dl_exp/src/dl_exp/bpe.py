"""Byte-pair encoding: the pair of neighbours that is seen most often becomes one symbol, again and again.

The text begins as bytes, 0 to 255; merge number i makes symbol 256 + i.
Source: R. Sennrich, B. Haddow, A. Birch, Neural Machine Translation of Rare Words with Subword Units, ACL (2016),
algorithm 1; A. Radford et al., Language Models are Unsupervised Multitask Learners (2019), section 2.2, for bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BYTES = 256


@dataclass(frozen=True)
class Pieces:
    """The pairs that were merged, in that order."""

    pairs: tuple[tuple[int, int], ...]

    @classmethod
    def learnt(cls, text: str, merges: int) -> Pieces:
        """So many merges, fewer if no pair is seen twice; of pairs seen equally often the one that comes first."""
        tokens, pairs = _bytes(text), []
        for symbol in range(BYTES, BYTES + merges):
            pair = most_frequent(tokens)
            if pair is None:
                break
            pairs.append(pair)
            tokens = merged(tokens, pair, symbol)
        return cls(tuple(pairs))

    @property
    def size(self) -> int:
        """Symbols in all."""
        return BYTES + len(self.pairs)

    def encode(self, text: str) -> np.ndarray:
        """Numbers, int32: the merges in their order."""
        tokens = _bytes(text)
        for i, pair in enumerate(self.pairs):
            tokens = merged(tokens, pair, BYTES + i)
        return tokens

    def decode(self, tokens) -> str:
        """The text; bytes that are none in UTF-8 become U+FFFD."""
        known = [bytes([byte]) for byte in range(BYTES)]
        for a, b in self.pairs:
            known.append(known[a] + known[b])
        return b"".join(known[token] for token in tokens).decode("utf-8", errors="replace")


def most_frequent(tokens: np.ndarray) -> tuple[int, int] | None:
    """The pair of neighbours seen most often, the first such; None if none is seen twice."""
    if len(tokens) < 2:
        return None
    size = int(tokens.max()) + 1
    codes = tokens[:-1].astype(np.int64) * size + tokens[1:]
    counts = np.bincount(codes, minlength=size * size)
    if counts.max() < 2:
        return None
    first = codes[np.argmax(counts[codes])]
    return int(first // size), int(first % size)


def merged(tokens: np.ndarray, pair: tuple[int, int], symbol: int) -> np.ndarray:
    """Every occurrence of the pair from left to right as one symbol; of aaa the first two."""
    found = np.flatnonzero((tokens[:-1] == pair[0]) & (tokens[1:] == pair[1]))
    if pair[0] == pair[1] and len(found):
        runs = np.flatnonzero(np.diff(found, prepend=-2) > 1)  # where a run of overlapping occurrences begins
        place = np.arange(len(found)) - np.repeat(runs, np.diff(runs, append=len(found)))
        found = found[place % 2 == 0]
    out = tokens.copy()
    out[found] = symbol
    return np.delete(out, found + 1)


def _bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-8"), np.uint8).astype(np.int32)
