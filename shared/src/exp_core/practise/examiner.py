"""The search for the smallest input on which somebody is wrong.

Upward: the first problem in the first dtype, at its small and awkward sizes, the smallest first; some sizes in the
other dtypes, of the other problems, the hard ones among them, with other seeds; then all their sizes; then larger
ones, towards those of the ladder, as far as the time goes.  The first fault ends it.

Downward: from there every size in turn is set to 1, halved, lessened by one or two, with several seeds each, as long as
the answer stays wrong.  What is left is a smallest one in this sense: one less of any size, and the answer is right
with all the seeds that were tried.  That it is the smallest of all nobody promises.

On a problem where theory lets some of our own fail, a broken law is told and ends nothing: the search goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from exp_core.case import Case
from exp_core.experiment import Experiment, Problem
from exp_core.installed import missing_modules
from exp_core.practise.fault import Fault, Given, judge
from exp_core.practise.question import ask
from exp_core.practise.sizes import default_sizes, onward, smaller, spread, upward
from exp_core.signature import input_names
from exp_core.timing import Deadline

SEEDS = (0, 1, 2)
MORE_SEEDS = (*SEEDS, 3, 4, 5, 6, 7)  # on the way down
SHRINKS = 300  # tries on the way down
SLOW_SHRINKS = 12  # where each try takes a fresh process, since the one before has died
SHRINKING = 0.5  # of the time for the search, what the way down may take
FEW_SIZES = 6  # where there is much to ask
FEWER_SIZES = 2  # and each question takes long

Progress = Callable[[str], None]


class Examined(Protocol):
    """Whoever is asked."""

    def answer(self, case: Case) -> Given:
        """What comes back for a case."""

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The dtypes that are asked for; empty: all of the experiment."""

    @property
    def quick(self) -> bool:
        """Whether many sizes can be asked for, large ones as well."""


@dataclass
class Examination:
    """What has been found.  tried: the cases that were put; fault: the one that counts; excused: one a problem."""

    tried: list[Case] = field(default_factory=list)
    fault: Fault | None = None
    excused: dict[str, Fault] = field(default_factory=dict)

    @property
    def largest(self) -> Case:
        """The case with the largest whole sizes."""
        return max(self.tried, key=lambda case: math.prod(v for v in case.sizes.values() if isinstance(v, int)))

    @property
    def problems(self) -> list[str]:
        """The problems that were put."""
        return list(dict.fromkeys(case.problem for case in self.tried))

    @property
    def dtypes(self) -> list[str]:
        """The dtypes that were asked for."""
        return list(dict.fromkeys(case.dtype for case in self.tried))


@dataclass
class Examiner:
    """Puts one case after the other, within some time."""

    experiment: Experiment
    package: str
    examined: Examined
    deadline: Deadline
    progress: Progress = lambda text: None
    found: Examination = field(default_factory=Examination)

    def examine(self) -> Examination:
        """Search upward, then downward from what was found."""
        for case in self.cases():
            if case.problem in self.found.excused:
                continue
            if self.found.tried and not self.deadline.left():
                break
            fault = self.put(case)
            if fault is None:
                continue
            fault = self.shrunk(fault)
            if fault.excuse:
                self.found.excused[case.problem] = fault
                continue
            self.found.fault = fault
            break
        return self.found

    def put(self, case: Case) -> Fault | None:
        """One case: its fault, or None where it is right or there is nothing to ask."""
        question = ask(self.experiment, case, self.package)
        if question is None:
            return None
        self.progress(str(case))
        self.found.tried.append(case)
        given = self.examined.answer(case)
        return judge(self.experiment, question, given, input_names(self.experiment, question.inputs))

    def cases(self) -> Iterator[Case]:
        """Upward: simple ones first, each once."""
        asked: set[tuple[object, ...]] = set()
        for case in self._planned():
            place = (case.problem, case.dtype, case.seed, *case.sizes.items())
            if place not in asked:
                asked.add(place)
                yield case

    def _planned(self) -> Iterator[Case]:
        first, *others = self.problems
        few = FEW_SIZES if self.examined.quick else FEWER_SIZES
        for sizes in upward(first) if self.examined.quick else spread(upward(first), FEW_SIZES):
            yield Case(first.name, sizes, self.dtypes_of(first)[0])
        for dtype in self.dtypes_of(first)[1:]:
            for sizes in spread(upward(first), few):
                yield Case(first.name, sizes, dtype)
        for problem in others:
            for dtype in self.dtypes_of(problem):
                for sizes in spread(upward(problem), few):
                    yield Case(problem.name, sizes, dtype)
        for problem in self.problems:
            for seed in SEEDS[1:]:
                small = default_sizes(problem) | dict(problem.small)
                yield Case(problem.name, small, self.dtypes_of(problem)[0], seed)
        if self.examined.quick:
            for larger in (upward, onward):
                for problem in self.problems:
                    for sizes in larger(problem):
                        yield Case(problem.name, sizes, self.dtypes_of(problem)[0])

    @property
    def problems(self) -> list[Problem]:
        """The problems whose data are here, ordinary ones first."""
        here = [p for p in self.experiment.problems if not missing_modules(self.package, p.requires)]
        return sorted(here, key=lambda problem: problem.kind != "ordinary")

    def dtypes_of(self, problem: Problem) -> tuple[str, ...]:
        """The dtypes to ask for."""
        known = problem.dtypes or self.experiment.dtypes
        return tuple(dtype for dtype in known if dtype in (self.examined.dtypes or known)) or known[:1]

    def shrunk(self, fault: Fault) -> Fault:
        """Downward: the same problem and dtype at ever smaller sizes, as long as the answer stays wrong."""
        if fault.ending == "stopped":
            return fault  # each try would take as long
        tries = SLOW_SHRINKS if fault.ending else SHRINKS
        time = Deadline(SHRINKING * self.deadline.budget_s)
        seen: set[tuple[object, ...]] = set()
        while smaller_one := self._smaller_fault(fault, seen, tries, time):
            fault = smaller_one
        return fault

    def _smaller_fault(self, fault: Fault, seen: set[tuple[object, ...]], tries: int, time: Deadline) -> Fault | None:
        """A fault at smaller sizes; None if there is none, or no try and no time left to find it."""
        for sizes in smaller(fault.case.sizes, self.experiment.problem(fault.case.problem)):
            for seed in dict.fromkeys((fault.case.seed, *MORE_SEEDS)):
                place = (*sizes.items(), seed)
                if place in seen:
                    continue
                if len(seen) >= tries or not time.left():
                    return None
                seen.add(place)
                found = self.put(replace(fault.case, sizes=sizes, seed=seed))
                if found and bool(found.excuse) == bool(fault.excuse) and found.ending != "stopped":
                    return found
        return None
