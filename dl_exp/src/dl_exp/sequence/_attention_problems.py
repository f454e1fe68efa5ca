"""Who looks at whom: everybody, the past alone, in groups; scores that overflow, and queries that see nothing."""

from __future__ import annotations

from typing import Annotated

from exp_core.tensor import normal

Heads = Annotated[int, "heads"]
Length = Annotated[int, "queries, and keys"]
Groups = Annotated[int, "heads of keys and values; several heads of queries share one"]
Keys = Annotated[int, "keys; earlier queries than the last so many see none"]
Dim = Annotated[int, "numbers in a query, a key, a value"]


def everybody(heads: Heads = 8, length: Length = 1024, dim: Dim = 64, *, dtype, rng):
    """Every query sees every key: an encoder."""
    return inputs((heads, length, dim), (heads, length, dim), False, dtype, rng)


def causal(heads: Heads = 8, length: Length = 1024, dim: Dim = 64, *, dtype, rng):
    """A query sees the keys up to its own: a language model, half the work."""
    return inputs((heads, length, dim), (heads, length, dim), True, dtype, rng)


def grouped(
    heads: Heads = 8,
    groups: Groups = 2,
    length: Length = 1024,
    dim: Dim = 64,
    *,
    dtype,
    rng,
):
    """Causal, and neighbouring heads share their keys and values (grouped queries)."""
    if heads % groups:
        raise ValueError(f"{heads} heads cannot share {groups} heads of keys evenly: choose a divisor")
    return inputs((heads, length, dim), (groups, length, dim), True, dtype, rng)


def large(
    heads: Heads = 8,
    length: Length = 1024,
    dim: Dim = 64,
    deviation: Annotated[float, "of the scores"] = 100.0,
    *,
    dtype,
    rng,
):
    """Scores of some hundreds: their exponentials overflow, and one key takes it all."""
    return inputs((heads, length, dim), (heads, length, dim), False, dtype, rng, deviation**0.5)


def unseeing(
    heads: Heads = 8,
    length: Length = 1024,
    keys: Keys = 1000,
    dim: Dim = 64,
    *,
    dtype,
    rng,
):
    """Causal with fewer keys than queries: the last query sees them all, the first ones nothing, and are zero."""
    return inputs((heads, length, dim), (heads, keys, dim), True, dtype, rng)


def inputs(queries, keys, causal, dtype, rng, deviation=1.0):
    """q (heads, length, dim), k and v (groups, keys, dim), and whether the future is hidden."""
    q = normal(rng, queries, dtype, deviation=deviation)
    k = normal(rng, keys, dtype, deviation=deviation)
    return q, k, normal(rng, keys, dtype), causal
