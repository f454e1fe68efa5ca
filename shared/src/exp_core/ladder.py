"""The one flow: make the input, ask who is available, predict, check, time, hold against the limit.

Each stage is a file: ``admission``, ``checking``, ``racing``; what they know and tell one another is a ``run.Run``.
"""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np

from exp_core.admission import admit, make_input, refuse_what_cannot_fit
from exp_core.checking import check_in_time, check_user
from exp_core.loading import load
from exp_core.machine import describe, thread_limit
from exp_core.own import silent
from exp_core.racing import race, unmeasured_in_turns, weigh
from exp_core.request import Request
from exp_core.results import Result
from exp_core.run import Progress, Run
from exp_core.waiting import told_of_waiting
from exp_core.wire import told


def climb(request: Request, progress: Progress = lambda stage, fraction: None) -> Result:
    """Run one ladder.  Ctrl-C ends it early with the rows known so far.  Raises Refused before any work is done."""
    run = Run(request, progress)
    interrupted = False
    try:
        # an overflow on a hard problem is a row of the table, not a warning above it
        with (
            told_of_waiting(run.waiting),
            thread_limit(request.threads) as limit,
            np.errstate(all="ignore"),
            silent() if request.has_own else nullcontext(),
        ):
            progress("making the input", 0.0)
            load(run)
            refuse_what_cannot_fit(run)
            make_input(run)
            admitted = admit(run)
            limit.apply()  # again: Numba and others that the trials have loaded bring pools of their own
            for number, contestant in enumerate(admitted):
                progress(f"checking {contestant.name}", 0.3 + 0.2 * number / len(admitted))
                check_in_time(run, contestant)
            if request.user:
                progress(f"checking {request.user.key}", 0.5)
                check_user(run, request.user)
            remark(run)
            limit.apply()
            race(run, limit)
            weigh(run)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        if request.user:
            request.user.stop()
    return result(run, interrupted)


def remark(run: Run) -> None:
    """Hear what the experiment has to say about this input."""
    if run.request.experiment.remarks is not None:
        run.progress("looking at the input", 0.5)
        try:
            with run.spending.spent_on("remarks"):
                run.remarks = tuple(run.request.experiment.remarks(*run.inputs))
        except Exception as error:  # what is said beside the table must not take the table down
            run.remarks = (f"no remarks: {told(error)}",)


def result(run: Run, interrupted: bool) -> Result:
    """What the run leaves behind."""
    request = run.request
    clock_hz = run.limits.peaks.clock_hz if run.limits else None
    held = {"limits": run.limits.to_dict()} if run.limits else {}
    return Result(
        experiment=request.entry.name,
        package=request.entry.package,
        title=request.entry.title,
        problem=request.problem.name,
        sizes=dict(request.sizes),
        dtype=request.dtype,
        seed=request.seed,
        rows=tuple(run.rows.values()),
        noise_floor=run.comparison.noise_floor if run.comparison else None,
        machine=describe(clock_hz).to_dict() | held,
        cluster=str(request.cluster or ""),
        interrupted=interrupted,
        notes=(*run.remarks, *run.notes, *unmeasured_in_turns(run)),
        processes=request.processes,
        foreign_cores=run.comparison.foreign_cores if run.comparison else None,
    )
