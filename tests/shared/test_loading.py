"""What an input needs whatever its size is loaded first, in time that the race gives; or it is not waited for."""

from dataclasses import replace
from typing import Annotated

import numpy as np
import pytest
import toys

from exp_core import Problem, spending
from exp_core.experiment import ContractError
from exp_core.ladder import climb
from exp_core.loading import MOST, SPARE, load
from exp_core.refusal import Refused
from exp_core.run import Run
from exp_core.spending import START_UP_S, Spending
from exp_core.waiting import tell


@pytest.fixture
def clock(monkeypatch):
    """A clock that is moved by hand."""
    at = [0.0]

    class Watch:
        def __init__(self):
            self.begun = at[0]

        def elapsed(self):
            return at[0] - self.begun

    monkeypatch.setattr(spending, "Stopwatch", Watch)
    monkeypatch.setattr(spending, "compiling_s", lambda: 0.0)
    return at


def vector(n: Annotated[int, "length"] = 64, *, dtype, rng):
    """Some numbers."""
    return (rng.standard_normal(n).astype(dtype),)


def loaded(step, steps=100):
    """A problem that is loaded in so many steps, and how many were done: ``step(i)`` is what happens in each."""
    done = []

    def load(n, *, dtype, rng):
        for i in range(steps):
            tell("learning, this once", i / steps)
            step(i)
            done.append(i)

    return Problem(vector, small={"n": 5}, load=load), done


def load_it(problem, budget_s=10.0):
    """Load it; what it has spent."""
    request = replace(toys.request("doubled", budget_s=budget_s), problem=problem)
    run = Run(request, lambda *_: None)
    load(run)
    return run.spending


def test_the_race_gives_half_of_its_time_and_the_rest_comes_from_what_is_before_it(clock):
    for seconds, free, race in ((2.0, 2.0, 8.0), (5.0, 5.0, 5.0), (14.0, 5.0, 5.0)):
        problem, done = loaded(lambda i, seconds=seconds: clock.__setitem__(0, clock[0] + seconds / 100))
        spent = load_it(problem)
        assert len(done) == 100
        assert spent.free_s == pytest.approx(free)
        assert spent.race_s() == pytest.approx(race)
        assert spent.seconds == pytest.approx(seconds - free)
    spent = Spending(10.0)
    with spent.loading():
        clock[0] += 15.0
    clock[0] += START_UP_S + 3
    assert spent.race_s() == 5.0, "never less than half of it"


def test_what_is_foretold_to_take_too_long_is_stopped_at_once_and_the_remedy_is_enough(clock):
    problem, done = loaded(lambda i: clock.__setitem__(0, clock[0] + 0.16))  # 16 seconds
    with pytest.raises(Refused) as refusal:
        load_it(problem)
    assert len(done) == 2
    said = str(refusal.value)
    assert said == "no time for learning, this once: it would take some 15.8 s; choose smaller sizes, or --budget 14"
    done.clear()
    load_it(problem, budget_s=14.0)
    assert len(done) == 100
    assert 14 * MOST >= SPARE * 15.8


def test_starting_up_and_a_busy_moment_are_no_law(clock):
    """The first step loads code for eight seconds, the third one meets a neighbour."""
    slow = {0: 8.0, 2: 1.0}
    problem, done = loaded(lambda i: clock.__setitem__(0, clock[0] + slow.get(i, 0.1)))
    load_it(problem)
    assert len(done) == 100
    slow[50] = 20.0  # more than there is: that is no forecast
    with pytest.raises(Refused):
        load_it(problem)


def test_who_does_not_know_how_far_it_is_is_stopped_when_the_time_is_over(clock):
    """Waiting for another process, for instance."""

    def wait(n, *, dtype, rng):
        while True:
            tell("waiting", 0.0)
            clock[0] += 1.0

    with pytest.raises(Refused, match=r"no time for waiting: it would take some 16 s; .* or --budget 14"):
        load_it(Problem(vector, load=wait))
    assert clock[0] == 17, "the first second may have been for starting up"


def test_nothing_is_made_before_it_is_loaded_and_refusals_are_one_sentence():
    order = []

    def make(n: Annotated[int, "length"] = 1_000_000, *, dtype, rng):
        """A vector that must be loaded."""
        order.append("made")
        return (np.ones(n, dtype),)

    def load_first(n, *, dtype, rng):
        order.append("loaded")
        if n == 13:
            raise ValueError("13 brings bad luck. Really")

    problem = Problem(make, small={"n": 5}, load=load_first)
    request = replace(toys.request("doubled", n=1_000_000, budget_s=0.1), problem=problem)
    assert climb(request).rows[0].status == "ok"
    assert order[0] == "loaded"
    assert order.count("loaded") == 1
    order.clear()
    with pytest.raises(Refused, match="make: 13 brings bad luck"):
        climb(replace(request, sizes={"n": 13}))
    assert order == ["loaded"]


def test_the_bar_shows_how_far_it_is():
    shown = []
    problem, _ = loaded(lambda i: None, steps=4)
    request = replace(toys.request("doubled", budget_s=0.1), problem=problem)
    climb(request, lambda *stage: shown.append(stage))
    assert [done for doing, done in shown if doing == "learning, this once"] == [0, 0.25, 0.5, 0.75]


def test_a_problem_that_does_not_hold_together_is_none():
    with pytest.raises(ContractError, match="load must take the same arguments as make"):
        Problem(vector, load=lambda n, *, dtype: None)
    with pytest.raises(ContractError, match="no size m"):
        Problem(vector, fixed=("m",))
    with pytest.raises(ContractError, match="small must say how far n thins the input out"):
        Problem(vector, small={"n": 64}, thins=("n",))
    assert Problem(vector, small={"n": 640}, thins=("n",)).thinned == {"n": 640}
