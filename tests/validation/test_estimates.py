"""What ``compare`` and its peers say about one function: bias, spread over processes, precision in time, and two traps.

hatch run validation:run tests/validation/test_estimates.py

The tables are for reading; asserted is only what ``compare`` itself claims.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import defaultdict
from statistics import median

import numpy as np
import pytest
from scipy.stats import binom
from validation import peers
from validation.conditions import TURNS, pair, unrolled

from exp_core.timing import Stopwatch, compare
from exp_core.timing.clock import SYSTEM

pytestmark = pytest.mark.validation


def test_short_functions(tell):
    """The medians of five answers against the slope of a long loop, which holds neither loop nor clock.

    ``compare`` is held to what test_timing_claims derives; the peers are shown beside it.
    """
    tools = peers.here([name for name in peers.PEERS if name != "pyperf"])
    table, bodies = [], {"no-op": 0, "1 µs": 150, "10 µs": 2000}
    for case, loops in bodies.items():
        source = pair(loops) if loops else "def a(): pass\ndef b(): pass\n"
        f, _ = peers.made(source)
        one, eleven = (unrolled("f()", {"f": f, "x": None}, times) for times in (1, 11))
        n = max(20, int(1e-4 / (one(1000, SYSTEM.now) / 1000)))
        slopes, biases = [], defaultdict(list)
        for seed in range(5):
            for name, ask in tools.items():  # the clock moves within seconds: a slope of its own for each answer
                rounds = [(eleven(n, SYSTEM.now) - one(n, SYSTEM.now)) / (10 * n) for _ in range(30)]
                slopes.append(median(rounds))
                biases[name].append(ask(source, 0.3, seed).a_s / slopes[-1] - 1)
        shown = (f"{100 * median(biases[name]):+.1f}%" for name in tools)
        table.append((case, f"{1e9 * median(slopes):.4g} ns", *shown))
        assert abs(median(biases["exp_core"])) <= 0.1 or case == "no-op"  # its bounds: test_timing_claims
    tell("bias", ("", "slope", *tools), table)


ONE_PROCESS = """
import json, sys
from dataclasses import asdict
from validation import peers
source, names, seed = json.loads(sys.argv[1])
print(json.dumps({name: asdict(peers.PEERS[name](source, 0.3, seed)) for name in names}))
"""


def test_thirty_fresh_processes(tell, request):
    """How far the time of 20 µs, and the ratio of two that differ by 5%, move from one process to the next."""
    tools = list(peers.here([name for name in peers.PEERS if name != "pyperf"]))
    found = defaultdict(list)
    for seed in range(30):
        names = random.Random(seed).sample(tools, len(tools))
        words = [sys.executable, "-c", ONE_PROCESS, json.dumps([pair(TURNS, 5), names, seed])]
        said = subprocess.run(words, check=True, capture_output=True, text=True, cwd=request.config.rootpath / "tests")
        for name, answer in json.loads(said.stdout.splitlines()[-1]).items():
            found[name].append(answer)

    def spread(values):
        return f"{100 * np.std(values, ddof=1) / np.mean(values):.2f}%"

    kinds = ("a_s", "ratio")
    table = [(name, *(spread([answer[kind] for answer in found[name]]) for kind in kinds)) for name in tools]
    middle = median(answer["ratio"] for answer in found["exp_core"])
    held = sum(answer["ci95"][0] <= middle <= answer["ci95"][1] for answer in found["exp_core"])
    title = f"30 processes: coefficient of variation; exp_core's interval of one holds the median of all in {held}"
    tell(title, ("", "of the time", "of the ratio"), table)
    assert held >= binom.ppf(0.001, 30, 0.93)  # the least coverage that is claimed


FIVE = (0, 5, 10, 20, 100)  # per cent more work than the fastest
MOST_S = 5


def test_seconds_until_five_are_known_to_two_per_cent(tell):
    """Those that can be told to stop at a precision are told so; ``compare`` gets budgets that double, all counted."""
    functions = {str(more): peers.made(pair(TURNS, more))[1] for more in FIVE}
    table = []

    watch, budget_s, known = Stopwatch(), 0.1, False
    while not known and budget_s < MOST_S:
        budget_s *= 2
        race = compare(functions, budget_s=budget_s)
        ratios = [race.ratio("0", to=name) for name in functions if name != "0"]
        decided = all(race.verdict(name, to="0") == "slower" for name in functions if name != "0")
        known = decided and all((r.ci95[1] - r.ci95[0]) / 2 <= 0.02 * r.value for r in ratios)
    ordered = sorted(functions, key=lambda name: race.timings[name].median_s) == list(functions)
    table.append(
        ("exp_core", f"{watch.elapsed():.2f} s", "yes" if ordered else "no", "95% interval of each ratio, verdict")
    )
    others = peers.here(["torch", "pytest_benchmark"])

    def by_torch(f):
        from torch.utils.benchmark import Timer

        return Timer("f()", globals={"f": f}).adaptive_autorange(threshold=0.02, max_run_time=MOST_S).median

    def by_pytest(f):
        return peers.pytest_fixture(f, MOST_S, precision=0.02, confidence=0.95).stats.stats.median

    asked = {"torch": (by_torch, "quartiles of each time"), "pytest_benchmark": (by_pytest, "95% of each mean")}
    for name in others:
        ask, what = asked[name]
        watch = Stopwatch()
        times = [ask(f) for f in functions.values()]
        table.append((name, f"{watch.elapsed():.2f} s", "yes" if times == sorted(times) else "no", what))
    tell("five implementations to ±2%", ("", "took", "order right", "what is within ±2%"), table)
    assert known and ordered


COMPILED = """
import numba, numpy as np
def total(x):
    s = 0.0
    for value in x: s += value * value
    return s
x = np.ones(20_000)
cold, warm = numba.njit(cache=False)(total), numba.njit(cache=False)(total)
for _ in range(200): warm(x)
def a(): return warm(x)
def b(): return cold(x)
"""
LAZY = """
import mlx.core as mx
x = mx.ones((256, 256))
mx.eval(x @ x)
def a(): return x @ x
def b():
    y = x @ x
    mx.eval(y)
    return y
"""
TRAPS = {"numba": COMPILED, "mlx": LAZY}


@pytest.mark.parametrize("trap", TRAPS)
def test_traps(trap, tell):
    """Two that take the same time: one is still to be compiled; or one returns a promise, and the other its result."""
    pytest.importorskip(trap)
    tools = peers.here()
    answers = {name: ask(TRAPS[trap], 2.0, 0) for name, ask in tools.items()}
    table = [(name, f"{1e6 * x.a_s:.4g} µs", f"{1e6 * x.b_s:.4g} µs", f"{x.ratio:.3g}") for name, x in answers.items()]
    tell(f"trap: {trap}; the true ratio is 1", ("", "a", "b", "ratio"), table)
    assert abs(answers["exp_core"].ratio - 1) <= 0.02
