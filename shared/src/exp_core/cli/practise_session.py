"""One function or kernel that is practised: examined on small inputs, then climbed beside ours."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from exp_core.asked import RunOptions
from exp_core.catalogue import Entry
from exp_core.cli.errors import EXIT_INTERRUPTED, EXIT_RIGHT, EXIT_WRONG
from exp_core.cli.progress import climb_with_progress
from exp_core.cli.streams import say
from exp_core.experiment import Experiment
from exp_core.ordinary import ordinary_request
from exp_core.own import is_kernel, kernel_suffixes, refused
from exp_core.refusal import Missing
from exp_core.report.bar import Bar

if TYPE_CHECKING:
    from exp_core.case import Case
    from exp_core.practise.examined import OwnFunction, OwnKernel
    from exp_core.practise.examiner import Examination, Examiner
    from exp_core.practise.fault import Fault
    from exp_core.request import Request
    from exp_core.results import Result


@dataclass
class Session:
    """What is practised, and how it went so far.  text: FILE, FILE.py:FUNCTION or FILE.metal:KERNEL."""

    entry: Entry
    experiment: Experiment
    command: str
    text: str
    budget_s: float
    threads: int | None
    emulator: str
    outcomes: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        """The file that is practised on."""
        return Path(
            self.text.partition(":")[0] if is_kernel(self.text, self.emulator) else self.text.rpartition(":")[0]
        )


def checked(session: Session) -> int:
    """Check once; the exit code.  Raises click.UsageError where the file cannot be read."""
    examined, request = prepared(session)
    try:
        return examine_and_climb(session, examined, request)
    finally:
        if request.user:
            request.user.stop()


def prepared(session: Session) -> tuple[OwnFunction | OwnKernel, Request]:
    """Who is examined, and the ladder that comes after.  Raises Refused, Missing among it."""
    from exp_core.contestants import Contestant
    from exp_core.practise.examined import OwnFunction, OwnKernel
    from exp_core.request import assignment
    from exp_core.user_file import find_user_function

    experiment = session.experiment
    run = RunOptions(budget=session.budget_s, threads=session.threads)
    if is_kernel(session.text, session.emulator):
        emulator = importlib.import_module(session.emulator)
        if absent := emulator.unavailable():
            raise Missing(str(absent))
        own = refused(emulator.own_kernel, experiment, session.text)
        contestant = Contestant(own, own.devices[0], session.emulator)
        return OwnKernel(experiment, contestant), ordinary_request(session.entry, experiment, run)
    user = refused(find_user_function, session.text, kernel_suffixes(session.emulator))
    user.call_limit_s = session.budget_s
    request = ordinary_request(session.entry, experiment, run, user)
    return OwnFunction(user, assignment(request)), request


def examine_and_climb(session: Session, examined: OwnFunction | OwnKernel, request: Request) -> int:
    """The search; then, if it finds nothing wrong, the ladder with a row more."""
    from exp_core.practise.examined import OwnKernel
    from exp_core.practise.examiner import Examiner
    from exp_core.report.console import console
    from exp_core.report.practise import print_right
    from exp_core.timing import Deadline

    name = session.text
    with Bar(session.entry.name) as bar:
        examiner = Examiner(
            session.experiment,
            session.entry.package,
            examined,
            Deadline(session.budget_s),
            lambda case: bar.stage(f"asking {case}", None),
        )
        found = examiner.examine()
    if found.fault:
        return report_fault(session, found.fault, found)
    if found.tried:
        print_right(name, found, left_out(examiner), console())
    for fault in found.excused.values():
        say_fault(session, fault)
    if isinstance(examined, OwnKernel):
        device = examined.contestant.device
        if unseen := importlib.import_module(session.emulator).unseen(device):
            say(str(unseen))
        say(f"how fast, on such a GPU:  {session.command} {session.entry.name} --with {name} --{device}")
        session.outcomes.append("right")
        return EXIT_RIGHT
    result = climb_with_progress(request)
    return report_ladder(session, result, examiner, request)


def left_out(examiner: Examiner) -> str:
    """The problems and dtypes that there was no time for, in words; empty if there are none."""
    found = examiner.found
    problems = [problem.name for problem in examiner.problems if problem.name not in found.problems]
    dtypes = {dtype: None for problem in examiner.problems for dtype in examiner.dtypes_of(problem)}
    missing = [*problems, *(dtype for dtype in dtypes if dtype not in found.dtypes)]
    return f"{', '.join(missing)}: a larger --budget reaches further" if missing else ""


def report_fault(session: Session, fault: Fault, found: Examination) -> int:
    """Say what is wrong."""
    session.outcomes.append("wrong")
    say_fault(session, fault, len(found.tried))
    return EXIT_WRONG


def say_fault(session: Session, fault: Fault, tried: int = 0) -> None:
    """The fault, with what the laws say and the command that shows it again."""
    from exp_core.experiment import first_line
    from exp_core.report.console import console
    from exp_core.report.docstring import readable
    from exp_core.report.practise import print_fault

    laws = {name: readable(first_line(law)) for name, law in session.experiment.laws.items()}
    print_fault(session.text, fault, laws, again(session, fault.case), tried, console())


def report_ladder(session: Session, result: Result, examiner: Examiner, request: Request) -> int:
    """The table, and where the user's row stands in it; what is wrong at these sizes is looked for at smaller ones."""
    from exp_core.practise.standing import standing
    from exp_core.report.console import console
    from exp_core.report.terminal import print_result
    from exp_core.request import case

    out = console()
    out.print()
    print_result(result, out)
    if result.interrupted:
        session.outcomes.append("interrupted")
        return EXIT_INTERRUPTED
    yours = next(row for row in result.rows if row.rung == "yours")
    if yours.status != "ok":
        fault = examiner.put(case(request))
        if fault:
            return report_fault(session, examiner.shrunk(fault), examiner.found)
        session.outcomes.append("wrong")
        return EXIT_WRONG
    lines = standing(result, session.command)
    session.outcomes.append(f"right, {lines[0]}" if lines else "right")
    for line in lines:
        say(line)
    return EXIT_RIGHT


def again(session: Session, case: Case) -> str:
    """The command that shows one case once more, on the ladder."""
    sizes = " ".join(f"--{name} {value}" for name, value in case.sizes.items())
    how = f"--problem {case.problem} {sizes} --dtype {case.dtype} --seed {case.seed}"
    if is_kernel(session.text, session.emulator):
        how += f" --{importlib.import_module(session.emulator).device_of(session.text)} --emulate"
    return f"{session.command} {session.entry.name} --with {session.text} {how}"
