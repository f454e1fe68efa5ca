"""What other tools answer about the same two callables, within the same seconds.

A pair is source code that defines ``a`` and ``b``, functions without arguments: some tools measure in processes of
their own, and must make them there.  Every tool is asked as its guide says; what it does not say (an interval, a
verdict) is None, and nothing is made up for it.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from types import SimpleNamespace

from exp_core.timing import call_once, compare
from exp_core.timing.clock import SYSTEM


@dataclass(frozen=True)
class Answer:
    """Seconds a call; how many times longer ``b`` takes, with its 95% interval; whether they are called different."""

    a_s: float
    b_s: float
    ratio: float
    ci95: tuple[float, float] | None = None
    differ: bool | None = None


def made(pair):
    """The two functions of a pair."""
    scope = {}
    exec(pair, scope)
    return scope["a"], scope["b"]


def exp_core(pair, budget_s, seed):
    a, b = made(pair)
    race = compare({"a": a, "b": b}, budget_s=budget_s, seed=seed)
    ratio, differ = race.ratio("a", to="b"), race.verdict("a", to="b") in ("faster", "slower")
    return Answer(race.timings["a"].median_s, race.timings["b"].median_s, ratio.value, ratio.ci95, differ)


def torch_timer(pair, budget_s, seed):
    """Two medians.  Its verdict: ``Compare`` prints no more digits than both quartiles allow; are they different then?

    Source: torch.utils.benchmark, ``Measurement.significant_figures`` and ``Compare.trim_significant_figures``.
    """
    from torch.utils.benchmark import Timer

    found = [Timer("f()", globals={"f": f}).blocked_autorange(min_run_time=budget_s / 2) for f in made(pair)]
    digits = min(m.significant_figures for m in found)
    a, b = (m.median for m in found)
    return Answer(a, b, b / a, differ=f"{a:.{digits}g}" != f"{b:.{digits}g}")


def pytest_benchmark(pair, budget_s, seed, **precise):
    """Two medians and no verdict: how much is a regression must be said to it (``--benchmark-compare-fail``)."""
    a, b = (pytest_fixture(f, budget_s / 2, **precise).stats.stats.median for f in made(pair))
    return Answer(a, b, b / a)


def pytest_fixture(function, seconds, precision=None, confidence=None):
    """Its fixture with the defaults of its command line, after it has measured the function."""
    from pytest_benchmark.fixture import BenchmarkFixture
    from pytest_benchmark.utils import NameWrapper

    silent = SimpleNamespace(debug=lambda *_, **__: None)
    fixture = BenchmarkFixture(
        SimpleNamespace(name="f", nodeid="f"), disable_gc=False, timer=NameWrapper(SYSTEM.now), min_rounds=5,
        min_time=5e-6, max_time=seconds, precision=precision, confidence=confidence, warmup=False, warmup_iterations=0,
        calibration_precision=10, add_stats=lambda _: None, logger=silent, warner=None, disabled=False, cprofile=None,
        cprofile_loops=None, cprofile_dump=None,
    )  # fmt: skip
    fixture(function)
    return fixture


def perfplot(pair, budget_s, seed):
    """Two minima: it draws curves, and neither intervals nor verdicts."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    import perfplot

    found = perfplot.bench(
        setup=lambda n: (), kernels=list(made(pair)), labels=["a", "b"], n_range=[1], equality_check=None,
        target_time_per_measurement=budget_s / 2, show_progress=False,
    )  # fmt: skip
    a, b = (float(t) for t in found.timings_s[:, 0])
    return Answer(a, b, b / a)


def pyperf(pair, budget_s, seed):
    """Fresh processes for each, one after the other; then Student's t-test of ``compare_to``.

    Every process costs its start and an import; as many are run as it was seen to need for three values of 0.1 s each.
    """
    processes = max(2, round(budget_s / 2 / 0.6))  # a process: 0.2 s to start, a warm-up and three values
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder, name)) for name in ("a", "b")]
        for name, file in zip("ab", files, strict=True):
            quick = ["--quiet", "-p", str(processes), "-n", "3", "-w", "1", "--min-time", "0.05", "--name", "f"]
            _run([sys.executable, "-m", "pyperf", "timeit", *quick, "-o", file, "-s", pair, f"{name}()"])
        said = _run([sys.executable, "-m", "pyperf", "compare_to", *files])
        import pyperf

        a, b = (pyperf.Benchmark.load(file).mean() for file in files)
    return Answer(a, b, b / a, differ="not significant" not in said.lower())


PEERS = {
    "exp_core": exp_core,
    "torch": torch_timer,
    "pytest_benchmark": pytest_benchmark,
    "perfplot": perfplot,
    "pyperf": pyperf,
}


def here(names=tuple(PEERS)):
    """Those of the peers that are installed."""
    return {name: PEERS[name] for name in names if importlib.util.find_spec(name)}


def absent():
    """The names of those that are not."""
    tools = [name for name in PEERS if not importlib.util.find_spec(name)]
    return tools + ([] if shutil.which("hyperfine") else ["hyperfine"])


def commands_by_exp_core(a, b, budget_s, seed):
    """Two commands (lists of words) by ``compare``."""
    race = compare({"a": lambda: _run(a), "b": lambda: _run(b)}, budget_s=budget_s, seed=seed)
    ratio, differ = race.ratio("a", to="b"), race.verdict("a", to="b") in ("faster", "slower")
    return Answer(race.timings["a"].median_s, race.timings["b"].median_s, ratio.value, ratio.ci95, differ)


def commands_by_hyperfine(a, b, budget_s, seed):
    """The same by hyperfine, without a shell; the verdict is that of its own script, Welch's t-test at 5%."""
    from scipy.stats import ttest_ind

    _, seconds = call_once(_run, a)
    runs = max(2, round(budget_s / 2 / seconds) - 1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "found.json")
        words = [shlex.join(command) for command in (a, b)]
        _run(["hyperfine", "-N", "--style", "none", "-w", "1", "-r", str(runs), "--export-json", str(file), *words])
        a_s, b_s = (result["times"] for result in json.loads(file.read_text())["results"])
    p = ttest_ind(a_s, b_s, equal_var=False).pvalue
    return Answer(median(a_s), median(b_s), mean(b_s) / mean(a_s), differ=bool(p < 0.05))


def _run(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
