"""The same problem at smaller sizes: which there are, how long they take to make, and how values grow."""

from contextlib import nullcontext
from dataclasses import replace
from typing import Annotated

import numpy as np
import pytest
import toys

from exp_core import Problem, admission, growth, prediction
from exp_core import trials as module
from exp_core.experiment import Cost
from exp_core.growth import grown
from exp_core.refusal import Refused
from exp_core.run import Run
from exp_core.trials import Trials, predict_making, predict_peak


def making(monkeypatch, seconds_of, n=2**20):
    """The toy's problem, where making n numbers takes ``seconds_of(n, count)`` by a fake clock; and the n's made."""
    made = []

    def make(sizes):
        made.append(sizes["n"])
        return (np.broadcast_to(0.0, sizes["n"]),)

    def fake(call, *arguments):
        result = call(*arguments)
        return result, seconds_of(made[-1], made.count(made[-1]))

    for each in (module, growth):
        monkeypatch.setattr(each, "call_once", fake)
    return Trials(make, {"n": n}), made


def test_a_making_that_stalls_once_is_not_slow(monkeypatch):
    """The neighbours' work takes a second from one that needs half a millisecond."""
    trials, _ = making(monkeypatch, lambda n, count: 1.0 if n == 2**15 and count == 1 else 1e-8 * n)
    assert predict_making(trials, 2.0) == pytest.approx(1e-8 * 2**20)


def test_before_a_making_is_called_too_slow_larger_ones_are_made(monkeypatch):
    """Threads cost so much from a thousand numbers on that it looks like a law of growth."""
    trials, made = making(monkeypatch, lambda n, count: (0.2 if n > 1000 else 0.0) + 1e-8 * n)
    assert predict_making(trials, 2.0) <= 2.0
    assert max(made) > 2**15
    trials, made = making(monkeypatch, lambda n, count: 1e-3 * n)
    assert predict_making(trials, 2.0) == pytest.approx(1e-3 * 2**20)
    assert 1e-3 * max(made) <= 0.5


@pytest.mark.parametrize("sabotage", ["none", "small ones are believed", "made again"])
def test_what_fresh_pages_cost_is_seen_before_an_input_is_begun(monkeypatch, sabotage):
    """0.3 ns a byte in memory that was used before, 4 where the system has to bring it: 6 GB would take 24 s."""

    def seconds_of(n, count):
        return 8 * n * (4e-9 if 8 * n > 2**25 and count == 1 else 0.3e-9)

    if sabotage == "small ones are believed":
        monkeypatch.setattr(Trials, "telling", lambda self, patience_s: True)
    if sabotage == "made again":
        monkeypatch.setattr(module, "FRESH", 2**40)
    trials, made = making(monkeypatch, seconds_of, n=3 * 2**28)
    trials.longest_s = 0.01
    monkeypatch.setattr(module, "footprint", lambda inputs: inputs[0].size * 8)
    assert (predict_making(trials, 2.0) > 2.0) == (sabotage == "none")
    assert sabotage != "none" or seconds_of(max(made), 1) <= 0.5


@pytest.mark.parametrize("refused", [lambda n: n > 2**10, lambda n: n < 2**10])
def test_a_problem_that_refuses_the_larger_sizes_speaks_for_itself(monkeypatch, refused):
    """Nothing is foretold from what it takes far below them; small sizes that are refused do not matter."""
    trials, _ = making(monkeypatch, lambda n, count: 1e-5 * n)
    make = trials.make

    def picky(sizes):
        if refused(sizes["n"]):
            raise ValueError("not so many")
        return make(sizes)

    trials.make = picky
    assert predict_making(trials, 2.0) == (0.0 if refused(2**20) else pytest.approx(1e-5 * 2**20))


def test_a_size_that_thins_the_input_out_grows_where_others_are_halved():
    """Else there would be no trial of a photograph of which every pixel is taken, and nothing would be foretold."""
    trials = Trials(lambda sizes: (), {"every": 1, "steps": 20}, thinned={"every": 20})
    assert list(trials.scales()) == [5, 4, 3, 2, 1]
    assert [tuple(trials.sizes_at(scale).values()) for scale in trials.scales()] == [
        (20, 1),
        (16, 1),
        (8, 2),
        (4, 5),
        (2, 10),
    ]
    assert Trials(lambda sizes: (), {"every": 50}, thinned={"every": 20}).sizes_at(3) == {"every": 50}


