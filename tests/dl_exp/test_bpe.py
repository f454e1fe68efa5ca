"""Byte-pair encoding: minbpe's published example, the way back, and texts that are awkward to cut."""

import itertools

import numpy as np
import pytest

from dl_exp import bpe
from dl_exp.bpe import BYTES, Pieces, merged, most_frequent


def naive(text, merges):
    """The algorithm word for word: count all pairs, take the first of the most frequent, replace from the left."""
    tokens, pairs = list(text.encode("utf-8")), []
    for symbol in range(BYTES, BYTES + merges):
        counts = {}
        for pair in itertools.pairwise(tokens):
            counts[pair] = counts.get(pair, 0) + 1
        if not counts or max(counts.values()) < 2:
            break
        pair = max(counts, key=counts.get)
        pairs.append(pair)
        tokens = naively_merged(tokens, pair, symbol)
    return pairs, tokens


def naively_merged(tokens, pair, symbol):
    out, i = [], 0
    while i < len(tokens):
        if tuple(tokens[i : i + 2]) == pair:
            out.append(symbol)
            i += 2
        else:
            out.append(tokens[i])
            i += 1
    return out


def test_the_published_example():
    """minbpe's README, after Wikipedia's article: three merges of aaabdaaabac."""
    pieces = Pieces.learnt("aaabdaaabac", 3)
    assert pieces.encode("aaabdaaabac").tolist() == [258, 100, 258, 97, 99]
    assert pieces.decode([258, 100, 258, 97, 99]) == "aaabdaaabac"


TEXTS = [
    "",
    "a",
    "aa",
    "aaa",
    "aaaa",
    "aaaaaaa",
    "abababab",
    "aabaabaaab",
    "Größe ☃ Größe ☃",
    "to be or not to be " * 9,
]


@pytest.mark.parametrize("text", TEXTS)
def test_as_the_algorithm_word_for_word(text):
    pieces = Pieces.learnt(text, 12)
    pairs, tokens = naive(text, 12)
    assert list(pieces.pairs) == pairs
    assert pieces.encode(text).tolist() == tokens
    assert pieces.size == BYTES + len(pairs)


def test_random_texts_come_back():
    rng = np.random.default_rng(0)
    for _ in range(50):
        text = "".join(rng.choice(list("abcé"), rng.integers(0, 60)))
        pieces = Pieces.learnt(text, 20)
        assert list(pieces.pairs) == naive(text, 20)[0]
        for other in (text, text[::-1], "never seen: ω"):
            assert pieces.decode(pieces.encode(other)) == other


def test_a_cut_character_is_no_error():
    assert Pieces(()).decode([0xC3]) == "\ufffd"


def test_parts():
    assert most_frequent(np.array([], np.int32)) is None
    assert most_frequent(np.array([1, 2, 3], np.int32)) is None
    assert most_frequent(np.array([5, 1, 2, 5, 1, 2], np.int32)) == (5, 1)
    assert merged(np.array([7, 7, 7, 1, 7, 7], np.int32), (7, 7), 9).tolist() == [9, 7, 1, 9]


def test_a_greedy_run_from_the_wrong_end_is_seen(monkeypatch):
    """Sabotage: of aaa the last two."""
    monkeypatch.setattr(
        bpe, "merged", lambda t, pair, s: np.array(naively_merged(t[::-1].tolist(), pair[::-1], s))[::-1]
    )
    text = "aaab" * 5
    assert Pieces.learnt(text, 1).encode(text).tolist() != naive(text, 1)[1]
