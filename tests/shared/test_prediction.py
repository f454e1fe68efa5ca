"""Forecasts from small trials: right where the work is work, never far too low, and not fooled by overhead."""

import dataclasses
import time

import numpy as np
import pytest
import toys

from exp_core import Cost, Implementation, growth, prediction, trials
from exp_core.contestants import Contestant
from exp_core.growth import slope
from exp_core.ladder import climb
from exp_core.prediction import predict_call, predict_oracle
from exp_core.refusal import Refused
from exp_core.remembered import remembered
from exp_core.trials import LONGEST_TRIAL_S, Trials


def clocked_by(monkeypatch, fake):
    """Seconds of calls as ``fake(call, *arguments) -> result, seconds`` has them."""
    for module in (prediction, trials, growth):
        monkeypatch.setattr(module, "call_once", fake)


def predicted(monkeypatch, seconds_of, n=2**20, preparing=lambda n: 0.0):
    """The forecast for the toy at size n, where a call on x takes ``seconds_of(x.size)`` by a fake clock."""
    contestant = Contestant(toys.make(toys.doubled))
    largest = []

    def fake(call, *arguments):
        result = call(*arguments)
        if isinstance(result, tuple):  # an input was made
            return result, 0.0
        if callable(result):  # it was prepared
            return result, preparing(result().size)
        largest.append(result.size)
        return None, seconds_of(result.size)

    clocked_by(monkeypatch, fake)
    request = toys.request(n=n)
    trials = Trials(request.inputs, request.sizes)
    return predict_call(contestant, trials, request.inputs()).seconds, max(largest)


def test_work_is_scaled_up(monkeypatch):
    seconds, largest = predicted(monkeypatch, lambda n: 1e-5 * n)
    assert seconds == pytest.approx(1e-5 * 2**20, rel=0.05)
    assert 1e-5 * largest <= LONGEST_TRIAL_S, "no trial may be long itself"


def test_what_is_prepared_before_a_call_is_not_scaled_up_for_ever(monkeypatch):
    """A short call whose arguments take a millisecond an element to make: a second of that is enough."""
    seconds, largest = predicted(monkeypatch, lambda n: 1e-8 * n, preparing=lambda n: 1e-3 * n)
    assert 1e-3 * largest <= 2 * prediction.LONGEST_PREPARATION_S
    assert seconds == pytest.approx(1e-8 * 2**20, rel=0.05)


def test_overhead_is_not(monkeypatch):
    seconds, _ = predicted(monkeypatch, lambda n: 0.05 + 1e-9 * n)
    assert seconds < 0.5, "fifty milliseconds of overhead are not fifty seconds of work"


def test_it_errs_upwards(monkeypatch):
    seconds, _ = predicted(monkeypatch, lambda n: 1e-3 + 1e-6 * n)
    assert seconds >= 1e-6 * 2**20


def disturbed(at, calls, seconds):
    """A clock on which an element takes a nanosecond, and so many calls at one size all the seconds."""
    left = [calls]

    def seconds_of(n):
        if n == at and left[0]:
            left[0] -= 1
            return seconds
        return 1e-9 * n

    return seconds_of


@pytest.mark.parametrize("at", [2**3, 2**12, 2**19], ids=["the first", "one between", "the last"])
@pytest.mark.parametrize(("calls", "seconds"), [(4, 0.04), (3, 0.2), (3, 2.0)])
def test_a_disturbed_trial_is_made_again_before_it_rules_anybody_out(monkeypatch, at, calls, seconds):
    """The first call and all that follow at once meet a pool that sleeps, or a neighbour."""
    foretold, largest = predicted(monkeypatch, disturbed(at, calls, seconds))
    assert foretold < LONGEST_TRIAL_S, "a millisecond"
    assert largest == 2**19, "the trials go on"


def test_a_disturbed_trial_that_is_believed_is_seen_by_the_same_check(monkeypatch):
    monkeypatch.setattr(growth, "quickest", lambda call, seconds, again_s, least: seconds)
    foretold, largest = predicted(monkeypatch, disturbed(2**12, 2, 0.2))
    assert foretold > 1 and largest == 2**12


