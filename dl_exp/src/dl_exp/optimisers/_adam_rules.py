"""The rules, each the one before it and one idea more; a rule is a value, its formulas are in ``adam.py``."""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """Which formula, and its numbers: rate $\\alpha$, $\\beta_1$, $\\beta_2$, $\\epsilon$ and decay $\\lambda$."""

    method: str
    rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    decay: float = 0.0


SGD = Rule("sgd", 0.1)
MOMENTUM = Rule("momentum", 0.1)
RMSPROP = Rule("rmsprop", 0.01, beta2=0.99)
ADAM = Rule("adam", 0.01)
ADAMW = Rule("adamw", 0.01, decay=0.01)
RULES = (SGD, MOMENTUM, RMSPROP, ADAM, ADAMW)
METHODS = {"sgd": 0, "momentum": 1, "rmsprop": 2, "adam": 3, "adamw": 3}  # numbers for compiled code and kernels
