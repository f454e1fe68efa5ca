"""Who gets in: the input is made, and whoever cannot run on it, here and within the budget, is told why."""

from __future__ import annotations

import math

from exp_core.compiled import compiling_s
from exp_core.contestants import Contestant
from exp_core.experiment import Skip
from exp_core.footprint import predict_input
from exp_core.machine import MEMORY_SHARE, available_memory
from exp_core.prediction import Prediction, predict_call, predict_oracle
from exp_core.refusal import Refused
from exp_core.request import Request
from exp_core.run import Run
from exp_core.spending import CALLS
from exp_core.timing import seconds_text
from exp_core.trials import predict_making, predict_peak
from exp_core.wire import first_sentence

LARGE_INPUT = 1 / 20  # of the free memory: what is smaller may take many times its own while it is made
LEAST_PATIENCE_S = 2.0  # what the input and the reference answer may take, however small the budget is


def refuse_what_cannot_fit(run: Run) -> None:
    """Raise Refused, naming the sizes, if the input alone would not fit into the free memory."""
    with run.spending.free():  # the very first input of all may load a library
        need = predict_input(run.request.inputs, run.request.sizes, run.request.problem.fixed)
    refuse_if_too_large(run.request, "makes an input of", need)


def refuse_if_too_large(request: Request, what: str, need: float) -> None:
    """Raise Refused, naming the sizes, if so many bytes do not fit into the free memory."""
    free = available_memory()
    if need > MEMORY_SHARE * free:
        sizes = " ".join(f"--{name} {value}" for name, value in request.sizes.items())
        raise Refused(f"{sizes} {what} {need / 1e9:,.1f} GB, and {free / 1e9:.1f} GB are free: choose smaller sizes")


def make_input(run: Run) -> None:
    """Make the input before anything else.

    Raises Refused if the problem does not allow such sizes, or if making it would take longer than the budget, or more
    memory than there is.
    """
    compiled = compiling_s()
    with run.spending.spent_on("making the input"):
        refuse_if_too_slow(run, "making the input", predict_making(run.trials, patience_s(run)))
        run.spending.starting(run.trials.start_s, compiled)
        if run.trials.making.bytes_at(0) > LARGE_INPUT * available_memory():
            refuse_if_too_large(run.request, "makes its input in", predict_peak(run.trials))
        try:
            assert run.inputs is not None
        except ValueError as error:
            raise Refused(f"{run.request.problem.name}: {first_sentence(error)}") from error


def refuse_if_too_slow(run: Run, what: str, seconds: float) -> None:
    """Raise Refused if what comes before everybody's race would take longer than the budget."""
    if seconds > patience_s(run):
        raise Refused(
            f"at these sizes {what} alone would take some {seconds_text(seconds)}: "
            f"choose smaller sizes, or --budget {math.ceil(seconds)}"
        )


def patience_s(run: Run) -> float:
    """What the input, and the reference answer, may take: the race's budget is not touched by them."""
    return max(run.request.budget_s, LEAST_PATIENCE_S)


def admit(run: Run) -> list[Contestant]:
    """Those who can run here, on this input, within the budget and the memory; the others' rows say why not."""
    request = run.request
    calls: dict[str, float] = {}  # seconds that its calls need at least
    admitted: list[Contestant] = []
    with run.spending.spent_on("trials"):
        oracle = predict_oracle(request.experiment, run.trials, run.inputs, patience_s(run))
        refuse_if_too_slow(run, "the reference answer", oracle.seconds)
    # the last first, the library and the best of ours: where the time ends, it is the loops that miss it
    for number, contestant in enumerate(reversed(request.contestants)):
        run.progress(f"trying {contestant.name}", 0.3 * number / len(request.contestants))
        counted = contestant.implementation.counted
        skip = contestant.unavailable(request.experiment, request.dtype, request.entry.package)
        skip = skip or (None if counted else contestant.unsuited(run.inputs))
        if not skip and contestant.emulated:  # slow and not timed: the emulator has a limit of its own
            prediction = Prediction(memory=contestant.implementation.cost(*run.inputs).memory, tiny=True)
        elif not skip and not run.spending.left(request.budget_s / CALLS):  # the checks take as much
            skip = run.spending.skip()
        elif not skip:
            prediction = tried(run, contestant)
        skip = skip or too_large(prediction.memory)
        if skip:
            run.amend(contestant.key, reason=str(skip))
            continue
        calls[contestant.key] = (CALLS + counted) * prediction.seconds
        run.predictions[contestant.key] = prediction
        admitted.append(contestant)
    left = request.budget_s / request.processes
    # the library first, since all others are held against it; then the cheapest, since so more of them fit
    for contestant in sorted(admitted, key=lambda c: (c.rung != "library", calls[c.key])):
        need = calls[contestant.key]
        if need > left:
            skip = too_slow(need, CALLS + contestant.implementation.counted, left, request.budget_s)
        else:  # a counted one was not asked before
            skip = contestant.unsuited(run.inputs) if contestant.implementation.counted else None
        if skip:
            run.amend(contestant.key, reason=str(skip))
            admitted.remove(contestant)
        else:
            left -= need
    return [contestant for contestant in request.contestants if contestant in admitted]


def tried(run: Run, contestant: Contestant) -> Prediction:
    """What a call of it is foretold to take, from trials; what they load and compile is no part of the budget."""
    compiled = compiling_s()
    with run.spending.spent_on("trials"):
        prediction = predict_call(contestant, run.trials, run.inputs)
    run.spending.starting(prediction.start_s, compiled)
    return prediction


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
