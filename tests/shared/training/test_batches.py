"""The order of the data: complete, and a function of seed and step alone."""

import numpy as np
import pytest

from exp_core.training import epochs, windows


@pytest.mark.parametrize(("n", "batch"), [(1, 1), (7, 3), (10, 5), (3, 8)])
def test_every_example_once_an_epoch(n, batch):
    line = epochs(n, batch, 0, range(4 * n)).reshape(-1)
    for epoch in range(len(line) // n):
        assert sorted(line[epoch * n : (epoch + 1) * n]) == list(range(n))


def test_orders_differ_from_epoch_to_epoch_and_from_seed_to_seed():
    line = epochs(50, 10, 0, range(10)).reshape(2, 50)
    assert (line[0] != line[1]).any()
    assert (line[0] != epochs(50, 10, 1, range(5)).reshape(-1)).any()


@pytest.mark.parametrize("order", [lambda steps: epochs(11, 4, 3, steps), lambda steps: windows(40, 8, 4, 3, steps)])
def test_a_step_gets_the_same_wherever_one_begins(order):
    whole = order(range(20))
    for first, last in ((0, 1), (3, 11), (19, 20), (5, 5)):
        np.testing.assert_array_equal(order(range(first, last)), whole[first:last])


def test_windows_reach_both_ends_and_no_further():
    starts = windows(10, 4, 100, 0, range(10))
    assert starts.min() == 0
    assert starts.max() == 6
    assert windows(4, 4, 2, 0, range(1)).max() == 0
    with pytest.raises(ValueError, match="longer text"):
        windows(3, 4, 2, 0, range(1))
