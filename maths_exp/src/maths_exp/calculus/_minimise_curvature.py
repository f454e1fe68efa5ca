"""Methods that know or learn the curvature; fg(x) returns the value and the gradient."""

from __future__ import annotations

import math

import numpy as np

from maths_exp.calculus._minimise_compiled import C1

MOST = 4000  # evaluations of one minimisation in Python


def backtrack(fg, x, f, slope, p, alpha, share=C1):
    """Halve the step along p until f falls by a share of what the slope promises (Armijo): N&W algorithm 3.1."""
    for trials in range(1, 60):
        z = x + alpha * p
        value, g = fg(z)
        if value <= f + share * alpha * slope:
            return z, value, g, alpha, trials
        alpha /= 2
    return x, f, None, 0.0, trials


def newton(fg, x, tolerance):
    """Curvature: a jump to the bottom of the parabola; bent upwards where it opens downwards (N&W section 3.4)."""
    (f, g), calls, n = fg(x), 1, x.size
    while np.max(abs(g)) > tolerance and calls < MOST:
        h = 1e-6 * np.maximum(1, abs(x))  # near the root of u: rounding and curvature of g spoil a half each
        H = np.array([(fg(x + h[i] * e)[1] - g) / h[i] for i, e in enumerate(np.eye(n))])
        curvature, V = np.linalg.eigh((H + H.T) / 2)
        p = -V @ ((V.T @ g) / np.maximum(abs(curvature), 1e-12 * np.max(abs(curvature))))
        x, f, g_new, _, trials = backtrack(fg, x, f, g @ p, p, 1.0)
        calls += n + trials
        if g_new is None:
            break
        g = g_new
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
