"""What comes before the race has as much time as the race: foretold where it can be, and counted where it cannot."""

import time
from dataclasses import replace
from typing import Annotated

import pytest
import toys

from exp_core import Problem, admission, checking, spending
from exp_core.contestants import Contestant
from exp_core.ladder import climb
from exp_core.refusal import Refused
from exp_core.spending import START_UP_S, Spending
from exp_core.trials import Trials, predict_making

LONG = 20_000  # elements: too much work to be called tiny


@pytest.fixture
def hand(monkeypatch):
    """A clock that is moved by hand, and what was compiled, in seconds."""
    at = {"now": 0.0, "compiled": 0.0}

    class Watch:
        def __init__(self):
            self.begun = at["now"]

        def elapsed(self):
            return at["now"] - self.begun

    monkeypatch.setattr(spending, "Stopwatch", Watch)
    monkeypatch.setattr(spending, "compiling_s", lambda: at["compiled"])
    return at


def test_what_is_compiled_and_what_is_free_does_not_count(hand):
    hand["compiled"] = 100.0  # before it was made
    spent = Spending(1.0)
    with spent.spent_on("calls"):
        hand["now"], hand["compiled"] = 5.0, 103.0
    with spent.free():
        hand["now"] = 8.0
    assert spent.on == {"calls": 2.0}
    assert spent.seconds == 2.0


def test_it_is_over_at_the_budget_and_what_starting_up_may_take(hand):
    spent = Spending(1.0)
    hand["now"] = START_UP_S + 1.0
    assert spent.left()
    assert not spent.left(0.1)
    hand["now"] += 0.1
    assert not spent.left()


def test_the_race_has_its_budget_but_for_what_went_beyond_the_other_one(hand):
    spent = Spending(2.0)
    for seconds, left in ((0.0, 2.0), (START_UP_S + 2.0, 2.0), (START_UP_S + 2.5, 1.5), (1000.0, 1.0)):
        hand["now"] = seconds
        assert spent.race_s() == pytest.approx(left)


def test_the_reason_says_what_took_the_time_and_what_would_be_enough(hand):
    spent = Spending(1.0)
    for what, seconds in (("calls", 3.0), ("laws", 5.0), ("trials", 1.0), ("making the input", 0.5)):
        with spent.spent_on(what):
            hand["now"] += seconds
    assert str(spent.skip(2.0)) == (
        "the time before the race was spent before its turn (laws 5 s, calls 3 s, trials 1 s), and it would need some "
        "2 s; --budget 12 or smaller sizes would admit it"
    )
    assert "need" not in str(spent.skip())


def test_an_exception_inside_is_counted_too(hand):
    spent = Spending(1.0)
    with pytest.raises(KeyError), spent.spent_on("calls"):
        hand["now"] = 3.0
        raise KeyError
    assert spent.on == {"calls": 3.0}


def made_slowly(seconds_of):
    """The toy's problem, made with delays; and the lengths that were made."""
    lengths = []

    def slowly(n: Annotated[int, "length"] = 64, *, dtype, rng):
        """A vector that takes its time."""
        lengths.append(n)
        time.sleep(seconds_of(n, len(lengths)))
        return (rng.standard_normal(n).astype(dtype),)

    return Problem(slowly, small={"n": 5}), lengths


def test_an_input_that_takes_too_long_to_make_is_refused_before_it_is_made():
    """2 ms an element: the forty seconds are foretold from inputs of a quarter of a second at most."""
    problem, lengths = made_slowly(lambda n, count: 2e-3 * n)
    request = replace(toys.request("doubled", n=LONG), problem=problem)
    with pytest.raises(Refused, match=r"making the input alone would take some .*--budget \d+") as refused:
        climb(request)
    assert max(lengths) < LONG / 8
    assert 30 < float(str(refused.value).split("some ")[1].split()[0]) < 100


def test_a_library_that_is_loaded_for_the_first_input_is_no_slow_making():
    problem, _ = made_slowly(lambda n, count: 0.3 if count == 1 else 0.0)
    request = replace(toys.request("doubled", n=LONG), problem=problem)
    assert predict_making(Trials(request.inputs, request.sizes), 2.0) < 0.1


def asked(*names, n=LONG, **changes):
    """A ladder of the toy with all forecasts at nothing: what counts is what happens."""
    return toys.request(*names, n=n, **changes)


