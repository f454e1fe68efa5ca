"""The one flow: make the input, ask who is available, predict, check, time, hold against the limit."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import cast

import numpy as np

from exp_core import beneath_mlx
from exp_core.case import Case
from exp_core.compiled import compiling_s
from exp_core.contestants import Call, Contestant, arrays_in, as_numpy, memory_of
from exp_core.experiment import Inputs, Skip
from exp_core.findings import fastest, raced, remarks, why_slower
from exp_core.footprint import predict_input
from exp_core.forms import Form, nearest_difference, same_memory
from exp_core.limits import Work, held_against, in_turns, rates_of
from exp_core.machine import (
    DeviceName,
    Limits,
    Rate,
    ThreadLimit,
    available_memory,
    describe,
    device_peaks,
    limits,
    limits_measured_anew,
    out_of_turn,
    pacemakers,
    thread_limit,
)
from exp_core.own import silent
from exp_core.prediction import Prediction, predict_call, predict_oracle
from exp_core.refusal import Refused
from exp_core.replicas import race_in_processes
from exp_core.request import Request
from exp_core.results import Result, label
from exp_core.row import Check, Row
from exp_core.spending import START_UP_S, Spending
from exp_core.timing import Comparison, Interrupted, call_once, compare, seconds_text
from exp_core.timing.lazy import evaluated
from exp_core.timing.schedule import fastest_within
from exp_core.trials import LONGEST_TRIAL_S, Trials, predict_making
from exp_core.user import Assignment, UserFunction, UserFunctionError
from exp_core.waiting import told_of_waiting
from exp_core.wire import told

CALLS = 4  # calls that a contestant costs at least: the check, and three rounds of timing
MEMORY_SHARE = 0.7  # of the available memory, the part that a run may plan to use
LEAST_PATIENCE_S = 2.0  # what the input and the reference answer may take, however small the budget is
VIEW = "it returned a view of its input: who changes the one changes the other; return a copy"
NEAR_LIMIT = 0.1  # of it, from where on it matters when it was measured
NOT_YET = "interrupted before its turn"
MEMORY_BUDGET = 0.05  # of the budget, to call the quickest again and see their memory
MEMORY_CALLS = 6.0  # calls that it takes: Python is some four times slower while each allocation is noted

Progress = Callable[[str, float | None], None]


@dataclass
class Ladder:
    """A run in progress: the rows so far, and what is needed to finish them."""

    request: Request
    progress: Progress
    rows: dict[str, Row] = field(default_factory=dict)
    racers: dict[str, Call | UserFunction] = field(default_factory=dict)
    predictions: dict[str, Prediction] = field(default_factory=dict)
    laws_s: float | None = None
    comparison: Comparison | None = None
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    limits: Limits | None = None
    works: dict[str, Work] = field(default_factory=dict)
    demands: dict[str, Mapping[Rate, float]] = field(default_factory=dict)
    forms: set[Form] = field(default_factory=set)
    views: bool = False
    sum: int | None = None

    def __post_init__(self) -> None:
        self.spending = Spending(self.request.budget_s)
        for contestant in self.request.contestants:
            self.rows[contestant.key] = Row(
                contestant.name,
                contestant.rung,
                title=contestant.implementation.title or ("your own" if contestant.yours else ""),
                device=contestant.device,
                threads=self.request.threads_of(contestant),
                reason=NOT_YET,
                emulated=contestant.emulated,
            )
        if user := self.request.user:
            self.rows[user.key] = Row(user.key, "yours", title="your own", threads=self.request.threads, reason=NOT_YET)

    @cached_property
    def inputs(self) -> Inputs:
        """The input, made once and shared."""
        return self.request.inputs()

    @cached_property
    def truth(self) -> object:
        """The oracle's answer."""
        oracle = self.request.experiment.oracle
        with self.spending.spent_on("the reference answer"):
            return None if oracle is None else oracle(*self.inputs)

    def waiting(self, doing: str) -> None:
        """Say what the first run waits for, and mostly no later one."""
        self.progress(doing, None)

    def remark(self) -> None:
        """Hear what the experiment has to say about this input."""
        if self.request.experiment.remarks is not None:
            self.progress("looking at the input", 0.5)
            try:
                self.remarks = tuple(self.request.experiment.remarks(*self.inputs))
            except Exception as error:  # what is said beside the table must not take the table down
                self.remarks = (f"no remarks: {told(error)}",)

    @cached_property
    def trials(self) -> Trials:
        """The same problem at smaller sizes; all that is tried with them takes about as long as the budget at most."""
        request = self.request
        longest_s = min(LONGEST_TRIAL_S, request.budget_s / (2 * max(len(request.contestants), 1)))
        return Trials(request.inputs, request.sizes, longest_s)

    @property
    def patience_s(self) -> float:
        """What the input, and the reference answer, may take: the race's budget is not touched by them."""
        return max(self.request.budget_s, LEAST_PATIENCE_S)

    def make_input(self) -> None:
        """Make the input before anything else.

        Raises Refused if the problem does not allow such sizes, or would take far longer than the budget.
        """
        with self.spending.spent_on("making the input"):
            seconds = predict_making(self.trials, self.patience_s)
            if seconds > self.patience_s:
                raise Refused(
                    f"at these sizes making the input alone would take some {seconds_text(seconds)}: "
                    f"choose smaller sizes, or --budget {math.ceil(seconds)}"
                )
            try:
                assert self.inputs is not None
            except ValueError as error:
                raise Refused(f"{self.request.problem.name}: {first_sentence(error)}") from error

    def refuse_a_slow_oracle(self) -> None:
        """Raise Refused if holding results against the oracle would take longer than the budget."""
        seconds = predict_oracle(self.request.experiment, self.trials, self.inputs).seconds
        if seconds > self.patience_s:
            raise Refused(
                f"at these sizes the reference answer alone would take some {seconds_text(seconds)}: "
                f"choose smaller sizes, or --budget {math.ceil(seconds)}"
            )

    def amend(self, key: str, **changes: object) -> None:
        """Replace a row by one that knows more."""
        self.rows[key] = replace(self.rows[key], **changes)  # type: ignore[arg-type]

    def admit(self) -> list[Contestant]:
        """Those who can run here, on this input, within the budget and the memory; the others' rows say why not."""
        request = self.request
        calls: dict[str, float] = {}  # seconds that its calls need at least
        admitted: list[Contestant] = []
        with self.spending.spent_on("trials"):
            self.refuse_a_slow_oracle()
        # the last first, the library and the best of ours: where the time ends, it is the loops that miss it
        for number, contestant in enumerate(reversed(request.contestants)):
            self.progress(f"trying {contestant.name}", 0.3 * number / len(request.contestants))
            counted = contestant.implementation.counted
            skip = contestant.unavailable(request.experiment, request.dtype, request.entry.package)
            skip = skip or (None if counted else contestant.unsuited(self.inputs))
            if not skip and contestant.emulated:  # slow and not timed: the emulator has a limit of its own
                prediction = Prediction(memory=contestant.implementation.cost(*self.inputs).memory, tiny=True)
            elif not skip and not self.spending.left(request.budget_s / CALLS):  # the checks take as much
                skip = self.spending.skip()
            elif not skip:
                prediction = self.tried(contestant)
            skip = skip or too_large(prediction.memory)
            if skip:
                self.amend(contestant.key, reason=str(skip))
                continue
            calls[contestant.key] = (CALLS + counted) * prediction.seconds
            self.predictions[contestant.key] = prediction
            admitted.append(contestant)
        left = request.budget_s / request.processes
        # the library first, since all others are held against it; then the cheapest, since so more of them fit
        for contestant in sorted(admitted, key=lambda c: (c.rung != "library", calls[c.key])):
            need = calls[contestant.key]
            if need > left:
                skip = too_slow(need, CALLS + contestant.implementation.counted, left, request.budget_s)
            else:  # a counted one was not asked before
                skip = contestant.unsuited(self.inputs) if contestant.implementation.counted else None
            if skip:
                self.amend(contestant.key, reason=str(skip))
                admitted.remove(contestant)
            else:
                left -= need
        return [contestant for contestant in request.contestants if contestant in admitted]

    def tried(self, contestant: Contestant) -> Prediction:
        """What a call of it is foretold to take, from trials; what they load and compile is no part of the budget."""
        compiled = compiling_s()
        with self.spending.spent_on("trials"):
            prediction = predict_call(contestant, self.trials, self.inputs)
        self.spending.free_s += max(prediction.start_s - (compiling_s() - compiled), 0.0)
        return prediction

    def check(self, contestant: Contestant) -> None:
        """Run it once and hold the result against every law; a right one is ready to be timed."""
        before = self.sum = checksum(self.inputs) if self.sum is None else self.sum
        compiled = compiling_s()
        try:
            with self.spending.spent_on("calls"):
                call = contestant.ready(self.inputs)
                result, seconds = call_once(evaluated(call))
        except Exception as error:  # a failing implementation must not take the others down
            self.amend(contestant.key, status="failed", reason=told(error))
            return
        self.amend(contestant.key, first_call_s=self.predictions[contestant.key].start_s + seconds)
        seconds = max(seconds - (compiling_s() - compiled), 0.0)
        if checksum(self.inputs) != before:
            self.amend(contestant.key, status="failed", reason="it changed its input")
            del self.inputs  # the next reader makes a fresh one
            self.sum = None
            return
        plain, view = as_numpy(result), same_memory(result, arrays_in(self.inputs))
        if contestant.yours and (odd := self.odd_form(plain, view=view)):
            self.amend(contestant.key, status="wrong", reason=odd)
            return
        with self.spending.spent_on("laws"):
            bounds = self.request.experiment.bounds(contestant.implementation, self.inputs)
        self.judge(contestant.key, plain, bounds, contestant.implementation.unstable)
        if not contestant.yours:  # what it costs is not known
            cost = contestant.implementation.cost(*self.inputs)
            self.amend(contestant.key, flops=cost.flops, bytes=cost.bytes)
            self.works[contestant.key] = Work.of(cost, self.inputs, plain)
        if self.rows[contestant.key].status != "ok":
            return
        if not contestant.yours:
            self.forms.add(Form.of(plain))
            self.views = self.views or view
        if contestant.emulated:
            self.amend(contestant.key, reason=contestant.emulation)
        elif (seconds := self.believed(call, seconds)) * (CALLS - 1) > self.request.budget_s:
            self.amend(contestant.key, reason=str(too_slow_to_time(seconds)))
        else:
            self.racers[contestant.key] = call

    def believed(self, call: Call, seconds: float) -> float:
        """Seconds of a call after its first one: that is asked for where the first was slow, as if it had loaded."""
        if (CALLS - 1) * seconds <= self.request.budget_s or seconds > START_UP_S:
            return seconds
        with self.spending.spent_on("calls"):
            return min(seconds, call_once(evaluated(call))[1])

    def check_in_time(self, contestant: Contestant) -> None:
        """Check it if there is time for its call and for the laws, which take as long for everybody.

        But for the first: with it is worked out what all are held against.
        """
        prediction, laws = self.predictions[contestant.key], self.spending.on.get("laws", 0.0)
        need = prediction.seconds + (self.laws_s or 0.0)
        if not prediction.tiny and not self.spending.left(need):
            self.amend(contestant.key, reason=str(self.spending.skip(need)))
            return
        with self.spending.free() if contestant.emulated else nullcontext():
            self.check(contestant)
        took = self.spending.on.get("laws", 0.0) - laws
        if self.laws_s is None and took:
            self.laws_s = 0.0
            self.spending.free_s += took
        else:
            self.laws_s = max(self.laws_s or 0.0, took)

    def judge(self, key: str, result: object, bounds: Mapping[str, float], unstable: Mapping[str, str]) -> None:
        """Hold a result against every law."""
        try:
            truth = self.truth
            with self.spending.spent_on("laws"):
                errors = self.request.experiment.errors(result, self.inputs, truth)
        except Exception as error:  # a result of the wrong shape or type breaks the laws before they can measure it
            self.amend(key, status="wrong", reason=f"its result cannot be judged: {first_sentence(error)}")
            return
        checks = tuple(Check(law, errors[law], bounds[law]) for law in errors)
        self.amend(key, checks=checks)
        if vague := [check.law for check in checks if not math.isfinite(check.bound)]:
            self.amend(key, reason=f"theory promises nothing at this size: no finite bound for {' and '.join(vague)}")
            return
        broken = [check.law for check in checks if not check.holds]
        problem = self.request.problem.name
        if broken and problem in unstable:
            self.amend(key, status="unstable", reason=f"unstable here, as theory says: {unstable[problem]}")
        elif broken:
            self.amend(key, status="wrong", reason=f"error above its bound in {' and '.join(broken)}")
        else:
            truth = () if self.request.experiment.oracle is None else (self.truth,)
            figures = self.request.experiment.figures.items()
            values = {name: float(figure(result, *self.inputs, *truth)) for name, figure in figures}
            self.amend(key, status="ok", reason="", figures=values)

    def check_user(self, user: UserFunction) -> None:
        """The same check for the user's function: it must stay under the widest of our own bounds for each law."""
        try:
            user.start(assignment(self.request))
            user.take(case(self.request))
            result, seconds = user.first()
        except UserFunctionError as error:
            self.amend(user.key, status="failed", reason=str(error))
            return
        self.amend(user.key, first_call_s=seconds)
        if odd := self.odd_form(result, view=user.is_view):
            self.amend(user.key, status="wrong", reason=odd)
            return
        experiment, problem = self.request.experiment, self.request.problem.name
        bounds = experiment.widest_bounds(problem, self.inputs)
        self.judge(user.key, result, bounds, {})
        if self.rows[user.key].status == "ok":
            self.racers[user.key] = user
            self.amend(user.key, reason=str(user.printed))

    def odd_form(self, result: object, *, view: bool) -> str:
        """What is wrong with a result before any law is asked, held against those that are right; empty if nothing."""
        if odd := nearest_difference(Form.of(result), self.forms):
            return odd
        if view and not self.views:
            return VIEW
        return ""

    def race(self, threads: ThreadLimit) -> None:
        """Time those that are right and hold them against the limit, even if it is cut short."""
        if not self.racers:
            return
        self.progress("looking at the machine", 0.5)
        self.limits = limits(self.request.threads)
        self.demands = {
            key: self.works[key].demands(self.limits.peaks, self.request.dtype)
            for key in self.racers
            if key in self.works and self.rows[key].device == "cpu"
        }
        first_calls = {key: self.rows[key].first_call_s or 0.0 for key in self.racers}
        try:
            if self.request.processes > 1:
                self._race_in_processes(first_calls)
            else:
                self._race_here(first_calls, threads)
        finally:
            self.hold_against(self.limits)
        if any(row.status == "impossible" and row.device == "cpu" for row in self.rows.values()):
            self.progress("measuring the machine anew", None)
            self.limits = limits_measured_anew(self.limits)
            self.hold_against(self.limits)

    def _race_here(self, first_calls: Mapping[str, float], threads: ThreadLimit) -> None:
        """Note what is known even if it is cut short."""
        try:
            with pacemakers(rates_of(self.demands.values()), self.request.threads) as beside:
                threads.apply()  # again: what finds the limits may have brought Numba, and with it a BLAS
                comparison = compare(
                    self.racers,
                    budget_s=self.spending.race_s(),
                    first_calls=first_calls,
                    seed=self.request.seed,
                    progress=self._timed,
                    cold=self.request.cold,
                    beside=beside,
                )
        except Interrupted as stop:
            self.note(stop.partial)
            raise KeyboardInterrupt from stop
        self.note(comparison)

    def _race_in_processes(self, first_calls: Mapping[str, float]) -> None:
        """The same in fresh processes; what was sent before an interruption is kept."""
        request = replace(self.request, budget_s=self.spending.race_s())
        found = race_in_processes(request, first_calls, self._timed, rates_of(self.demands.values()))
        comparison = found.pooled()
        if comparison is not None:
            self.note(comparison)
        else:
            for key in self.racers:
                self.amend(key, status="failed", reason="no process could time it")
        self.notes = (*found.failures, *self.notes)
        if found.interrupted:
            raise KeyboardInterrupt

    def weigh(self) -> None:
        """See how much memory a call of the quickest needs: after the race, since freed pages are given back for it."""
        seconds = {key: MEMORY_CALLS * (self.rows[key].median_s or math.inf) for key in self.racers}
        for key in fastest_within(seconds, MEMORY_BUDGET * self.request.budget_s):
            call = self.racers[key]
            try:
                memory = call.memory() if isinstance(call, UserFunction) else memory_of(call)
            except Exception as error:  # it was right before, and its times stand
                self.amend(key, reason=f"while its memory was measured: {told(error)}")
            else:
                self.amend(key, peak_memory_bytes=memory.bytes, memory_seen=memory.seen)

    def _timed(self, part: float) -> None:
        self.progress("timing", 0.5 + 0.5 * part)

    def note(self, comparison: Comparison) -> None:
        """Write times, ratios and verdicts into the rows."""
        self.comparison = comparison
        timings = comparison.timings
        for key, timing in timings.items():
            if timing.failure:
                self.amend(key, status="failed", reason=f"while it was timed: {timing.failure}")
            elif timing.samples:
                self.amend(key, median_s=timing.median_s, ci95=timing.ci95)
        for key in timings:
            row = self.rows[key]
            if row.median_s is None:
                continue
            library = self.fastest_library(row.device)
            if library is not None:
                ratio = comparison.ratio(key, library)
                if ratio is not None:
                    self.amend(key, ratio_to_library=ratio.value, ratio_ci95=ratio.ci95)
            self.amend(key, race=raced(comparison, key, library, self.rows))
        remarked = remarks(comparison, self.rows, self.request.threads, self.label)
        self.notes = (*remarked, *self.slow_mlx(), *why_slower(self.rows, self.request.entry))

    def slow_mlx(self) -> Iterator[str]:
        """One sentence if MLX computes on the CPU with the BLAS that it came with."""
        reason = beneath_mlx.outcome()
        there = any(c.implementation.arrays == "mlx" and c.device == "cpu" for c in self.request.contestants)
        if there and isinstance(reason, Skip):
            yield f"MLX on the CPU computes with the BLAS that it came with: {reason}"

    def out_of_turn(self) -> Iterator[str]:
        """One sentence if the limit was not measured in turns with rows that come near to it."""
        near = any((row.fraction_of_limit or 0.0) > NEAR_LIMIT for row in self.rows.values() if row.device == "cpu")
        why = out_of_turn(rates_of(self.demands.values())) if near else None
        if why:
            yield f"the limits are of the machine's record, not measured in turns with the rows: {why}"

    def label(self, key: str) -> str:
        """How a row is called below the table."""
        return label(self.rows[key], self.rows.values())

    def hold_against(self, limits: Limits) -> None:
        """Hold every row that was timed against the limit of its device."""
        for key, row in self.rows.items():
            if row.median_s is None:
                continue
            peaks = limits.peaks if row.device == "cpu" else device_peaks(cast("DeviceName", row.device))
            if peaks is not None and key in self.works:
                possible = {"status": "ok", "reason": ""} if row.status == "impossible" else {}
                race, wanted = self.comparison, self.demands.get(key)
                raced = in_turns(race, key, wanted) if race and wanted else None
                self.amend(key, **possible | held_against(row, peaks, self.request.dtype, self.works[key], raced))

    def fastest_library(self, device: str) -> str | None:
        """The key of the fastest right library row on a device."""
        return fastest(self.rows, lambda row: row.rung == "library" and row.device == device)

    def result(self, interrupted: bool) -> Result:
        """What the run leaves behind."""
        request = self.request
        clock_hz = self.limits.peaks.clock_hz if self.limits else None
        held = {"limits": self.limits.to_dict()} if self.limits else {}
        return Result(
            experiment=request.entry.name,
            package=request.entry.package,
            title=request.entry.title,
            problem=request.problem.name,
            sizes=dict(request.sizes),
            dtype=request.dtype,
            seed=request.seed,
            rows=tuple(self.rows.values()),
            noise_floor=self.comparison.noise_floor if self.comparison else None,
            machine=describe(clock_hz).to_dict() | held,
            cluster=str(request.cluster or ""),
            interrupted=interrupted,
            notes=(*self.remarks, *self.notes, *self.out_of_turn()),
            processes=request.processes,
            foreign_cores=self.comparison.foreign_cores if self.comparison else None,
        )


