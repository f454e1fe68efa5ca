"""Causal attention of several heads, forwards and backwards, for the sequences of one thread.

For each head $P = \\mathrm{softmax}(Q K^T/\\sqrt d)$ over the past and $Y = P V$.  Backwards
$dV = P^T dY$, $dP = dY V^T$, $dS = P \\circ (dP - \\rho)/\\sqrt d$ with $\\rho_i = \\sum_j P_{ij} dP_{ij}$,
$dQ = dS K$, $dK = dS^T Q$.  Queries, keys and values are read where they lie in one array, ``qkv``: (n T, 3 C).
Source: A. Vaswani et al., Attention Is All You Need, NIPS (2017), section 3.2; T. Dao et al., FlashAttention,
NeurIPS (2022), appendix B.2, for the derivatives.
"""

from __future__ import annotations

import math

from dl_exp.engine.product import product
from exp_core.compiled import REORDER, njit
from exp_core.vector import exp

LANES = 16  # a row's length is rounded up to that: a few more exponentials cost less than single ones


@njit
def attention(qkv, p, y, heads, panel):
    """From qkv: (n T, 3 C) fill p: (n heads, T, T) and y: (n T, C)."""
    t, c = p.shape[1], y.shape[1]
    d = c // heads
    for which in range(p.shape[0]):
        rows, h = which // heads * t, which % heads * d
        q = qkv[rows : rows + t, h : h + d]
        k = qkv[rows : rows + t, c + h : c + h + d]
        v = qkv[rows : rows + t, 2 * c + h : 2 * c + h + d]
        product(q, k.T, p[which], False, panel)
        causal_softmax(p[which], d)
        product(p[which], v, y[rows : rows + t, h : h + d], False, panel)


@njit
def attention_backwards(qkv, p, dy, dqkv, heads, ds, panel):
    """From dy: (n T, C) fill dqkv: (n T, 3 C); ds: (T, T), the workspace."""
    t, c = p.shape[1], dy.shape[1]
    d = c // heads
    for which in range(p.shape[0]):
        rows, h = which // heads * t, which % heads * d
        q = qkv[rows : rows + t, h : h + d]
        k = qkv[rows : rows + t, c + h : c + h + d]
        v = qkv[rows : rows + t, 2 * c + h : 2 * c + h + d]
        dy_h = dy[rows : rows + t, h : h + d]
        product(p[which].T, dy_h, dqkv[rows : rows + t, 2 * c + h : 2 * c + h + d], False, panel)
        product(dy_h, v.T, ds, False, panel)
        causal_softmax_backwards(p[which], ds, d)
        product(ds, k, dqkv[rows : rows + t, h : h + d], False, panel)
        product(ds.T, q, dqkv[rows : rows + t, c + h : c + h + d], False, panel)


@njit(fastmath=REORDER)
def causal_softmax(s, d):
    """Rows of s / sqrt(d) to probabilities of the past, in place; the future gets zero."""
    t = s.shape[0]
    one, zero = s.dtype.type(1), s.dtype.type(0)
    scale = s.dtype.type(1 / math.sqrt(d))
    for i in range(t):
        wide = min(t, (i // LANES + 1) * LANES)
        largest = s[i, 0]
        for j in range(1, i + 1):
            largest = max(largest, s[i, j])
        for j in range(i + 1, wide):
            s[i, j] = largest
        total = zero
        for j in range(wide):
            e = exp((s[i, j] - largest) * scale)
            s[i, j] = e
        for j in range(i + 1):
            total += s[i, j]
        share = one / total
        for j in range(i + 1):
            s[i, j] *= share
        for j in range(i + 1, t):
            s[i, j] = zero


@njit(fastmath=REORDER)
def causal_softmax_backwards(p, dp, d):
    """From the gradient by p to that by s, in place: dp becomes ds."""
    t = p.shape[0]
    zero, scale = p.dtype.type(0), p.dtype.type(1 / math.sqrt(d))
    for i in range(t):
        rho = zero
        for j in range(t):
            rho += p[i, j] * dp[i, j]
        for j in range(t):
            dp[i, j] = p[i, j] * (dp[i, j] - rho) * scale
