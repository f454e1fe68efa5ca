"""The engine's operations in float64: forwards against their definition, backwards against its complex step."""

import math

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine is compiled")

from assembly import host_width, vector_width

from dl_exp.engine import tile
from dl_exp.engine.adamw import AdamW, adamw, add, squared
from dl_exp.engine.attention import attention, attention_backwards, causal_softmax, causal_softmax_backwards
from dl_exp.engine.cross_entropy import cross_entropy
from dl_exp.engine.embedding import embed, embed_backwards
from dl_exp.engine.gelu import CUBE, gelu, gelu_backwards
from dl_exp.engine.layernorm import EPSILON, layernorm, layernorm_again, layernorm_backwards
from dl_exp.engine.product import K_BLOCK

STEP = 1e-100  # of the complex step: its square is nothing beside 1
SIZES = [(1, 1), (3, 7), (5, 33), (2, 64)]
CLOSE = {"rtol": 1e-11, "atol": 1e-11}  # some hundred operations of 1.1e-16, magnified by no more than a hundred


def slopes(function, x, weight):
    """The derivative of sum(weight * function(x)) by every entry of x."""
    found = np.empty(x.shape)
    for place in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[place] += 1j * STEP
        found[place] = np.sum(weight * function(moved)).imag / STEP
    return found


def agree(found, true):
    np.testing.assert_allclose(found, true, **CLOSE)


def normed(x, g):
    away = x - x.mean(axis=-1, keepdims=True)
    return g * away / np.sqrt((away * away).mean(axis=-1, keepdims=True) + EPSILON)


def gelu_of(x):
    return x / (1 + np.exp(-2 * math.sqrt(2 / math.pi) * (x + CUBE * x**3)))


def attended(qkv, heads, t):
    """(n T, C), head after head, row after row."""
    c = qkv.shape[1] // 3
    d, out = c // heads, np.zeros((len(qkv), c), qkv.dtype)
    for first in range(0, len(qkv), t):
        for h in range(0, c, d):
            q, k, v = (qkv[first : first + t, part + h : part + h + d] for part in (0, c, 2 * c))
            for i in range(t):
                s = (k[: i + 1] @ q[i]) / math.sqrt(d)
                e = np.exp(s - s.real.max())
                out[first + i, h : h + d] = (e / e.sum()) @ v[: i + 1]
    return out


@pytest.mark.parametrize("size", SIZES)
def test_layernorm(size):
    rng = np.random.default_rng(0)
    x, dy, g = 3 + rng.standard_normal(size), rng.standard_normal(size), rng.standard_normal(size[1])
    xhat, y, again, r = np.empty(size), np.empty(size), np.empty(size), np.empty(size[0])
    layernorm(x, g, xhat, r, y)
    agree(y, normed(x, g))
    layernorm_again(xhat, g, again)
    np.testing.assert_array_equal(again, y)
    before = rng.standard_normal(size)
    dx, dg = before.copy(), np.zeros(size[1])
    layernorm_backwards(dy, xhat, r, g, dx, dg)
    agree(dx, before + slopes(lambda x: normed(x, g), x, dy))
    agree(dg, slopes(lambda g: normed(x, g), g, dy))


@pytest.mark.parametrize("size", SIZES)
def test_gelu(size):
    rng = np.random.default_rng(1)
    x, d = 3 * rng.standard_normal(size), rng.standard_normal(size)
    y, again, dx = np.empty(size), np.empty(size), d.copy()
    gelu(x, y)
    agree(y, gelu_of(x))
    gelu_backwards(x, again, dx)
    agree(again, y)
    agree(dx, slopes(gelu_of, x, d))


def test_gelu_far_out():
    """0 on the left though the exponential overflows, x on the right, and what is no number stays so."""
    x = np.array([[-1e4, -40.0, 0.0, 40.0, 1e4, np.nan]], np.float32)
    y, d = np.empty_like(x), np.ones_like(x)
    gelu(x, y)
    np.testing.assert_array_equal(y, np.array([[0, 0, 0, 40, 1e4, np.nan]], np.float32))
    gelu_backwards(x, y, d)
    np.testing.assert_array_equal(d, np.array([[0, 0, 0.5, 1, 1, np.nan]], np.float32))


@pytest.mark.parametrize(("n", "t", "heads", "d"), [(1, 1, 1, 1), (2, 3, 2, 2), (1, 17, 1, 5), (2, 33, 3, 8)])
def test_attention(n, t, heads, d):
    rng = np.random.default_rng(2)
    c = heads * d
    qkv, dy = rng.standard_normal((n * t, 3 * c)), rng.standard_normal((n * t, c))
    p, y, dqkv, ds = np.empty((n * heads, t, t)), np.empty((n * t, c)), np.empty((n * t, 3 * c)), np.empty((t, t))
    panel = np.empty((K_BLOCK, tile.columns(8)))
    attention(qkv, p, y, heads, panel)
    agree(y, attended(qkv, heads, t))
    agree(p.sum(axis=-1), np.ones((n * heads, t)))
    assert not np.triu(p, 1).any(), "it looks ahead"
    attention_backwards(qkv, p, dy, dqkv, heads, ds, panel)
    agree(dqkv, slopes(lambda qkv: attended(qkv, heads, t), qkv, dy))