def test_what_is_slow_is_not_made_again_for_ever(monkeypatch):
    made = []

    def slowly(n):
        made.append(1e-5 * n)
        return made[-1]

    predicted(monkeypatch, slowly)
    assert sum(made) < 10 * LONGEST_TRIAL_S


def test_tiny_work_needs_no_trial(monkeypatch):
    monkeypatch.setattr(prediction, "call_once", lambda call: pytest.fail("a trial was made"))
    request = toys.request(n=64)
    trials = Trials(request.inputs, request.sizes)
    assert predict_call(Contestant(toys.make(toys.doubled)), trials, request.inputs()).seconds == 0


def test_the_slope_is_held_between_noise_and_all_of_it():
    assert slope((0.0, 0.0), (10.0, 1.0)) == 0.1
    assert slope((10.0, 1.0), (20.0, 1.0)) == pytest.approx(0.05 / 20)
    assert slope((10.0, 0.0), (20.0, 1.0)) == pytest.approx(0.05), "never more than if all of it were work"


def test_a_slow_oracle_is_refused_before_it_starts():
    def oracle(x):
        time.sleep(1e-3 * x.size)
        return 2 * x

    def difference(y, x, truth):
        return float(abs(y - truth).max())

    experiment = dataclasses.replace(toys.EXPERIMENT, oracle=oracle, laws={"difference": difference})
    request = dataclasses.replace(toys.request("doubled", n=100_000), experiment=experiment)
    with pytest.raises(Refused, match="the reference answer alone would take some"):
        climb(request)


def test_an_oracle_that_wakes_slow_threads_is_no_slow_oracle():
    """From some size on each answer takes 20 ms more: short trials take that for growth, longer ones do not."""
    answered = []

    def oracle(x):
        answered.append(x.size)
        time.sleep(0.02 if x.size > 500 else 0.0)
        return 2 * x

    def difference(y, x, truth):
        return float(abs(y - truth).max())

    counted = dataclasses.replace(toys.make(toys.doubled), counted=True)
    experiment = dataclasses.replace(
        toys.EXPERIMENT, oracle=oracle, laws={"difference": difference}, implementations=(counted,)
    )
    request = dataclasses.replace(toys.request("doubled", n=2**22), experiment=experiment)
    assert climb(request).rows[0].status == "ok"
    assert request.sizes["n"] in answered


def foretold_oracle(monkeypatch, seconds_of, patience_s):
    """The forecast for an oracle that takes ``seconds_of(n)`` by a fake clock, and what its trials took."""
    took = []

    def fake(call, *arguments):
        result = call(*arguments)
        if not isinstance(result, np.ndarray):
            return result, 0.0
        took.append(seconds_of(result.size))
        return result, took[-1]

    clocked_by(monkeypatch, fake)
    counted = dataclasses.replace(toys.make(toys.doubled), counted=True)
    experiment = dataclasses.replace(toys.EXPERIMENT, oracle=lambda x: x, implementations=(counted,))
    request = toys.request("doubled", n=2**20)
    trials = Trials(request.inputs, request.sizes, longest_s=0.05)
    return predict_oracle(experiment, trials, request.inputs(), patience_s).seconds, took


@pytest.mark.parametrize("patience_s", [2.0, 8.0])
def test_larger_trials_before_an_oracle_is_refused(monkeypatch, patience_s):
    """From some size on threads cost 20 ms: short trials take that for growth, larger ones see that it is none."""

    def threaded(n):
        return 1e-6 * n + (0.02 if n > 500 else 0.0)

    assert foretold_oracle(monkeypatch, threaded, float("inf"))[0] > patience_s, "the usual trials are mistaken"
    assert foretold_oracle(monkeypatch, threaded, patience_s)[0] <= patience_s


def test_the_trials_before_an_oracle_is_refused_take_three_times_the_patience_at_most(monkeypatch):
    for power in (1, 2, 3):
        seconds, took = foretold_oracle(monkeypatch, lambda n, power=power: (1e-3 * n) ** power, 2.0)
        assert seconds > 2.0
        assert sum(took) <= 3 * 2.0


