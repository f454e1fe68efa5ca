"""The squared kernel distance: without bias, its error, its value where that is known, and what it says of digits."""

import itertools
import math

import numpy as np
import pytest

from dl_exp.generative import _diffusion_kernel as kernels
from dl_exp.generative._diffusion_distance import fitted_gaussian
from dl_exp.generative._diffusion_kernel import Estimate, gaussian_kernel, squared_kernel_distance
from exp_core.tensor import gamma

NEAR = gaussian_kernel(0.5)


def with_themselves(x, y, kernel):
    """The biased one: every point is paired with itself as well."""
    return kernel(x, x).mean() + kernel(y, y).mean() - 2 * kernel(x, y).mean()


def expected(estimate, p, q, atoms, m, n):
    """The mean over all samples of m and n points that there are, each as probable as it is."""
    total = 0.0
    for first in itertools.product(range(len(atoms)), repeat=m):
        for second in itertools.product(range(len(atoms)), repeat=n):
            total += (
                math.prod(p[list(first)]) * math.prod(q[list(second)]) * estimate(atoms[[*first]], atoms[[*second]])
            )
    return total


def test_there_is_no_bias():
    """Of all samples of two laws on three points the mean is the distance itself, but for rounding."""
    atoms, p, q = np.array([[0.0], [0.7], [2.0]]), np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.1, 0.3])
    gram = NEAR(atoms, atoms)
    exact = (p - q) @ gram @ (p - q)
    samples = 3 ** (3 + 4)
    bound = gamma(100 + samples, "float64") * 4  # four means of kernels up to 1
    found = expected(lambda x, y: squared_kernel_distance(x, y, NEAR).value, p, q, atoms, 3, 4)
    assert abs(found - exact) <= bound
    biased = expected(lambda x, y: with_themselves(x, y, NEAR), p, q, atoms, 3, 4)
    # k(x, x) = 1 in place of what two points have, in one of m pairs and one of n
    assert biased - exact == pytest.approx((1 - p @ gram @ p) / 3 + (1 - q @ gram @ q) / 4, rel=1e-9)
    assert biased - exact > bound


def test_two_halves_of_a_cloud_are_nowhere_apart():
    """Over splits of one cloud the mean is exactly 0: that of some hundred is within 5 of its standard errors."""
    rng, splits = np.random.default_rng(0), 300
    cloud = rng.standard_normal((40, 3))
    kernel, both = gaussian_kernel(1.0), []
    for _ in range(splits):
        order = rng.permutation(40)
        x, y = cloud[order[:20]], cloud[order[20:]]
        both.append((squared_kernel_distance(x, y, kernel).value, with_themselves(x, y, kernel)))
    mean, error = np.mean(both, axis=0), np.std(both, axis=0) / math.sqrt(splits)
    assert abs(mean[0]) <= 5 * error[0]
    assert abs(mean[1]) > 5 * error[1], "the biased one"


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_the_error_is_that_of_many_clouds(shift):
    """Efron and Stein (1981): the jackknife's variance is the true one or more, up to twice where pairs are all.

    The variance of K numbers is known within a part of 5 sqrt(2 / K) (normal; for heavier tails twice that is allowed);
    clouds of n - 1 vary by n / (n - 1) squared as much.
    """
    rng, many, n = np.random.default_rng(1), 400, 30
    kernel = gaussian_kernel(1.0)
    found = [
        squared_kernel_distance(rng.standard_normal((n, 2)), shift + rng.standard_normal((n + 9, 2)), kernel)
        for _ in range(many)
    ]
    true, told = np.var([each.value for each in found]), np.mean([each.error**2 for each in found])
    slack = 1 + 10 * math.sqrt(2 / many)
    assert true / slack <= told <= 2 * true * slack * (n / (n - 1)) ** 2
    assert not true / slack <= told / n <= 2 * true * slack, "a forgotten factor would be seen"


