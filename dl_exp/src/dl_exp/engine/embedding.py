"""Each token's vector plus that of its position; backwards each row of the gradient goes to the two that made it."""

from __future__ import annotations

from exp_core.compiled import njit


@njit
def embed(tokens, e, positions, x):
    """From tokens: (n, T), e: (V, C) and positions: (T, C) fill x: (n T, C)."""
    n, t = tokens.shape
    for i in range(n):
        for j in range(t):
            for c in range(x.shape[1]):
                x[i * t + j, c] = e[tokens[i, j], c] + positions[j, c]


@njit
def embed_backwards(tokens, dx, de, dpositions):
    """Add dx: (n T, C) to de: (V, C) and dpositions: (T, C), row after row: a token may occur twice."""
    n, t = tokens.shape
    for i in range(n):
        for j in range(t):
            for c in range(dx.shape[1]):
                d = dx[i * t + j, c]
                de[tokens[i, j], c] += d
                dpositions[j, c] += d
