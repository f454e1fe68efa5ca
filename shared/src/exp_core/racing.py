"""The race of those that are right, and what its times say beside the library and the limit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

from exp_core import beneath_mlx
from exp_core.contestants import memory_of
from exp_core.experiment import Skip
from exp_core.findings import fastest, raced, remarks, why_slower
from exp_core.limits import held_against, in_turns, rates_of
from exp_core.machine import (
    DeviceName,
    Limits,
    ThreadLimit,
    device_peaks,
    limits,
    limits_measured_anew,
    out_of_turn,
    pacemakers,
)
from exp_core.memory import collected_once
from exp_core.replicas import race_in_processes
from exp_core.run import Run
from exp_core.timing import Comparison, Interrupted, compare
from exp_core.timing.schedule import fastest_within
from exp_core.user import UserFunction
from exp_core.wire import told

NEAR_LIMIT = 0.1  # of it, from where on it matters when it was measured
MEMORY_BUDGET = 0.05  # of the budget, to call the quickest again and see their memory
MEMORY_CALLS = 6.0  # calls that it takes: Python is some four times slower while each allocation is noted


def race(run: Run, threads: ThreadLimit) -> None:
    """Time those that are right and hold them against the limit, even if it is cut short."""
    if not run.racers:
        return
    run.progress("looking at the machine", 0.5)
    run.limits = limits(run.request.threads)
    run.demands = {
        key: run.works[key].demands(run.limits.peaks, run.request.dtype)
        for key in run.racers
        if key in run.works and run.rows[key].device == "cpu"
    }
    first_calls = {key: run.rows[key].first_call_s or 0.0 for key in run.racers}
    try:
        if run.request.processes > 1:
            _race_in_processes(run, first_calls)
        else:
            _race_here(run, first_calls, threads)
    finally:
        hold_against(run, run.limits)
    if any(row.status == "impossible" and row.device == "cpu" for row in run.rows.values()):
        run.progress("measuring the machine anew", None)
        run.limits = limits_measured_anew(run.limits)
        hold_against(run, run.limits)


def _race_here(run: Run, first_calls: Mapping[str, float], threads: ThreadLimit) -> None:
    """Note what is known even if it is cut short."""
    try:
        with pacemakers(rates_of(run.demands.values()), run.request.threads) as beside:
            threads.apply()  # again: what finds the limits may have brought Numba, and with it a BLAS
            comparison = compare(
                run.racers,
                budget_s=run.spending.race_s(),
                first_calls=first_calls,
                seed=run.request.seed,
                progress=run.timed,
                cold=run.request.cold,
                beside=beside,
            )
    except Interrupted as stop:
        note(run, stop.partial)
        raise KeyboardInterrupt from stop
    note(run, comparison)


def _race_in_processes(run: Run, first_calls: Mapping[str, float]) -> None:
    """The same in fresh processes; what was sent before an interruption is kept."""
    request = replace(run.request, budget_s=run.spending.race_s())
    found = race_in_processes(request, first_calls, run.timed, rates_of(run.demands.values()))
    comparison = found.pooled()
    if comparison is not None:
        note(run, comparison)
    else:
        for key in run.racers:
            run.amend(key, status="failed", reason="no process could time it")
    run.notes = (*found.failures, *run.notes)
    if found.interrupted:
        raise KeyboardInterrupt


def note(run: Run, comparison: Comparison) -> None:
    """Write times, ratios and verdicts into the rows."""
    run.comparison = comparison
    timings = comparison.timings
    for key, timing in timings.items():
        if timing.failure:
            run.amend(key, status="failed", reason=f"while it was timed: {timing.failure}")
        elif timing.samples:
            run.amend(key, median_s=timing.median_s, ci95=timing.ci95)
    for key in timings:
        row = run.rows[key]
        if row.median_s is None:
            continue
        library = fastest_library(run, row.device)
        if library is not None:
            ratio = comparison.ratio(key, library)
            if ratio is not None:
                run.amend(key, ratio_to_library=ratio.value, ratio_ci95=ratio.ci95)
        run.amend(key, race=raced(comparison, key, library, run.rows))
    remarked = remarks(comparison, run.rows, run.request.threads, run.label)
    run.notes = (*remarked, *slow_mlx(run), *why_slower(run.rows, run.request.entry))


def fastest_library(run: Run, device: str) -> str | None:
    """The key of the fastest right library row on a device."""
    return fastest(run.rows, lambda row: row.rung == "library" and row.device == device)


def slow_mlx(run: Run) -> Iterator[str]:
    """One sentence if MLX computes on the CPU with the BLAS that it came with."""
    reason = beneath_mlx.outcome()
    there = any(c.implementation.arrays == "mlx" and c.device == "cpu" for c in run.request.contestants)
    if there and isinstance(reason, Skip):
        yield f"MLX on the CPU computes with the BLAS that it came with: {reason}"


def hold_against(run: Run, limits: Limits) -> None:
    """Hold every row that was timed against the limit of its device."""
    for key, row in run.rows.items():
        if row.median_s is None:
            continue
        peaks = limits.peaks if row.device == "cpu" else device_peaks(cast("DeviceName", row.device))
        if peaks is not None and key in run.works:
            possible = {"status": "ok", "reason": ""} if row.status == "impossible" else {}
            comparison, wanted = run.comparison, run.demands.get(key)
            beside = in_turns(comparison, key, wanted) if comparison and wanted else None
            run.amend(key, **possible | held_against(row, peaks, run.request.dtype, run.works[key], beside))


def unmeasured_in_turns(run: Run) -> Iterator[str]:
    """One sentence if the limit was not measured in turns with rows that come near to it."""
    near = any((row.fraction_of_limit or 0.0) > NEAR_LIMIT for row in run.rows.values() if row.device == "cpu")
    why = out_of_turn(rates_of(run.demands.values())) if near else None
    if why:
        yield f"the limits are of the machine's record, not measured in turns with the rows: {why}"


def weigh(run: Run) -> None:
    """See how much memory a call of the quickest needs: after the race, since freed pages are given back for it."""
    seconds = {key: MEMORY_CALLS * (run.rows[key].median_s or math.inf) for key in run.racers}
    with collected_once():
        for key in fastest_within(seconds, MEMORY_BUDGET * run.request.budget_s):
            call = run.racers[key]
            try:
                memory = call.memory() if isinstance(call, UserFunction) else memory_of(call)
            except Exception as error:  # it was right before, and its times stand
                run.amend(key, reason=f"while its memory was measured: {told(error)}")
            else:
                run.amend(key, peak_memory_bytes=memory.bytes, memory_seen=memory.seen)
