"""The three systems, as a reader would write them: f(t, y) is the tuple of the derivatives of y.

Every method here, from plain Python to compiled code and the library, solves these very functions.
"""

from __future__ import annotations

from math import sqrt

import numpy as np


def kepler(t, y):
    """A planet and a fixed sun, in the plane: y = (x, y, their velocities); the attraction is 1/r²."""
    r2 = y[0] * y[0] + y[1] * y[1]
    c = -1.0 / (r2 * sqrt(r2))
    return y[2], y[3], c * y[0], c * y[1]


def lorenz(t, y):
    """Convection between two plates (Lorenz 1963): neighbours part like e^(0.9 t), and yet stay on one butterfly."""
    return (
        10.0 * (y[1] - y[0]),
        y[0] * (28.0 - y[2]) - y[1],
        y[0] * y[1] - 8.0 / 3.0 * y[2],
    )


def three_bodies(t, y):
    """Masses 3, 4 and 5 in the plane under their gravity: y = (three positions, three velocities)."""
    x12, y12, x23, y23, x31, y31 = y[2] - y[0], y[3] - y[1], y[4] - y[2], y[5] - y[3], y[0] - y[4], y[1] - y[5]
    r12, r23, r31 = x12 * x12 + y12 * y12, x23 * x23 + y23 * y23, x31 * x31 + y31 * y31  # squared distances
    c12, c23, c31 = 1.0 / (r12 * sqrt(r12)), 1.0 / (r23 * sqrt(r23)), 1.0 / (r31 * sqrt(r31))
    x12, y12, x23, y23, x31, y31 = x12 * c12, y12 * c12, x23 * c23, y23 * c23, x31 * c31, y31 * c31
    return (
        *(y[6], y[7], y[8], y[9], y[10], y[11]),
        *(4.0 * x12 - 5.0 * x31, 4.0 * y12 - 5.0 * y31),
        *(5.0 * x23 - 3.0 * x12, 5.0 * y23 - 3.0 * y12),
        *(3.0 * x31 - 4.0 * x23, 3.0 * y31 - 4.0 * y23),
    )


# f             flops of one evaluation, counted above; a division and a square root count 1
FLOPS = {
    kepler: 3 + 3 + 2,
    lorenz: 2 + 3 + 3,
    three_bodies: 3 * (2 + 3 + 3 + 2) + 3 * 6,
}
# Those of the form q'' = a(q), with y = (q, q'): what leapfrog is made for.
SECOND_ORDER = (kepler, three_bodies)
# f             masses of what moves; pairs that attract (None: the fixed sun) with the product of their masses
BODIES = {
    kepler: ((1.0,), ((0, None, 1.0),)),
    three_bodies: ((3.0, 4.0, 5.0), ((0, 1, 12.0), (1, 2, 20.0), (2, 0, 15.0))),
}


def energy(f, states, slack=0.0):
    """Kinetic and potential energy of each row of states; with slack, of greater speeds and of lesser distances."""
    masses, pairs = BODIES[f]
    positions, velocities = states.reshape(len(states), 2, -1, 2).swapaxes(0, 1)  # each (times, bodies, 2)
    kinetic = sum(m / 2 * (np.hypot(*velocities[:, i].T) + slack) ** 2 for i, m in enumerate(masses))
    potential = 0.0
    with np.errstate(divide="ignore"):
        for i, j, product in pairs:
            separation = positions[:, i] if j is None else positions[:, i] - positions[:, j]
            potential = potential - product / np.maximum(np.hypot(*separation.T) - slack, 0.0)
    return kinetic, potential