def test_a_quadratic_loop_over_a_thinned_input_is_foretold_in_full(monkeypatch):
    """By a fake clock: a loop returns its number of turns, 0.1 microseconds each; nothing else takes time."""

    def loop(every):
        return (512 // every) ** 2 * 10

    def make(sizes):
        return (np.empty((512 // sizes["every"], 512 // sizes["every"])), sizes["every"])

    def clocked(call, *arguments):
        result = call(*arguments)
        return result, 1e-7 * result if isinstance(result, int) else 0.0

    for each in (prediction, module, growth):
        monkeypatch.setattr(each, "call_once", clocked)
    trials = Trials(make, {"every": 1}, thinned={"every": 32})

    def ready(small):
        return lambda: loop(small[1])

    found = prediction.predict(ready, lambda x, every: Cost(bytes=float(x.nbytes)), trials, make({"every": 1}))
    seconds = 1e-7 * loop(1)
    assert seconds / 5 < found.seconds < seconds * 5


def test_real_sizes_are_parameters():
    trials = Trials(lambda sizes: (), {"n": 1024, "tolerance": 1e-8})
    assert trials.sizes_at(3) == {"n": 128, "tolerance": 1e-8}
    assert max(trials.scales()) <= 10


def test_the_growth_of_what_is_counted_is_seen_over_some_doublings():
    linear, cubic = {s: 2.0**-s for s in (6, 5, 4, 3)}, {s: 8.0**-s for s in (6, 5, 4, 3)}
    assert grown(linear) == pytest.approx(1)
    assert grown(cubic) == pytest.approx(1)
    assert grown({**linear, 2: 0.25}, scale=1) == pytest.approx(0.5)
    assert grown({3: 1.0, 2: 1.0}) == pytest.approx(4), "all of the input is looked at"
    assert grown({2: 1.0, 1: 40.0}) == pytest.approx(40 * (40 * 2 * 2) ** (1 / 3)), "one leap is no law"
    assert grown({}) == 0


def test_a_problem_of_even_sizes_has_trials_too():
    def even(sizes):
        if sizes["n"] % 2:
            raise ValueError("odd")
        return (np.zeros(sizes["n"]),)

    trials = Trials(even, {"n": 1000})
    assert [trials.inputs_at(scale)[0].size for scale in trials.scales()] == [8, 16, 32, 62, 126, 250, 500]


def test_a_problem_whose_parameters_are_whole_numbers_has_trials_too():
    """Bits are 4 or 8 and a group has 32: halves of these make no sense, and are left alone."""

    def coded(sizes):
        if sizes["bits"] not in (4, 8) or sizes["group"] != 32 or sizes["k"] % 32:
            raise ValueError("no such scheme")
        return (np.zeros(sizes["k"]),)

    trials = Trials(coded, {"bits": 4, "group": 32, "k": 512}, fixed=("bits", "group"))
    assert list(trials.scales()) == [7, 6, 5, 4, 3, 2, 1]
    assert [trials.inputs_at(scale)[0].size for scale in (1, 2, 3, 4)] == [256, 128, 64, 32]
    with pytest.raises(ValueError, match="no such scheme"):
        trials.inputs_at(5)
    with pytest.raises(ValueError, match="no such scheme"):
        Trials(coded, {"bits": 4, "group": 32, "k": 512}).inputs_at(1)


def test_what_is_fixed_is_no_reason_for_trials():
    """A thousand steps of a training for eight numbers."""
    assert not list(Trials(lambda sizes: (), {"n": 7, "steps": 1000}, fixed=("steps",)).scales())


def test_a_size_that_is_no_parameter_is_halved_beside_a_larger_one():
    """A product whose rows stayed as they are would begin with a trial of seconds in plain Python."""

    def grouped(sizes):
        if sizes["group"] != 64 or sizes["k"] % 64:
            raise ValueError("a row has whole groups")
        return (np.zeros((sizes["rows"], sizes["k"])),)

    trials = Trials(grouped, {"rows": 1000, "k": 2048, "group": 64}, fixed=("group",))
    assert [trials.inputs_at(scale)[0].shape for scale in (5, 3, 1)] == [(31, 64), (125, 256), (500, 1024)]


def test_trials_take_their_part_of_a_small_budget():
    """Two contestants and a second: no trial may take more than a quarter of it."""
    request = toys.request("doubled", "looped", budget_s=1.0)
    assert Run(request, lambda *_: None).trials.longest_s == 0.25
    request = toys.request("doubled", "looped", budget_s=0.1)
    assert Run(request, lambda *_: None).trials.longest_s == pytest.approx(0.025)


def test_what_is_made_by_way_of_larger_arrays_needs_their_memory():
    """Three arrays of the size of the input are there at once, and one of them is left."""

    def make(sizes):
        x = np.ones(sizes["n"])
        y = x + 1
        return (x + y,)

    trials = Trials(make, {"n": 2**16})
    assert predict_peak(trials) == 0.0, "nothing was made"
    predict_making(trials, 2.0)
    assert predict_peak(trials) == pytest.approx(3 * 8 * 2**16, rel=0.05)


@pytest.mark.parametrize(("times", "refused"), [(10, False), (2, True)])
def test_an_input_that_fits_and_whose_making_does_not_is_refused(monkeypatch, times, refused):
    def doubled_twice(n: Annotated[int, "length"] = 64, *, dtype, rng):
        """By way of two more of its size."""
        x = np.ones(n, dtype)
        return ((x + x) + (x + x),)

    n = 2**16
    monkeypatch.setattr(admission, "available_memory", lambda: times * 8 * n)
    run = Run(replace(toys.request("doubled", n=n), problem=Problem(doubled_twice)), lambda *_: None)
    admission.refuse_what_cannot_fit(run)
    with pytest.raises(Refused, match=r"makes its input in 0\.0 GB, and") if refused else nullcontext():
        admission.make_input(run)