def test_attention_of_huge_scores():
    """A row's largest score has all of its weight; nothing overflows."""
    s = np.array([[0, 5e8, 1], [1e4, 3e4, 5], [-1e30, 7, 1e20]], np.float32)
    causal_softmax(s, 1)
    np.testing.assert_array_equal(s, np.eye(3, dtype=np.float32))


@pytest.mark.parametrize("size", SIZES)
def test_cross_entropy(size):
    rng = np.random.default_rng(3)
    z, targets = 4 * rng.standard_normal(size), rng.integers(0, size[1], size[0])

    def losses(z):
        return -np.log(np.exp(z[np.arange(size[0]), targets]) / np.exp(z).sum(axis=1))

    d = z.copy()
    assert cross_entropy(d, targets, 7) == pytest.approx(losses(z).sum(), rel=1e-12, abs=1e-12)
    agree(d, slopes(losses, z, np.full(size[0], 1 / 7)))


def test_embedding():
    """A symbol that occurs twice has both gradients."""
    rng = np.random.default_rng(4)
    tokens = np.array([[0, 2, 2], [2, 1, 0]])
    e, positions, dx = rng.standard_normal((4, 5)), rng.standard_normal((3, 5)), rng.standard_normal((6, 5))
    x = np.empty((6, 5))
    embed(tokens, e, positions, x)
    np.testing.assert_array_equal(x.reshape(2, 3, 5), e[tokens] + positions)
    de, dpositions = np.ones((4, 5)), np.ones((3, 5))
    embed_backwards(tokens, dx, de, dpositions)
    expected = np.ones((4, 5))
    np.add.at(expected, tokens.reshape(-1), dx)
    agree(de, expected)
    agree(dpositions, 1 + dx.reshape(2, 3, 5).sum(axis=0))


@pytest.mark.parametrize("n", [1, 7, 64])
def test_adamw_is_the_algorithm(n):
    """Loshchilov and Hutter's box, with its own two corrections; and a weight without a gradient only decays."""
    rng = np.random.default_rng(5)
    c, eta, scale = AdamW(), 0.01, 0.3
    p, g, m, v = rng.standard_normal(n), rng.standard_normal(n), np.zeros(n), np.zeros(n)
    g[0] = 0
    q, mq, vq = p.copy(), m.copy(), v.copy()
    for t in range(1, 6):
        second = math.sqrt(1 - c.beta2**t)
        step = eta * second / (1 - c.beta1**t)
        adamw(p, g, m, v, c.beta1, c.beta2, c.epsilon * second, 1 - eta * c.decay, step, scale)
        mq = c.beta1 * mq + (1 - c.beta1) * scale * g
        vq = c.beta2 * vq + (1 - c.beta2) * (scale * g) ** 2
        q = q - eta * c.decay * q - eta * (mq / (1 - c.beta1**t)) / (np.sqrt(vq / (1 - c.beta2**t)) + c.epsilon)
        agree(p, q)
    assert m[0] == v[0] == 0


def test_sums():
    x, y = np.arange(37.0), np.ones(37)
    add(y, x)
    np.testing.assert_array_equal(y, x + 1)
    assert squared(x) == (x * x).sum()


def test_a_derivative_that_is_slightly_wrong_is_seen():
    """Sabotage: GELU's derivative without the 3 of the cube."""
    x = np.linspace(-2, 2, 9)[None]
    s = 1 / (1 + np.exp(-2 * math.sqrt(2 / math.pi) * (x + CUBE * x**3)))
    wrong = s + x * s * (1 - s) * 2 * math.sqrt(2 / math.pi) * (1 + CUBE * x * x)
    with pytest.raises(AssertionError):
        agree(wrong, slopes(gelu_of, x, 1.0))


def test_the_loops_are_made_of_vectors():
    """LLVM made vector instructions of each; of the tile, multiply-adds on the widest registers."""
    from numba import float32, int32, int64, types

    wide = host_width()
    matrix, row = float32[:, ::1], float32[::1]
    for function, signature in (
        (layernorm, (matrix, row, matrix, row, matrix)),
        (layernorm_backwards, (matrix, matrix, row, row, matrix, row)),
        (gelu, (matrix, matrix)),
        (gelu_backwards, (matrix, matrix, matrix)),
        (causal_softmax, (matrix, int64)),
        (causal_softmax_backwards, (matrix, matrix, int64)),
        (cross_entropy, (matrix, int32[::1], int64)),
        (squared, (row,)),
        (adamw, (row,) * 4 + (types.float64,) * 6),
    ):
        assert vector_width(function, signature) >= wide, function.__name__
