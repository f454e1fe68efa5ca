"""The bytes of an input, foretold from small ones."""

import numpy as np
import pytest
import toys

from exp_core.footprint import footprint, predict_input


def test_the_input_s_size_follows_each_axis():
    request = toys.request(n=10**9)
    assert predict_input(request.inputs, request.sizes) == pytest.approx(8e9)


def test_the_input_s_size_is_a_sum_of_products():
    def matrices(sizes):
        return (np.zeros((sizes["m"], sizes["k"])), np.zeros((sizes["k"], sizes["n"])), np.zeros(7))

    expected = 8 * (512 * 300 + 300 * 10**9 + 7)
    assert predict_input(matrices, {"m": 512, "k": 300, "n": 10**9}) == pytest.approx(expected, rel=1e-6)
    square = predict_input(lambda sizes: (np.zeros((sizes["n"], sizes["n"])),), {"n": 10**6})
    assert square == pytest.approx(8e12, rel=0.01)


def test_a_cube_s_size_is_foretold_from_small_ones():
    made = []

    def cube(sizes):
        made.append(8 * sizes["n"] ** 3)
        return (np.broadcast_to(0.0, (sizes["n"],) * 3),)  # as many bytes by its shape, but it holds one number

    assert predict_input(cube, {"n": 5000}) == pytest.approx(1e12)
    assert max(made) < 2**24


def test_an_input_in_groups_has_a_size_though_small_ones_are_refused():
    made = []

    def grouped(sizes):
        if sizes["n"] % sizes["group"]:
            raise ValueError("a row has whole groups")
        made.append(sizes["n"] * sizes["rows"])
        whole = np.zeros((sizes["rows"], sizes["n"]), dtype=np.int8)
        return whole, np.zeros((sizes["rows"], sizes["n"] // sizes["group"]))

    sizes = {"rows": 10**6, "n": 10**6, "group": 64}
    assert predict_input(grouped, sizes) == pytest.approx(1e12 * (1 + 8 / 64), rel=1e-3)
    assert max(made) <= 2**18
    assert predict_input(grouped, sizes | {"group": 96}) == 0, "nothing is foretold"


def test_no_input_is_made_that_is_much_larger_than_the_real_one():
    """One of the sizes may be the steps of a training."""
    made = []

    def trained(sizes):
        if sizes["group"] != 32:
            raise ValueError("a group has 32")
        made.append(sizes["steps"])
        return (np.zeros(8),)

    for steps in (100, 400, 5000):
        predict_input(trained, {"group": 32, "steps": steps})
        assert max(made, default=0) <= steps


def test_an_input_of_python_s_objects_has_a_size_too():
    def members(sizes):
        return tuple((float(i), [i]) for i in range(sizes["members"])), 1e-8

    expected = sum(map(footprint, members({"members": 1000}))) / 1000
    assert predict_input(members, {"members": 10**18}) == pytest.approx(1e18 * expected, rel=0.02)