def test_an_oracle_that_keeps_its_answers_is_foretold_as_if_it_did_not():
    """Made again, a trial would be an answer kept: foretold to take no time, and the next one were too long."""
    asked = []

    @remembered(4)
    def oracle(x):
        asked.append(x.size)
        time.sleep(1e-4 * x.size)
        return 2 * x

    def difference(y, x, truth):
        return float(abs(y - truth).max())

    experiment = dataclasses.replace(toys.EXPERIMENT, oracle=oracle, laws={"difference": difference})
    request = toys.request("doubled", n=100_000)
    trials = Trials(request.inputs, request.sizes)
    assert predict_oracle(experiment, trials, request.inputs()).seconds == pytest.approx(10, rel=0.5)
    assert 1e-4 * max(asked) <= LONGEST_TRIAL_S


def counting(at):
    """A contestant whose cost is counted by running it, the trials of its problem, and the sizes that were run."""
    ran = []

    def run(x):
        ran.append(x.size)
        return x

    def cost(x):
        run(x)
        return Cost(flops=x.size, memory=8.0 * x.size)

    contestant = Contestant(Implementation(run, "vectorised", cost=cost, bound=lambda x: 0.0, counted=True))
    trials = Trials(lambda sizes: (np.empty(sizes["n"]),), {"n": at})
    return contestant, trials, ran


def test_what_is_counted_by_running_is_never_counted_at_the_full_size_before_it_is_admitted(monkeypatch):
    """A millisecond an element: trials end long before the problem itself, and neither cost nor call sees it."""
    contestant, trials, ran = counting(2**20)

    def fake(call, *arguments):
        result = call(*arguments)
        return result, 1e-3 * result.size if isinstance(result, np.ndarray) else 0.0

    clocked_by(monkeypatch, fake)
    found = predict_call(contestant, trials, (np.empty(2**20),))
    assert found.seconds == pytest.approx(1e-3 * 2**20, rel=0.01)
    assert found.memory == pytest.approx(8 * 2**20)
    assert 1e-3 * max(ran) <= LONGEST_TRIAL_S


@pytest.mark.parametrize("believed", [False, True], ids=["made again", "believed"])
def test_a_disturbed_trial_of_what_is_counted_is_made_again_too(monkeypatch, believed):
    contestant, trials, _ = counting(2**20)
    seconds_of = disturbed(2**12, 2, 0.2)

    def fake(call, *arguments):
        result = call(*arguments)
        return result, seconds_of(result.size) if isinstance(result, np.ndarray) else 0.0

    clocked_by(monkeypatch, fake)
    if believed:  # the sabotage
        monkeypatch.setattr(growth, "quickest", lambda call, seconds, again_s, least: seconds)
    found = predict_call(contestant, trials, (np.empty(2**20),))
    assert (found.seconds > 1) == believed
    assert believed or found.seconds == pytest.approx(1e-9 * 2**20, rel=0.01)


def test_a_cost_on_paper_that_runs_the_call_is_seen_by_the_same_check(monkeypatch):
    """Sabotage: without the mark the whole problem is run to ask for its cost."""
    contestant, trials, ran = counting(2**20)
    honest = dataclasses.replace(contestant.implementation, counted=False)
    predict_call(dataclasses.replace(contestant, implementation=honest), trials, (np.empty(2**20),))
    assert max(ran) == 2**20


def test_an_input_that_takes_long_to_make_is_made_for_no_trial(monkeypatch):
    """A millisecond an element to make: trials end where making one would take longer than a trial may."""
    made = []

    def make(sizes):
        made.append(sizes["n"])
        return (np.zeros(sizes["n"]),)

    def fake(call, *arguments):
        result = call(*arguments)
        return result, 1e-3 * result[0].size if isinstance(result, tuple) else 0.0

    clocked_by(monkeypatch, fake)
    trials = Trials(make, {"n": 2**20})
    predict_call(Contestant(toys.make(toys.doubled)), trials, (np.zeros(2**20),))
    assert 1e-3 * max(made) <= trials.longest_s
