"""``practise NAME [FILE]``: write a skeleton; ``--with`` checks what became of it, ``--watch`` after each save."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exp_core.asked import RunOptions, chosen_sizes, make_request
from exp_core.catalogue import Catalogue, CatalogueError, Entry
from exp_core.cli.errors import EXIT_INTERRUPTED, EXIT_RIGHT, EXIT_WRONG
from exp_core.cli.options import option
from exp_core.cli.progress import climb_with_progress
from exp_core.cli.readers import seconds_reader, whole_reader
from exp_core.cli.streams import say, tell
from exp_core.experiment import Experiment
from exp_core.own import is_kernel, kernel_suffixes, refused
from exp_core.refusal import Missing, Refused
from exp_core.report.bar import Bar

if TYPE_CHECKING:
    from exp_core.case import Case
    from exp_core.practise.examined import OwnFunction, OwnKernel
    from exp_core.practise.examiner import Examination, Examiner
    from exp_core.practise.fault import Fault
    from exp_core.request import Request
    from exp_core.results import Result

HELP = """Write NAME yourself: a skeleton with its signature, its problem and hints to unfold; then have it checked.

\b
  {command} practise qr                            writes qr.py, and never over a file that is there
  {command} practise qr --with qr.py               is it right? if not, on which smallest input? how fast is it?
  {command} practise qr --with qr.py:qr --watch    again after each save, until Ctrl-C
"""
KERNELS = """
\b
  {command} practise softmax softmax.metal         a kernel's body (.cu: CUDA); the emulator checks it, no GPU needed
"""


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


def practise_command(catalogue: Catalogue, command: str, emulator: str) -> click.Command:
    """The verb.  command: ``python -m maths_exp``."""
    text = HELP + (KERNELS if emulator else "")
    options: list[click.Parameter] = [
        click.Argument(["name"]),
        click.Argument(["file"], required=False),
        click.Option(["--with", "with_"], metavar="FILE[:FUNCTION]", help="Check this function, and rank it."),
        click.Option(["--watch"], is_flag=True, help="Check it after each save, until Ctrl-C."),
        option("--budget", seconds_reader("--budget"), "SECONDS", "For the search, a call, and the ladder each.", "10"),
        option("--threads", whole_reader("--threads", 1), "NUMBER", "Threads for everybody.  [default: all cores]"),
    ]

    def run(name: str, file: str | None, with_: str | None, watch: bool, budget: float, threads: int | None) -> None:
        entry = find_entry(catalogue, name, command)
        try:
            experiment = entry.load()
        except CatalogueError as error:
            raise click.ClickException(str(error)) from error
        if with_ is None:
            if watch:
                raise click.UsageError("--watch needs a file to watch: add --with FILE.py")
            write_skeleton(entry, experiment, command, file or f"{entry.name}.py", emulator)
            return
        if file is not None:
            raise click.UsageError(f"either {file} is written or --with {with_} is checked: leave one out")
        full = with_ if ":" in with_ or is_kernel(with_, emulator) else f"{with_}:{entry.name}"
        session = Session(entry, experiment, command, full, budget, threads, emulator)
        click.get_current_context().exit(watched(session) if watch else checked(session))

    return click.Command("practise", params=options, callback=run, help=text.format(command=command))


def find_entry(catalogue: Catalogue, name: str, command: str) -> Entry:
    """The experiment of that name.  Raises click.UsageError with the nearest."""
    entry = catalogue.entries.get(name) or catalogue.entries.get(name.replace("-", "_"))
    if entry is None:
        near = catalogue.nearest(name)
        hint = f"did you mean {' or '.join(near)}?" if near else f"{command} lists them"
        raise click.UsageError(f"no experiment is called {name!r}; {hint}")
    return entry


def write_skeleton(entry: Entry, experiment: Experiment, command: str, file: str, emulator: str) -> None:
    """Write the file, if there is none.  Raises click.UsageError in one sentence."""
    from exp_core.practise.skeleton import skeleton

    path = Path(file)
    kernel = is_kernel(file, emulator)
    if not kernel and path.suffix != ".py":
        kinds = " or ".join((".py", *importlib.import_module(emulator).SUFFIXES)) if emulator else ".py"
        raise click.UsageError(f"{file}: a skeleton is a {kinds} file")
    if path.exists():
        with_ = file if kernel else f"{file}:{entry.name}"
        raise click.UsageError(
            f"{file} is there already, and is left as it is: name another file, or check it with --with {with_}"
        )
    if kernel:
        text: str = refused(importlib.import_module(emulator).kernel_skeleton, entry, experiment, command, file)
    else:
        text = skeleton(entry, experiment, command, file)
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise click.UsageError(f"{file} cannot be written: {error.strerror}") from error
    check = f"{command} practise {entry.name} --with {file}"
    say(f"written: {file}\nfill it in, then:  {check}  (or with --watch: after each save)")


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
    from exp_core.ladder import assignment
    from exp_core.practise.examined import OwnFunction, OwnKernel
    from exp_core.user_file import find_user_function

    experiment = session.experiment
    problem = experiment.problems[0]
    sizes = chosen_sizes(problem, {})
    run = RunOptions(budget=session.budget_s, threads=session.threads)
    dtype = (problem.dtypes or experiment.dtypes)[0]
    if is_kernel(session.text, session.emulator):
        emulator = importlib.import_module(session.emulator)
        if absent := emulator.unavailable():
            raise Missing(str(absent))
        own = refused(emulator.own_kernel, experiment, session.text)
        contestant = Contestant(own, own.devices[0], session.emulator)
        return OwnKernel(experiment, contestant), make_request(session.entry, experiment, problem, sizes, dtype, run)
    user = refused(find_user_function, session.text, kernel_suffixes(session.emulator))
    user.call_limit_s = session.budget_s
    request = make_request(session.entry, experiment, problem, sizes, dtype, run, user=user)
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
    from exp_core.ladder import case
    from exp_core.practise.standing import standing
    from exp_core.report.console import console
    from exp_core.report.terminal import print_result

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


def watched(session: Session) -> int:
    """Check now and after each save, until Ctrl-C; then say how it went."""
    from exp_core.practise.watch import Watched

    if not session.path.exists():
        raise click.UsageError(f"--with cannot read {session.path}: No such file or directory")
    file = Watched(session.path)
    try:
        while True:
            if attempt(session) == EXIT_INTERRUPTED:
                break
            tell(f"\nwaiting for {session.path} to be saved; Ctrl-C ends it")
            file.wait()
            say(f"{'─' * 20} {session.path} {'─' * 20}")
    except KeyboardInterrupt:
        tell("")
    say(summary(session.outcomes))
    return EXIT_INTERRUPTED


def attempt(session: Session) -> int:
    """One check in a row of them: what cannot be read is said, and waited for."""
    try:
        return checked(session)
    except click.UsageError as error:
        sentence = error.format_message()
    except Refused as error:
        sentence = str(error)
    session.outcomes.append("not readable")
    say(sentence)
    return EXIT_WRONG


def summary(outcomes: list[str]) -> str:
    """How often it was checked, how it went, and how it was in the end."""
    if not outcomes:
        return "nothing was checked"
    right = sum(outcome.startswith("right") for outcome in outcomes)
    times = "once" if len(outcomes) == 1 else f"{len(outcomes)} times"
    return f"checked {times}, right {right}; in the end: {outcomes[-1]}"