def test_the_distance_of_two_normal_laws_is_known():
    """In one dimension $E k = \\sqrt{v / (v + 2)} e^{-\\mu^2 / 2 (v + 2)}$, v the kernel's variance; 6 errors."""
    rng, v, mu, n = np.random.default_rng(2), 0.7, 0.8, 2000
    exact = 2 * math.sqrt(v / (v + 2)) * (1 - math.exp(-(mu**2) / (2 * (v + 2))))
    found = squared_kernel_distance(rng.standard_normal((n, 1)), mu + rng.standard_normal((n, 1)), gaussian_kernel(v))
    assert abs(found.value - exact) <= 6 * found.error
    assert found.error < exact / 6, "else it would say nothing"


@pytest.mark.parametrize(("m", "n"), [(3, 3), (3, 17), (31, 7)])
def test_clouds_may_be_of_any_sizes_but_for_the_smallest(m, n):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((m, 2)).astype(np.float32), rng.standard_normal((n, 2)).astype(np.float32)
    there, back = squared_kernel_distance(x, y, NEAR), squared_kernel_distance(y, x, NEAR)
    assert there == pytest.approx(back, rel=1e-12)
    assert squared_kernel_distance(x, 1e30 + y, NEAR).value > there.value, "nothing overflows"
    for few in (0, 1, 2):
        with pytest.raises(ValueError, match="three in each"):
            squared_kernel_distance(x[:few], y, NEAR)


def test_the_same_point_again_and_again_is_no_cloud():
    """k = 1 within, and across too: 0, without an error."""
    x = np.ones((5, 2))
    assert squared_kernel_distance(x, x[:4], NEAR) == pytest.approx(Estimate(0.0, 0.0), abs=gamma(100, "float64") * 4)


def test_the_most_telling_kernel_has_the_width_of_what_differs():
    """A narrow kernel tells clouds apart that differ in the fine alone, a wide one those that differ in place."""
    rng, n = np.random.default_rng(0), 200
    coarse = rng.integers(0, 8, (n, 1)) * 1.0
    grid, smooth = coarse + 0.01 * rng.standard_normal((n, 1)), 8 * rng.random((n, 1)) - 0.5

    def reach(x, y):
        """What the chosen kernel makes of a distance of 1."""
        return float(kernels.most_telling(x, y)(np.zeros((1, 1)), np.ones((1, 1)))[0, 0])

    assert reach(grid, smooth) < reach(smooth, smooth + 3)


def test_of_digits_it_says_what_it_should_where_the_cubic_kernel_is_blind():
    """Chosen by this, not by what it says of samples: real digits are at 0, what is not like them is not.

    Real: those that were learnt from, each once.  By heart: drawn from them, again and again.
    """
    pytest.importorskip("sklearn", reason="the digits come with it")
    from dl_exp.data import read_digits

    examples, rng = read_digits(), np.random.default_rng(3)
    x, held_out = 2 * examples.x - 1, 2 * examples.held_out_x - 1
    n = 3 * len(held_out)
    clouds = {
        "real": rng.permutation(x)[:n],
        "by heart": x[rng.integers(0, len(x), n)],
        "gaussian": fitted_gaussian(x, n, rng),
        "pale": 0.9 * rng.permutation(x)[:n],
        "two at once": (rng.permutation(x)[:n] + rng.permutation(x)[:n]) / 2,
    }
    found = {name: kernels.between_digits(cloud, held_out) for name, cloud in clouds.items()}
    assert abs(found["real"].value) <= 3 * found["real"].error
    assert found["gaussian"].value > 8 * found["gaussian"].error
    assert found["by heart"].value < found["gaussian"].value / 5
    for spoilt in ("pale", "two at once"):
        assert found[spoilt].value > 3 * found[spoilt].error, spoilt

    see = kernels.features()

    def cubic(x, y):
        """Of KID: Binkowski et al. (2018)."""
        return (x @ y.T / x.shape[1] + 1) ** 3

    blind = squared_kernel_distance(see(clouds["gaussian"]), see(held_out), cubic)
    assert abs(blind.value) <= 3 * blind.error
