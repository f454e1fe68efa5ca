"""Under which conditions the programme measures, and what it measures: a neighbour process, loops of a known length."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import repeat

HALF_BUSY = """
import time
while True:
    end = time.perf_counter() + 0.02
    while time.perf_counter() < end: pass
    time.sleep(0.02)
"""


@contextmanager
def neighbour():
    """Another process that keeps one core busy half of the time."""
    process = subprocess.Popen([sys.executable, "-c", HALF_BUSY])
    try:
        yield
    finally:
        process.kill()
        process.wait()


WEATHER = {"idle": nullcontext, "loaded": neighbour}


def work(n):
    """Some 5 ns for each of n."""
    for _ in repeat(None, n):
        pass


def unrolled(code, names, times):
    """A loop whose body is the statement so many times, on local variables as in the loop of a sampler."""
    body = times * f"    {code}\n" or "    pass\n"
    source = f"def run(n, now, f, x):\n  t = now()\n  for _ in repeat(None, n):\n{body}  return now() - t"
    scope = {"repeat": repeat}
    exec(source, scope)
    return partial(scope["run"], **names)


TURNS = 4000  # some 20 µs, of which the call itself is 1%
LOOP = "def {name}():\n    for _ in repeat(None, {n}): pass\n"


def pair(n, more=0):
    """Source of two such loops, ``a`` and ``b``, the second so many per cent longer."""
    both = (("a", n), ("b", n * (100 + more) // 100))
    return "from itertools import repeat\n" + "".join(LOOP.format(name=name, n=turns) for name, turns in both)