def climb(request: Request, progress: Progress = lambda stage, fraction: None) -> Result:
    """Run one ladder.  Ctrl-C ends it early with the rows known so far.  Raises Refused before any work is done."""
    refuse_what_cannot_fit(request)
    ladder = Ladder(request, progress)
    interrupted = False
    try:
        # an overflow on a hard problem is a row of the table, not a warning above it
        with (
            told_of_waiting(ladder.waiting),
            thread_limit(request.threads) as limit,
            np.errstate(all="ignore"),
            silent() if request.has_own else nullcontext(),
        ):
            progress("making the input", 0.0)
            ladder.make_input()
            admitted = ladder.admit()
            limit.apply()  # again: Numba and others that the trials have loaded bring pools of their own
            for number, contestant in enumerate(admitted):
                progress(f"checking {contestant.name}", 0.3 + 0.2 * number / len(admitted))
                ladder.check_in_time(contestant)
            if request.user:
                progress(f"checking {request.user.key}", 0.5)
                ladder.check_user(request.user)
            ladder.remark()
            limit.apply()
            ladder.race(limit)
            ladder.weigh()
    except KeyboardInterrupt:
        interrupted = True
    finally:
        if request.user:
            request.user.stop()
    return ladder.result(interrupted)


def assignment(request: Request) -> Assignment:
    """What the process of the user's function is told."""
    assert request.user is not None
    return Assignment(
        file=str(request.user.path),
        function=request.user.name,
        module=request.entry.module,
        threads=request.threads,
        memory_bytes=int(MEMORY_SHARE * available_memory()),
    )


