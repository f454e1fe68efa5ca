"""``compare`` beside what a user would pick instead: the same callables, the same seconds, idle and beside a neighbour.

hatch run validation:run tests/validation/test_peers.py

Each part takes less than four minutes.  The tables are for reading; asserted is only what ``compare`` itself claims.
"""

from __future__ import annotations

import random
import shutil
import sys
from collections import defaultdict
from statistics import median, stdev

import numpy as np
import pytest
from scipy.stats import binom, binomtest
from validation import peers
from validation.conditions import TURNS, WEATHER, pair

from exp_core.timing import call_once

pytestmark = pytest.mark.validation


def duel(tools, trials, effects=(0, 5)):
    """Each tool's answers and seconds, by tool and effect.  Who asks first is random: weather hits all alike."""
    found = defaultdict(list)
    for seed in range(trials):
        asked = [(name, effect) for name in tools for effect in effects]
        random.Random(seed).shuffle(asked)
        for name, effect in asked:
            found[name, effect].append(call_once(tools[name], effect, seed))
    return found


def share(count, trials):
    """A rate with its exact 95% interval (Clopper, Pearson, Biometrika 26 (1934)), in per cent."""
    low, high = binomtest(count, trials).proportion_ci()
    return f"{count}/{trials} ({100 * low:.0f}-{100 * high:.0f}%)"


def rows(found, tools):
    """Per tool: verdicts where there is nothing and where there is 5%, the gaps that it showed, and seconds a pair."""
    for name in tools:
        same, more = ([answer for answer, _ in found[name, effect]] for effect in (0, 5))
        told = [share(sum(a.differ for a in part), len(part)) if part[0].differ is not None else "no verdict"
                for part in (same, more)]  # fmt: skip
        gap = np.quantile([abs(np.log(a.ratio)) for a in same], 0.95)
        ratios = [a.ratio for a in more]
        took = median(seconds for _, seconds in found[name, 0])
        yield name, *told, f"{100 * gap:.2f}%", f"{median(ratios):.4f}", f"{stdev(ratios):.4f}", f"{took:.2f} s"


HEADINGS = ("", "equal: told apart", "5% more: found", "gap of equals, 95%", "ratio at 5%", "its scatter", "a pair")


def assert_our_level(found):
    """At most 5% of equals are told apart: more than this happens once in 1000."""
    verdicts = [answer.differ for answer, _ in found["exp_core", 0]]
    assert sum(verdicts) <= binom.ppf(0.999, len(verdicts), 0.05)


@pytest.mark.parametrize("weather", WEATHER)
def test_equals_and_five_per_cent_in_half_a_second(weather, tell):
    """Those that measure in this process.  pyperf cannot start its processes in that time."""
    tools = peers.here([name for name in peers.PEERS if name != "pyperf"])
    asked = {name: lambda more, seed, ask=ask: ask(pair(TURNS, more), 0.5, seed) for name, ask in tools.items()}
    with WEATHER[weather]():
        found = duel(asked, trials=20)
    tell(f"20 µs, 0.5 s a pair, {weather}", HEADINGS, list(rows(found, tools)))
    assert_our_level(found)


@pytest.mark.parametrize("weather", WEATHER)
def test_equals_and_five_per_cent_in_four_seconds(weather, tell):
    """With pyperf, which needs them for its processes."""
    tools = peers.here(["exp_core", "pyperf"])
    asked = {name: lambda more, seed, ask=ask: ask(pair(TURNS, more), 4.0, seed) for name, ask in tools.items()}
    with WEATHER[weather]():
        found = duel(asked, trials=6)
    tell(f"20 µs, 4 s a pair, {weather}", HEADINGS, list(rows(found, tools)))
    assert_our_level(found)


@pytest.mark.parametrize("weather", WEATHER)
def test_two_commands(weather, tell):
    """hyperfine's own task: a process that starts (some 20 ms) and loops for as long again."""
    tools = {"exp_core": peers.commands_by_exp_core}
    if shutil.which("hyperfine"):
        tools["hyperfine"] = peers.commands_by_hyperfine

    def command(turns):
        return [sys.executable, "-I", "-S", "-c", f"for _ in range({turns}): pass"]

    asked = {
        name: lambda more, seed, ask=ask: ask(command(10**6), command(10**4 * (100 + more)), 2.0, seed)
        for name, ask in tools.items()
    }
    with WEATHER[weather]():
        found = duel(asked, trials=8)
    tell(f"two commands, 2 s a pair, {weather}", HEADINGS, list(rows(found, tools)))
    assert_our_level(found)
