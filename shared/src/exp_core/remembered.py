"""Answers kept for questions about arrays: ``functools.lru_cache``, where arrays are compared by what is in them.

A cost model that has to count an algorithm's steps runs it; asked again about the same input, it need not.

    @remembered(16)
    def steps(A, b, tolerance): ...
"""

from __future__ import annotations

import functools
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def remembered(most: int) -> Callable[[Callable[Given, Answer]], Callable[Given, Answer]]:
    """Keep the answers to the last ``most`` different questions.

    Arguments are arrays, tuples of arguments, or hashable values; two arrays are the same if dtype, shape and bytes are
    (0.0 and -0.0 are different, a NaN is itself).  Raises TypeError for an argument that is none of these.
    """

    def decorate(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
        answers: OrderedDict[object, Answer] = OrderedDict()

        @functools.wraps(function)
        def asked(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
            question = (_compared(args), tuple((name, _compared(kwargs[name])) for name in sorted(kwargs)))
            if question not in answers:
                answers[question] = function(*args, **kwargs)
                if len(answers) > most:
                    answers.popitem(last=False)
            answers.move_to_end(question)
            return answers[question]

        return asked

    return decorate


def _compared(argument: object) -> object:
    """What stands for an argument: of an array, the digest of its content."""
    if isinstance(argument, tuple):
        return tuple(map(_compared, argument))
    if isinstance(argument, np.ndarray):
        content = hashlib.blake2b(np.ascontiguousarray(argument).reshape(-1).view(np.uint8).data).digest()
        return "array", argument.dtype.str, argument.shape, content
    return type(argument), argument