def case(request: Request) -> Case:
    """Which input the ladder has."""
    return Case(request.problem.name, dict(request.sizes), request.dtype, request.seed)


def refuse_what_cannot_fit(request: Request) -> None:
    """Raise Refused, naming the sizes, if the input alone would not fit into the free memory."""
    need, free = predict_input(request.inputs, request.sizes), available_memory()
    if need > MEMORY_SHARE * free:
        sizes = " ".join(f"--{name} {value}" for name, value in request.sizes.items())
        raise Refused(
            f"{sizes} makes an input of {need / 1e9:,.1f} GB, and {free / 1e9:.1f} GB are free: choose smaller sizes"
        )


def too_large(need: float) -> Skip | None:
    """Why so many bytes of working storage are too many here; None if there is room."""
    free = available_memory()
    if need <= MEMORY_SHARE * free:
        return None
    return Skip(
        f"would need {need / 1e9:.1f} GB of working storage, and {free / 1e9:.1f} GB are free",
        "choose smaller sizes",
    )


def too_slow(need: float, calls: int, left: float, budget: float) -> Skip:
    """The prediction as a reason, with what would make room for it."""
    return Skip(
        f"predicted {seconds_text(need / calls)} a call, {calls} calls at least; "
        f"{seconds_text(max(left, 0.0))} of the budget are left",
        f"--budget {math.ceil(max(2 * budget, budget + need - left))} or smaller sizes would admit it",
    )


def too_slow_to_time(seconds: float) -> Skip:
    """Why somebody who is right is not timed: a forecast was wrong, or there was none."""
    return Skip(
        f"right, and not timed: a call took {seconds_text(seconds)}, and {CALLS - 1} more do not fit the budget",
        f"--budget {math.ceil(CALLS * seconds)} or smaller sizes would let it race",
    )


def checksum(inputs: Inputs) -> int:
    """Changes when any array of the input changes."""
    total = 0
    for array in arrays_in(inputs):
        total = zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data, total)
    return total


def first_sentence(error: BaseException) -> str:
    """The first line of an error's message."""
    return str(error).strip().partition("\n")[0] or "no message"
