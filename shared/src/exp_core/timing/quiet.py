"""Wait until the thread pools of the last contestant have stopped spinning.

A pool that has run out of work keeps its threads busy for a while, so that the next piece of work starts sooner:
OpenBLAS for about 0.1 s, libgomp (Numba, scikit-learn) for some 7 ms.  Whoever is timed meanwhile shares the cores with
it: 3x slower was seen.  A spinning thread shows in the process's CPU time, so that a contestant without pools costs
nothing but two looks.
"""

from __future__ import annotations

from exp_core.timing.clock import SYSTEM, Clock

LOOK_S = 0.002  # how long one look takes; two of them span a tick of the scheduler (4 ms), which does the accounting
QUIET = 0.25  # CPU seconds a second below which nobody spins: a spinning thread alone makes it 1.0
PATIENCE_S = 0.25  # some pools never rest (KMP_BLOCKTIME=infinite)


def rest(clock: Clock = SYSTEM) -> float:
    """Sleep until two looks in a row find this process quiet, at most PATIENCE_S; return the seconds that it took."""
    started = clock.now()
    quiet = 0
    while quiet < 2 and clock.now() - started < PATIENCE_S:
        looked, busy = clock.now(), clock.busy()
        clock.sleep(LOOK_S)
        share = (clock.busy() - busy) / max(clock.now() - looked, LOOK_S)
        quiet = quiet + 1 if share < QUIET else 0
    return clock.now() - started
