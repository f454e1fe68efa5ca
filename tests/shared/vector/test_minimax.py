"""Every digit of the coefficients, computed again; the parts of constants; and that Chebyshev's theorem holds."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

from exp_core.vector import _exp, _log, _sin, minimax

HALF_LN2, ROOT, HALF_PI = math.log(2) / 2, math.sqrt(2), math.pi / 2
LN2 = "0.69314718055994530941723212145817656807550013436026"  # OEIS A002162
PI = "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899"  # OEIS A000796

TABLES = {
    # coefficients, of what, on which interval, in what they are kept, and the largest error that their comments admit
    "EXP32": (_exp.EXP32, minimax.exp_rest, -HALF_LN2, HALF_LN2, np.float32, 2**-29),
    "EXP64": (_exp.EXP64, minimax.exp_rest, -HALF_LN2, HALF_LN2, np.float64, 2**-59),
    "TANH32": (_exp.TANH32, minimax.tanh_rest, 0, 1, np.float32, 2**-29),
    "TANH64": (_exp.TANH64, minimax.tanh_rest, 0, 1, np.float64, 2**-57),
    "LOG32": (_log.LOG32, minimax.log_rest, 0, (ROOT - 1) ** 4, np.float32, 2**-22),
    "LOG64": (_log.LOG64, minimax.log_rest, 0, (ROOT - 1) ** 4, np.float64, 2**-51),
    "SIN32": (_sin.SIN32, minimax.sin_rest, 0, HALF_PI**2, np.float64, 2**-35),
    "SIN64": (_sin.SIN64, minimax.sin_rest, 0, HALF_PI**2, np.float64, 2**-61),
}


@pytest.mark.parametrize("table", TABLES)
def test_the_coefficients_are_these_and_no_others(table):
    written, function, low, high, kept, admitted = TABLES[table]
    computed, error = minimax.minimax(function, low, high, len(written))
    assert written == tuple(float(kept(float(c))) for c in computed)
    assert error < admitted < 2 * error


def test_errors_alternate_and_are_equal():
    """Chebyshev: a polynomial of n terms is the best if its error takes its largest value n + 1 times, signs in turn.

    Of x^5 on [-1, 1] what is left is T5 / 16 = x^5 - 5/4 x^3 + 5/16 x.  Source: Trefethen (2013), theorem 10.1.
    """
    c, error = minimax.minimax(lambda x: x**5, -1, 1, 5)
    assert [float(a) for a in (*c, error)] == pytest.approx([0, -5 / 16, 0, 5 / 4, 0, 1 / 16], abs=1e-15)


def test_ends_of_an_interval_are_taken_as_they_are():
    c, error = minimax.minimax(lambda x: x * x, Fraction(-1, 3), Fraction(1, 3), 2)
    assert [float(a) for a in (*c, error)] == pytest.approx([1 / 18, 0, 1 / 18], abs=1e-17)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ((_exp.HIGH32, _exp.LOW32), LN2),
        ((_exp.HIGH64, _exp.LOW64), LN2),
        ((_sin.P1, _sin.P2, _sin.P3, _sin.P4), PI),
        ((_sin.P1, _sin.REST), PI),
    ],
)
def test_the_parts_of_a_constant_add_up_to_it(parts, whole):
    """All but the last are exact; the last one is rounded to nearest."""
    with localcontext(prec=80):
        rest = Decimal(whole) - sum(map(Decimal, parts[:-1]))
        assert abs(rest - Decimal(parts[-1])) <= Decimal(np.spacing(abs(parts[-1]))) / 2


@pytest.mark.parametrize(("part", "bits"), [(_exp.HIGH32, 24 - 8), (_exp.HIGH64, 53 - 11)])
def test_the_high_part_of_ln2_times_any_power_is_exact(part, bits):
    assert Fraction(part).numerator.bit_length() <= bits


@pytest.mark.parametrize("part", [_sin.P1, _sin.P2, _sin.P3])
def test_parts_of_pi_times_any_half_turn_are_exact(part):
    """k + 1/2 has 22 bits up to the limit of 2^21 half turns."""
    assert Fraction(part).numerator.bit_length() + 22 <= 53
