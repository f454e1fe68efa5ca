"""ode: the laws of the tableaus, in exact fractions where they are fractions, and the orders that they promise."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from maths_exp.calculus import _ode_dop853 as dop853
from maths_exp.calculus import _ode_tableaus as dp5
from maths_exp.calculus._ode_compiled import evaluate, polynomial
from maths_exp.calculus._ode_dormand_prince import dense
from maths_exp.calculus._ode_reference import kepler_orbit
from maths_exp.calculus._ode_systems import kepler


@cache
def trees(order):
    """Rooted trees with that many nodes, each the sorted tuple of its branches: 1, 1, 2, 4, 9, 20, 48, 115, ..."""
    return sorted(forests(order - 1, order - 1))


@cache
def forests(nodes, largest):
    """Multisets of trees with that many nodes in all, none with more than largest nodes."""
    if nodes == 0:
        return {()}
    return {
        tuple(sorted((tree, *rest)))
        for size in range(1, min(nodes, largest) + 1)
        for tree in trees(size)
        for rest in forests(nodes - size, size)
    }


def size(tree):
    return 1 + sum(map(size, tree))


def density(tree):
    """Gamma: the product of the sizes of all subtrees (Hairer, Nørsett, Wanner I, definition II.2.10)."""
    return size(tree) * math.prod(map(density, tree))


def inner(tree, a):
    """For each stage the product over the branches of sum_j a_ij (that of the branch, at j): the elementary weights."""
    stages = range(len(a))
    product = [1] * len(a)
    for branch in tree:
        of_branch = inner(branch, a)
        product = [product[i] * sum(w * x for w, x in zip(a[i], of_branch, strict=False)) for i in stages]
    return product


def defects(a, b, order, theta=1):
    """sum_i b_i inner_i - theta^size / density of all trees up to an order: all zero if it has that order (II.2.13)."""
    all_trees = [tree for nodes in range(1, order + 1) for tree in trees(nodes)]
    conditions = ((inner(tree, a), theta ** size(tree), density(tree)) for tree in all_trees)
    return [sum(w * x for w, x in zip(b, xs, strict=False)) - power / gamma for xs, power, gamma in conditions]


def weights(theta, y1, first, last, correction):
    return dense(theta, 1, Fraction(0), y1, Fraction(first), Fraction(last), correction)


THIRDS = [Fraction(1, 3), Fraction(1, 2), Fraction(6, 7), Fraction(1)]


def test_number_of_trees():
    """Cayley's numbers: the conditions below are all there are."""
    assert [len(trees(n)) for n in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]


def test_dormand_prince_in_exact_fractions():
    """Rows sum to c; order 5, the second result 4, dense output 4 at any theta; and no order more than claimed."""
    assert tuple(map(sum, dp5.A)) == dp5.C
    assert not any(defects(dp5.A, dp5.B, 5))
    assert not any(defects(dp5.A, dp5.B_HAT, 4))
    assert any(defects(dp5.A, dp5.B, 6))
    assert any(defects(dp5.A, dp5.B_HAT, 5))
    for theta in THIRDS:
        b = [weights(theta, dp5.B[i], i == 0, i == 6, dp5.D[i]) for i in range(7)]
        assert not any(defects(dp5.A, b, 4, theta))


def test_a_wrong_entry_is_seen():
    """Each entry of the tableau and of the dense output matters: changed in the last digit, some condition fails."""
    for s, row in enumerate(dp5.A):
        for i, entry in enumerate(row):
            wrong = [list(r) for r in dp5.A]
            wrong[s][i] = entry + Fraction(1, 10**6)
            b = [*wrong[6], Fraction(0)]
            assert tuple(map(sum, wrong)) != dp5.C
            assert any(defects(wrong, b, 5))
    for i in range(7):
        wrong = [d + Fraction(i == j, 10**6) for j, d in enumerate(dp5.D)]
        b = [weights(THIRDS[0], dp5.B[j], j == 0, j == 6, wrong[j]) for j in range(7)]
        assert any(defects(dp5.A, b, 4, THIRDS[0]))


def test_dop853_meets_all_200_conditions():
    """In floats: order 8, the estimates' orders 5 and 3, dense output 7; the entries have 16 digits."""
    tableau = dop853.DOP853
    np.testing.assert_allclose(tableau.a.sum(axis=1), tableau.c, atol=2e-15)
    b = tableau.a[12]
    assert np.max(np.abs(defects(tableau.a, b, 8))) < 1e-14
    assert np.max(np.abs(defects(tableau.a, b, 9))) > 1e-6
    for e, order in zip(tableau.e, (5, 3), strict=True):
        embedded = b - np.append(e, [0, 0, 0])
        assert np.max(np.abs(defects(tableau.a, embedded, order))) < 1e-14
        assert np.max(np.abs(defects(tableau.a, embedded, order + 1))) > 1e-6
    for theta in (1 / 3, 0.8):
        assert np.max(np.abs(defects(tableau.a, dense_weights(tableau, theta), 7, theta))) < 1e-13


def dense_weights(tableau, theta):
    """The weight of each k in the dense output: unit slopes put through the solver's own polynomial."""
    s, rows = tableau.e.shape[1] - 1, len(tableau.c)
    r, y = np.zeros((4 + len(tableau.d), rows)), np.empty(rows)
    polynomial.py_func(1.0, np.zeros(rows), tableau.a[s], s, tableau.d, np.eye(rows), r)
    evaluate.py_func(r, theta, y)
    return y


def step(tableau, b, y, h):
    """One step of a planet by the tableau with weights b."""
    k = np.zeros((len(tableau.c), y.size))
    for s in range(len(tableau.c)):
        k[s] = kepler(0, y + h * (tableau.a[s] @ k))
    return y + h * (b @ k)


def local_order(tableau, b, longest, theta=1.0):
    """How the error of one step falls with its length, less one."""
    lengths = longest / np.sqrt(2.0) ** np.arange(5)
    start = kepler_orbit(np.zeros(1), 0.2)[0]
    errors = [np.linalg.norm(step(tableau, b, start, h) - kepler_orbit(np.array([theta * h]), 0.2)[0]) for h in lengths]
    return np.polyfit(np.log(lengths), np.log(errors), 1)[0] - 1


def test_measured_orders():
    """Dormand-Prince's result 5 and its dense output 4, DOP853's 8 and 7; half an order of slack for the next term."""
    for tableau, order, longest in ((dp5.DORMAND_PRINCE, 5, 0.1), (dop853.DOP853, 8, 0.4)):
        b = tableau.a[tableau.e.shape[1] - 1]
        assert local_order(tableau, b, longest) == pytest.approx(order, abs=0.5)
        for theta in (0.3, 0.6):
            assert local_order(tableau, dense_weights(tableau, theta), longest, theta) == pytest.approx(
                order - 1, abs=0.5
            )


def test_a_wrong_entry_lowers_the_measured_order():
    """One part in a hundred off in a[3, 1], and the order falls below 3."""
    a = dp5.DORMAND_PRINCE.a.copy()
    a[3, 1] *= 1.01
    assert local_order(dp5.DORMAND_PRINCE._replace(a=a), a[6], 0.1) < 3
