"""The residual in twice the precision: error-free steps, by rational arithmetic."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from exp_core.tensor._residual import residual, two_product, two_sum

SMALL = st.floats(-1e6, 1e6, allow_nan=False)


@settings(max_examples=30, deadline=None)
@given(a=SMALL, b=SMALL)
def test_error_free_transformations(a, b):
    for operation, exact in ((two_sum, Fraction(a) + Fraction(b)), (two_product, Fraction(a) * Fraction(b))):
        high, low = operation(np.array(a), np.array(b))
        if exact == 0 or abs(exact) > 1e-200:  # else what is lost underflows
            assert Fraction(float(high)) + Fraction(float(low)) == exact


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.sampled_from([1, 3, 8]), m=st.sampled_from([1, 4]))
def test_residual_is_as_if_exact(seed, n, m):
    rng = np.random.default_rng(seed)
    a, x = rng.normal(size=(m, n)), rng.normal(size=(n, 2))
    b = a @ x  # nothing is left but rounding
    exact = [
        [Fraction(b[i, j]) - sum(Fraction(a[i, k]) * Fraction(x[k, j]) for k in range(n)) for j in range(2)]
        for i in range(m)
    ]
    truth = np.array([[float(v) for v in row] for row in exact])
    u = 2.0**-53
    found = residual(a, x, b)
    assert (
        np.abs(found - truth) <= 2 * u * np.abs(truth) + ((n + 2) * u) ** 2 * (np.abs(a) @ np.abs(x) + np.abs(b))
    ).all()
    if n > 1:  # float64 alone has no correct digit here, unless it is lucky with each entry
        assert not (np.abs((b - a @ x) - truth) <= ((n + 2) * u) ** 2 * (np.abs(a) @ np.abs(x))).all()