def test_who_has_no_time_left_is_skipped_with_the_reason(monkeypatch):
    """The law takes half a second: the first time it may be what is worked out once, then it counts."""
    monkeypatch.setattr(spending, "START_UP_S", 0.0)
    judged = []

    def slow_law(y, x):
        judged.append(1)
        time.sleep(0.5)
        return toys.error(y, x)

    experiment = replace(toys.EXPERIMENT, laws={"difference": slow_law})
    request = replace(asked("doubled", "wrong", "library", budget_s=0.2), experiment=experiment)
    rows = {row.name: row for row in climb(request).rows}
    skipped = [row for row in rows.values() if row.status == "skipped"]
    assert len(judged) == 2
    assert len(skipped) == 1
    for row in skipped:
        assert row.reason.startswith("the time before the race was spent before its turn (")
        assert "laws" in row.reason
        assert "--budget" in row.reason


def test_what_the_first_works_out_for_all_is_held_against_nobody(monkeypatch):
    monkeypatch.setattr(spending, "START_UP_S", 0.1)
    judged = []

    def law(y, x):
        judged.append(1)
        time.sleep(1.0 if len(judged) == 1 else 0.0)
        return toys.error(y, x)

    experiment = replace(toys.EXPERIMENT, laws={"difference": law})
    request = replace(asked("doubled", "wrong", "library", budget_s=0.5), experiment=experiment)
    rows = climb(request).rows
    assert len(judged) == 3
    assert "skipped" not in {row.status for row in rows}


@pytest.mark.parametrize(("n", "status"), [(64, "ok"), (LONG, "skipped")])
def test_what_is_next_to_nothing_is_never_skipped(monkeypatch, n, status):
    request = asked("doubled", "library", n=n)
    for_trials = request.budget_s / spending.CALLS
    monkeypatch.setattr(Spending, "left", lambda self, need_s=0.0: need_s == for_trials)
    assert {row.status for row in climb(request).rows} == {status}


def test_trials_end_where_the_time_does_and_the_library_was_tried_first(monkeypatch):
    tried = []
    honest = admission.tried

    def noted(run, contestant):
        tried.append(contestant.name)
        return honest(run, contestant)

    monkeypatch.setattr(admission, "tried", noted)
    monkeypatch.setattr(Spending, "left", lambda self, need_s=0.0: not tried)
    rows = {row.name: row for row in climb(asked("doubled", "wrong", "library")).rows}
    assert tried == ["library"]
    assert rows["doubled"].status == rows["wrong"].status == "skipped"


def unforetold(function, budget_s=0.2):
    """A ladder whose one size is no whole number, so that there are no trials: a call of ``function`` as it comes."""

    def real(length: Annotated[float, "length"] = float(LONG), *, dtype, rng):
        """A vector whose length is no whole number."""
        return (rng.standard_normal(int(length)).astype(dtype),)

    problem = Problem(real)
    contestants = (Contestant(toys.make(function)), Contestant(toys.make(toys.library, "library")))
    request = toys.request("library", budget_s=budget_s)
    return replace(request, problem=problem, sizes={"length": float(LONG)}, contestants=contestants)


def test_a_right_one_that_turns_out_too_slow_is_right_and_not_timed():
    calls = []

    def slow(x):
        """Half a second."""
        calls.append(1)
        time.sleep(0.5)
        return x + x

    row, library = climb(unforetold(slow)).rows
    assert (row.status, row.median_s) == ("ok", None)
    assert row.checks[0].holds
    assert row.reason.startswith("right, and not timed: a call took 5")
    assert "--budget 3 or" in row.reason
    assert len(calls) == 2, "the second time is believed"
    assert library.median_s is not None


def test_one_that_is_slow_at_its_first_call_alone_is_timed():
    calls = []

    def loading(x):
        """Loads a library at first."""
        calls.append(1)
        time.sleep(0.5 if len(calls) == 1 else 0.0)
        return x + x

    row, _ = climb(unforetold(loading)).rows
    assert row.status == "ok"
    assert row.reason == ""
    assert row.median_s is not None and row.first_call_s >= 0.5
    assert len(calls) > 3, "the first one, the one that is believed, and those of the rounds"


def test_the_input_is_summed_once_a_check_and_once_before(monkeypatch):
    sums = []
    honest = checking.checksum
    monkeypatch.setattr(checking, "checksum", lambda inputs: sums.append(1) or honest(inputs))
    climb(asked("doubled", "wrong", "library", n=64))
    assert len(sums) == 4


def test_seconds_of_compiling_are_known():
    pytest.importorskip("numba", reason="compiled rungs need Numba")
    from exp_core.compiled import compiling_s, njit

    @njit(cache=False)
    def inner(x):
        return x + 1.0

    @njit(cache=False)
    def outer(x):
        return inner(x) * 2.0

    before = compiling_s()
    watch = time.perf_counter()
    assert outer(1.0) == 4.0
    took = time.perf_counter() - watch
    compiled = compiling_s() - before
    assert 0 < compiled <= took, "what is compiled inside is not counted twice"
    assert outer(2.0) == 6.0
    assert compiling_s() - before == compiled, "it is compiled once"
