"""Right first: each is run once, and its result is held against every law before anybody is timed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext

from exp_core.checksum import checksum
from exp_core.compiled import compiling_s
from exp_core.contestants import Call, Contestant
from exp_core.experiment import Skip
from exp_core.forms import Form, nearest_difference, same_memory
from exp_core.limits import Work
from exp_core.nests import arrays_in, as_numpy
from exp_core.request import assignment, case
from exp_core.row import Check
from exp_core.run import Run
from exp_core.spending import CALLS, START_UP_S
from exp_core.timing import call_once, seconds_text
from exp_core.timing.lazy import evaluated
from exp_core.user import UserFunction, UserFunctionError
from exp_core.wire import first_sentence, told

VIEW = "it returned a view of its input: who changes the one changes the other; return a copy"


def check_in_time(run: Run, contestant: Contestant) -> None:
    """Check it if there is time for its call and for the laws, which take as long for everybody.

    But for the first: with it is worked out what all are held against.
    """
    prediction, laws = run.predictions[contestant.key], run.spending.on.get("laws", 0.0)
    need = prediction.seconds + (run.laws_s or 0.0)
    if not prediction.tiny and not run.spending.left(need):
        run.amend(contestant.key, reason=str(run.spending.skip(need)))
        return
    with run.spending.free() if contestant.emulated else nullcontext():
        check(run, contestant)
    took = run.spending.on.get("laws", 0.0) - laws
    if run.laws_s is None and took:
        run.laws_s = 0.0
        run.spending.free_s += took
    else:
        run.laws_s = max(run.laws_s or 0.0, took)


def check(run: Run, contestant: Contestant) -> None:
    """Run it once and hold the result against every law; a right one is ready to be timed."""
    before = run.input_sum = checksum(run.inputs) if run.input_sum is None else run.input_sum
    compiled = compiling_s()
    try:
        with run.spending.spent_on("calls"):
            call = contestant.ready(run.inputs)
            result, seconds = call_once(evaluated(call))
    except Exception as error:  # a failing implementation must not take the others down
        run.amend(contestant.key, status="failed", reason=told(error))
        return
    run.amend(contestant.key, first_call_s=run.predictions[contestant.key].start_s + seconds)
    seconds = max(seconds - (compiling_s() - compiled), 0.0)
    if checksum(run.inputs) != before:
        run.amend(contestant.key, status="failed", reason="it changed its input")
        del run.inputs  # the next reader makes a fresh one
        run.input_sum = None
        return
    plain, view = as_numpy(result), same_memory(result, arrays_in(run.inputs))
    if contestant.yours and (odd := odd_form(run, plain, view=view)):
        run.amend(contestant.key, status="wrong", reason=odd)
        return
    with run.spending.spent_on("laws"):
        bounds = run.request.experiment.bounds(contestant.implementation, run.inputs)
    judge(run, contestant.key, plain, bounds, contestant.implementation.unstable)
    if not contestant.yours:  # what it costs is not known
        cost = contestant.implementation.cost(*run.inputs)
        run.amend(contestant.key, flops=cost.flops, bytes=cost.bytes)
        run.works[contestant.key] = Work.of(cost, run.inputs, plain)
    if run.rows[contestant.key].status != "ok":
        return
    if not contestant.yours:
        run.forms.add(Form.of(plain))
        run.views = run.views or view
    if contestant.emulated:
        run.amend(contestant.key, reason=contestant.emulation)
    elif (seconds := believed(run, call, seconds)) * (CALLS - 1) > run.request.budget_s:
        run.amend(contestant.key, reason=str(too_slow_to_time(seconds)))
    else:
        run.racers[contestant.key] = call


def believed(run: Run, call: Call, seconds: float) -> float:
    """Seconds of a call after its first one: that is asked for where the first was slow, as if it had loaded."""
    if (CALLS - 1) * seconds <= run.request.budget_s or seconds > START_UP_S:
        return seconds
    with run.spending.spent_on("calls"):
        return min(seconds, call_once(evaluated(call))[1])


def check_user(run: Run, user: UserFunction) -> None:
    """The same check for the user's function: it must stay under the widest of our own bounds for each law."""
    try:
        user.start(assignment(run.request))
        user.take(case(run.request))
        result, seconds = user.first()
    except UserFunctionError as error:
        run.amend(user.key, status="failed", reason=str(error))
        return
    run.amend(user.key, first_call_s=seconds)
    if odd := odd_form(run, result, view=user.is_view):
        run.amend(user.key, status="wrong", reason=odd)
        return
    experiment, problem = run.request.experiment, run.request.problem.name
    bounds = experiment.widest_bounds(problem, run.inputs)
    judge(run, user.key, result, bounds, {})
    if run.rows[user.key].status == "ok":
        run.racers[user.key] = user
        run.amend(user.key, reason=str(user.printed))


def odd_form(run: Run, result: object, *, view: bool) -> str:
    """What is wrong with a result before any law is asked, held against those that are right; empty if nothing."""
    if odd := nearest_difference(Form.of(result), run.forms):
        return odd
    if view and not run.views:
        return VIEW
    return ""


def judge(run: Run, key: str, result: object, bounds: Mapping[str, float], unstable: Mapping[str, str]) -> None:
    """Hold a result against every law."""
    try:
        truth = run.truth
        with run.spending.spent_on("laws"):
            errors = run.request.experiment.errors(result, run.inputs, truth)
    except Exception as error:  # a result of the wrong shape or type breaks the laws before they can measure it
        run.amend(key, status="wrong", reason=f"its result cannot be judged: {first_sentence(error)}")
        return
    checks = tuple(Check(law, errors[law], bounds[law]) for law in errors)
    run.amend(key, checks=checks)
    if vague := [check.law for check in checks if not math.isfinite(check.bound)]:
        run.amend(key, reason=f"theory promises nothing at this size: no finite bound for {' and '.join(vague)}")
        return
    broken = [check.law for check in checks if not check.holds]
    problem = run.request.problem.name
    if broken and problem in unstable:
        run.amend(key, status="unstable", reason=f"unstable here, as theory says: {unstable[problem]}")
    elif broken:
        run.amend(key, status="wrong", reason=f"error above its bound in {' and '.join(broken)}")
    else:
        truth = () if run.request.experiment.oracle is None else (run.truth,)
        figures = run.request.experiment.figures.items()
        values = {name: float(figure(result, *run.inputs, *truth)) for name, figure in figures}
        run.amend(key, status="ok", reason="", figures=values)


def too_slow_to_time(seconds: float) -> Skip:
    """Why somebody who is right is not timed: a forecast was wrong, or there was none."""
    return Skip(
        f"right, and not timed: a call took {seconds_text(seconds)}, and {CALLS - 1} more do not fit the budget",
        f"--budget {math.ceil(CALLS * seconds)} or smaller sizes would let it race",
    )
