"""Methods that know or learn the curvature; fg(x) returns the value and the gradient."""

from __future__ import annotations

import math

import numpy as np

from maths_exp.calculus._minimise_compiled import C1, EPS

MOST = 8000  # evaluations of one minimisation in Python


def backtrack(fg, x, f, slope, p, alpha, share=C1):
    """Halve the step along p until f falls by a share of what the slope promises (Armijo): N&W algorithm 3.1."""
    for trials in range(1, 60):
        z = x + alpha * p
        value, g = fg(z)
        if value <= f + share * alpha * slope:
            return z, value, g, alpha, trials
        alpha /= 2
    return x, f, None, 0.0, trials


def hessian(fg, x, g):
    """The matrix of second derivatives, from n differences of gradients; symmetric."""
    h = 1e-6 * np.maximum(1, abs(x))  # near the root of u: rounding and curvature of g spoil a half each
    H = np.array([(fg(x + h[i] * e)[1] - g) / h[i] for i, e in enumerate(np.eye(x.size))])
    return (H + H.T) / 2


def newton(fg, x, tolerance):
    """Curvature: a jump to the bottom of the parabola; bent upwards where it opens downwards (N&W section 3.4)."""
    (f, g), calls, n = fg(x), 1, x.size
    while np.max(abs(g)) > tolerance and calls < MOST:
        curvature, V = np.linalg.eigh(hessian(fg, x, g))
        p = -V @ ((V.T @ g) / np.maximum(abs(curvature), 1e-12 * np.max(abs(curvature))))
        x, f, g_new, _, trials = backtrack(fg, x, f, g @ p, p, 1.0)
        calls += n + trials
        if g_new is None:
            break
        g = g_new
    return x, calls


def to_border(p, d, radius):
    """How far it is from p along d to the sphere of that radius: the positive root of |p + t d| = radius."""
    a, b, c = d @ d, p @ d, p @ p - radius * radius
    root = math.sqrt(max(0.0, b * b - a * c))
    return -c / (b + root) if b > 0 else (root - b) / a  # the form without cancellation


def steihaug(H, g, radius):
    """Conjugate gradients on the parabola g p + p H p / 2, as far as the sphere: N&W algorithm 7.2."""
    p, r, d = np.zeros_like(g), g, -g
    enough = min(0.5, math.sqrt(math.sqrt(g @ g))) * math.sqrt(g @ g)  # eq. (7.3): superlinear in the end
    for _ in range(2 * g.size):  # n steps in exact arithmetic
        Hd = H @ d
        curvature = d @ Hd
        if curvature <= 0:  # the parabola opens downwards: the further the better
            return p + to_border(p, d, radius) * d
        alpha = (r @ r) / curvature
        if np.linalg.norm(p + alpha * d) >= radius:
            return p + to_border(p, d, radius) * d
        p, r_new = p + alpha * d, r + alpha * Hd
        if math.sqrt(r_new @ r_new) <= enough:
            break
        r, d = r_new, (r_new @ r_new) / (r @ r) * d - r_new
    return p


def reach(x):
    """The first radius: as far as x is from zero, and one at least."""
    return max(1.0, float(np.linalg.norm(x)))


def trust_region(fg, x, tolerance):
    """Newton's parabola, trusted inside a sphere only, which grows while f falls as predicted (N&W algorithm 4.1)."""
    (f, g), calls, n = fg(x), 1, x.size
    H, radius = None, reach(x)
    while np.max(abs(g)) > tolerance and calls < MOST:
        if H is None:
            H, calls = hessian(fg, x, g), calls + n
        p = steihaug(H, g, radius)
        (value, g_new), calls = fg(x + p), calls + 1
        rounding = 10 * EPS * max(1.0, abs(f))  # near the end, f falls by less than this: Conn, Gould, Toint, 17.4.2
        ratio = (f - value + rounding) / (rounding - g @ p - p @ (H @ p) / 2)
        length = float(np.linalg.norm(p))
        if not ratio >= 0.25:  # a value that is no number included
            radius = length / 4
        elif ratio > 0.75 and length > 0.99 * radius:
            radius *= 2
        if ratio > 0.1:
            x, f, g, H = x + p, value, g_new, None
        elif np.array_equal(x + p, x):
            break
    return x, calls


def bfgs(fg, x, tolerance):
    """The inverse of the curvature, learnt: after each step H is changed as little as H y = s allows."""
    (f, g), calls, n = fg(x), 1, x.size
    H = np.eye(n) / max(1.0, math.sqrt(g @ g))
    fresh = True
    while np.max(abs(g)) > tolerance and calls < MOST:
        p = -H @ g
        new, value, g_new, _, trials = backtrack(fg, x, f, g @ p, p, 1.0)
        calls += trials
        if g_new is None:
            if fresh:
                break
            H, fresh = np.eye(n) / max(1.0, math.sqrt(g @ g)), True
            continue
        s, y = new - x, g_new - g
        x, f, g = new, value, g_new
        if (sy := s @ y) > 1e-12 * math.sqrt((s @ s) * (y @ y)):  # without that, H would lose its definiteness
            if fresh:
                H, fresh = np.eye(n) * sy / (y @ y), False  # N&W eq. (6.20)
            Hy = H @ y
            H += (sy + y @ Hy) / sy**2 * np.outer(s, s) - (np.outer(Hy, s) + np.outer(s, Hy)) / sy
        else:  # downhill ever steeper: the step was too short to learn from
            H *= 4
    return x, calls
