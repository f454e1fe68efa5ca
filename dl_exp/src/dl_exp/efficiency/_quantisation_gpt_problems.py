"""The last product of a GPT of ours whose matrices were all rounded: real weights, and real inputs."""

from __future__ import annotations

import functools
from typing import Annotated

import numpy as np

from dl_exp.efficiency import _quantisation_codes as codes
from dl_exp.efficiency._quantisation_codes import Bits, Group, Rows
from dl_exp.efficiency._quantisation_gpt import Model, rounded
from dl_exp.efficiency._quantisation_trained import our_gpt, our_shape
from dl_exp.engine.shape import unpacked

Steps = Annotated[int, "steps that our GPT is trained for"]


def gpt(rows: Rows = 1024, bits: Bits = 4, group: Group = 32, steps: Steps = 400, *, dtype, rng):
    """The last product of our own GPT, trained in some seconds, with all matrices rounded to nearest."""
    return last_product(rows, bits, group, steps, rng, feedback=False)


def gpt_fed_back(rows: Rows = 1024, bits: Bits = 4, group: Group = 32, steps: Steps = 400, *, dtype, rng):
    """The same GPT with error feedback."""
    return last_product(rows, bits, group, steps, rng, feedback=True)


def learnt(rows, bits, group, steps, *, dtype, rng):
    """Our GPT, trained where it is not kept."""
    codes.check(our_shape().width, bits, group)
    our_gpt(steps, int(rng.integers(2**31)))


def last_product(symbols, bits, group, steps, rng, *, feedback):
    """The inputs of the contract."""
    codes.check(our_shape().width, bits, group)
    seed = int(rng.integers(2**31))
    model = our_model(steps, seed, symbols)
    weights, made = ours_rounded(steps, seed, bits, group, feedback)
    w = unpacked(model.weights, model.shape).tokens
    return model.last_met(weights), *map(np.copy, made), w, model


def our_model(steps, seed, symbols=1):
    """Our GPT, asked for so many symbols."""
    found = our_gpt(steps, seed)
    return Model(found.weights, found.shape, found.corpus, symbols, found.unkept)


@functools.lru_cache(maxsize=4)
def ours_rounded(steps, seed, bits, group, feedback):
    """It is rounded once, however many symbols it is asked for."""
    return rounded(our_model(steps, seed), bits, group, feedback=feedback)
