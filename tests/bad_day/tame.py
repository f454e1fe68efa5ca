"""Work made small, so that ten thousand command lines take minutes: nothing is timed, little is asked of the machine.

What the fuzzer is after stays real: click's parsing, every reader and refusal, the making of inputs, the predictions,
all implementations and laws, reports, files, the history.
"""

from __future__ import annotations

import webbrowser
from dataclasses import replace
from http.server import HTTPServer

import pytest

from exp_core.catalogue import Catalogue
from exp_core.cli import all as all_verb
from exp_core.cli import book, climb, practise, practise_watch, sweep, train
from exp_core.machine import cache, roofline
from exp_core.practise.watch import Watched

MEMORY = 1e8  # bytes that are free: what needs more is refused
BUDGET_S = 0.2
STEPS, SYMBOLS = 2, 5
TOPICS = 1  # of ``all``
PEAKS = roofline.Peaks(1, {"float64": 1e12, "float32": 2e12}, (roofline.Bandwidth(1e6, 1e12, 1e12, 1e12),), "compiled")


def tame(patch: pytest.MonkeyPatch) -> None:
    """Put the limits in place."""
    from exp_core import admission, cluster, ladder, ordinary, request
    from exp_core.training import run

    for module in (admission, request):
        patch.setattr(module, "available_memory", lambda: MEMORY)
    patch.setattr(admission, "LEAST_PATIENCE_S", BUDGET_S)
    patch.setattr(ladder, "race", _race)
    patch.setattr(ladder, "weigh", lambda run: None)
    patch.setattr(climb, "chosen_sizes", _small(climb.chosen_sizes))
    patch.setattr(cluster, "WAIT_S", 0.3)
    patch.setattr(sweep, "MOST_POINTS", 8)
    patch.setattr(climb, "make_request", _capped(climb.make_request))
    patch.setattr(ordinary, "make_request", _capped(ordinary.make_request, small=True))
    patch.setattr(all_verb, "all_command", _of_few(all_verb.all_command))
    for name in ("measure", "measure_again", "measure_device"):
        patch.setattr(cache, name, lambda *_: PEAKS)
    patch.setattr(run, "train", _two_steps(run.train))
    patch.setattr(train, "_say_on", _few_symbols(train._say_on))
    patch.setattr(book, "_chosen", _first_chapter(book._chosen))
    patch.setattr(book, "_measure_missing", lambda contents, measured, budget: None)
    patch.setattr(webbrowser, "open", lambda address: True)
    patch.setattr(HTTPServer, "serve_forever", _interrupted)
    impatient = _impatient(practise.checked)
    for module in (practise, practise_watch):
        patch.setattr(module, "checked", impatient)
    patch.setattr(Watched, "wait", _interrupted)


def _small(chosen_sizes):
    return lambda problem, given, *, small: chosen_sizes(problem, given, small=True)


def _race(run, threads):
    """Every right row has taken a millisecond."""
    for key in run.racers:
        run.amend(key, median_s=1e-3, ci95=(0.9e-3, 1.1e-3))


def _capped(make_request, *, small=False):
    def make(entry, experiment, problem, sizes, *args, **how):
        sizes = dict(sizes) | dict(problem.small) if small else sizes
        request = make_request(entry, experiment, problem, sizes, *args, **how)
        return replace(request, budget_s=min(request.budget_s, BUDGET_S))

    return make


def _of_few(all_command):
    def command(catalogue, devices):
        return all_command(Catalogue(catalogue.topics[:TOPICS]), devices)

    return command


def _first_chapter(chosen):
    def first(package, names):
        contents, chapters = chosen(package, names)
        one = (contents.chapters if chapters is None else chapters)[:1]
        return contents.only(one), None if chapters is None else one

    return first


def _interrupted(self):
    raise KeyboardInterrupt


def _impatient(checked):
    return lambda session: checked(replace(session, budget_s=min(session.budget_s, BUDGET_S)))


def _two_steps(train_all):
    def train_two(job, begin, watch, **how):
        return train_all(replace(job, steps=min(job.steps, begin.step + STEPS)), begin, watch, **how)

    return train_two


def _few_symbols(say_on):
    def say(job, trained, asked):
        return say_on(job, trained, replace(asked, length=min(asked.length, SYMBOLS)))

    return say
