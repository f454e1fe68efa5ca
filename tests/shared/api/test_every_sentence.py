"""Whatever Python is told, refused, given or shown: in arguments, never in options of the command line."""

import re
import warnings
from dataclasses import replace
from typing import Annotated

import pytest
import toys
import training_toy

from exp_core import Problem, Skip, api
from exp_core.api.how import How
from exp_core.api.train import HowToTrain
from exp_core.catalogue import Catalogue, Entry, Topic
from exp_core.refusal import Missing, Refused

OPTION = re.compile(r"(?<![\w-])--[a-z]|python -m")


def asks_for_more(n: Annotated[int, "length"] = 64, *, dtype, rng):
    """Takes many."""
    if n < 1000:
        raise ValueError(f"{n} are too few: choose --n 1000, or --problem vector")
    return (rng.standard_normal(n).astype(dtype),)


def tells(x):
    """Raises a sentence of the command line."""
    raise RuntimeError("give it another --seed")


def learns(x):
    """Needs what training makes."""
    return x + x


def vague(x):
    """Is promised nothing."""
    return x + x


EXPERIMENT = replace(
    toys.EXPERIMENT,
    problems=(*toys.EXPERIMENT.problems, Problem(asks_for_more, small={"n": 1000})),
    implementations=(
        *(i for i in toys.EXPERIMENT.implementations if i.name != "impatient"),
        toys.make(tells),
        toys.make(learns, skip=lambda x: Skip("nothing was trained", "python -m toys toy --steps 200")),
        toys.make(vague, bound=lambda x: float("inf")),
        toys.make(toys.doubled, dtypes=("float32",)),
    )[:-1],
    training=training_toy.TRAINING,
)
DOCSTRING = "Toy: doubling.\n\nProblem   Double it, with --n numbers.\nIdea      `python -m toys toy --n 64`.\n"


@pytest.fixture
def package(tmp_path, monkeypatch):
    file = tmp_path / "toy.py"
    file.write_text(f'"""{DOCSTRING}"""\n')
    entry = Entry("toy", "Toy: doubling", "t", "toys", "toys", file)
    monkeypatch.setenv("EXP_CORE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(Entry, "load", lambda self: EXPERIMENT)
    monkeypatch.setattr(
        "exp_core.api.found.read_catalogue", lambda command: Catalogue((Topic("t", "T", "toys", (entry,)),))
    )
    return api.Package("toys", devices=("metal", "cuda", "cpu"), emulator="dl_exp.emulator")


def shown(value):
    """Everything that a value says of itself."""
    views = [str(value), repr(value)]
    views += [getattr(value, name)() for name in ("_repr_html_", "_repr_markdown_") if hasattr(value, name)]
    return re.sub(r"<style>.*?</style>", "", "\n".join(views), flags=re.DOTALL)


def refusals(call, ways):
    """What each of these ways is refused with, by the text that says so."""
    for how in ways:
        with pytest.raises(Refused) as refused:
            call(**how)
        yield f"{how}: {refused.value}"


def everything(package):
    """Every refusal, result and view of Python's face, one text each."""

    def run(sizes=None, **how):
        return package.run("toy", sizes or {}, How(progress=False, **{"budget": 0.1, "store": False} | how))

    def sweep(sizes=None, **how):
        return package.sweep("toy", sizes or {}, How(progress=False, **{"budget": 0.1, "store": False} | how))

    def train(sizes=None, **how):
        return package.train("toy", sizes or {}, HowToTrain(progress=False, **how))

    result = run(store=True)
    yield from (shown(result), str(result.to_dict()))
    yield shown(run({"n": 10**6}, only="looped,library", budget=0.01))
    yield shown(run({"n": 200}, with_={"mine": lambda x: x, "odd": lambda x: 1 / 0}))
    yield from refusals(
        run,
        (
            {"sizes": {"n": 13}}, {"sizes": {"n": 0}}, {"sizes": {"n": 10**12}}, {"sizes": {"m": 1}},
            {"problem": "asks-for-more", "sizes": {"n": 5}}, {"problem": "nothing"}, {"dtype": "int3"},
            {"only": "nobody"}, {"rung": "kernel"}, {"threads": 4096}, {"budget": 0}, {"seed": -1}, {"seed": "x"},
            {"processes": 2, "with_": lambda x: x}, {"processes": 0}, {"cluster": "local", "only": "doubled"},
            {"cluster": 3}, {"with_": "nowhere.py:f"}, {"with_": "nonsense"}, {"with_": 3}, {"emulate": True},
            {"device": "tpu"}, {"with_": "nowhere.metal"},
        ),
    )  # fmt: skip
    found = sweep({"n": [5, 13, 2000]}, only="doubled,picky,library,slow,learns,tells")
    assert any(point.reason for point in found.points), "a size that the problem refuses"
    yield shown(found)
    yield from (shown(point.result) for point in found.points if point.result)
    yield from refusals(
        sweep,
        ({}, {"sizes": {"n": [0, 1]}}, {"sizes": {"n": [13]}}, {"sizes": {"n": range(20_000)}}, {"sizes": {"m": [1]}}),
    )
    yield from refusals(lambda **how: package.run("toys", {}, How(**how)), ({},))
    past = package.history("toy")
    yield from (shown(past), shown(past[-1].result))
    yield from refusals(lambda **how: package.history("toys"), ({},))
    yield shown(package.explain("toy"))
    yield shown(package.experiments())
    trained = train(steps=20)
    yield from (shown(trained), shown(train(steps=30, resume=True)), shown(train(steps=20)))
    yield from refusals(
        train,
        (
            {"steps": 0}, {"resume": True, "steps": 10}, {"data": "nothing"}, {"batch": 2**60}, {"threads": 4096},
            {"checkpoint": "none.safetensors", "resume": True}, {"sizes": {"width": 3}}, {"checkpoint": 3},
            {"resume": True, "seed": 9}, {"data": 3}, {"rung": "kernel"}, {"device": "tpu"},
        ),
    )  # fmt: skip
    yield from refusals(lambda **how: trained.sample("so", **how), ({"length": 0},))


def test_python_is_never_told_of_options(package):
    pytest.importorskip("safetensors", reason="checkpoints need safetensors")
    told = list(everything(package))
    assert len(told) > 50
    assert [text[max(0, at.start() - 60) : at.end() + 60] for text in told if (at := OPTION.search(text))] == []
    whole = "\n".join(told)
    for spelled in ("n=1000", "budget=", 'toys.train("toy", steps=200)', "seed", 'problem="vector"'):
        assert (spelled in whole) is True, spelled


def test_the_sentences_are_those_of_the_command_line_before_they_are_spelled(package, monkeypatch):
    """Sabotage: without the spelling, options would be seen in each of the kinds of things that Python is given."""
    from exp_core.api import spelled

    monkeypatch.setattr(spelled, "in_python", lambda sentence, command: sentence)
    monkeypatch.setattr("exp_core.api.views.in_python", lambda sentence, command: sentence)
    told = list(everything(package))
    seen = [text for text in told if OPTION.search(text)]
    assert len(seen) > 20


def test_what_is_warned_of_is_spelled_too(package, monkeypatch):
    monkeypatch.setattr("exp_core.history.keep.keep", lambda request, result: ["not stored: --no-store would say so"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        package.run("toy", {}, How(progress=False, budget=0.1, only="doubled"))
    assert [str(each.message) for each in caught] == ["not stored: store=False would say so"]


def test_missing_stays_missing(package):
    with pytest.raises(Missing) as absent:
        package.run("toy", {}, How(only="absent", progress=False))
    assert "pip install no_such_module" in str(absent.value)
