"""Answers to questions about arrays: the same content is asked once, other content anew."""

import numpy as np
import pytest

from exp_core.remembered import remembered


def asked(most=8):
    """A function that is remembered, and what it was really called with."""
    calls = []

    @remembered(most)
    def total(*args, **kwargs):
        """A sum."""
        calls.append((args, kwargs))
        return sum(float(np.sum(x)) for x in args if isinstance(x, np.ndarray))

    return total, calls


def test_the_same_content_is_asked_once():
    total, calls = asked()
    x = np.arange(6.0)
    assert total(x) == total(x.copy()) == total(np.repeat(x, 2)[::2]) == 15
    assert len(calls) == 1 and total.__name__ == "total" and total.__doc__ == "A sum."


@pytest.mark.parametrize(
    "other",
    [
        (np.arange(6.0) + np.spacing(1.0),),
        (np.arange(6.0).reshape(2, 3),),
        (np.arange(6.0).view(np.int64),),
        (np.asfortranarray(np.arange(6.0)[:, None] * [1]),),
        (np.arange(6.0), 1),
        ((np.arange(6.0),),),
    ],
)
def test_whatever_differs_is_another_question(other):
    total, calls = asked()
    total(np.arange(6.0))
    total(*other)
    assert len(calls) == 2


def test_values_of_another_type_are_another_question():
    total, calls = asked()
    for value in (1, 1.0, True):
        total(value)
    total(scale=1)
    assert len(calls) == 4


def test_the_array_may_change_afterwards():
    total, calls = asked()
    x = np.zeros(3)
    assert total(x) == 0
    x[0] = 5
    assert total(x) == 5
    assert len(calls) == 2


def test_the_question_not_asked_for_longest_is_forgotten():
    total, calls = asked(most=2)
    for value in (0, 1, 0, 2, 0, 1):
        total(value)
    assert [args for args, _ in calls] == [(0,), (1,), (2,), (1,)]


def test_empty_arrays_and_what_cannot_be_compared():
    total, _ = asked()
    assert total(np.empty((0, 3))) == 0
    with pytest.raises(TypeError, match="unhashable"):
        total([1, 2])
