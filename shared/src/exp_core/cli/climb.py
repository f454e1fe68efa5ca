"""The command of one experiment: its options come from the signatures of its problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exp_core.catalogue import CatalogueError, Entry
from exp_core.cli.options import (
    STANDARD_OUTPUT,
    device_options,
    name_reader,
    names_option,
    one_of,
    option,
    output_options,
    plot_option,
    run_options,
    size_reader,
)
from exp_core.experiment import Experiment, Problem, Size

if TYPE_CHECKING:
    from exp_core.contestants import Contestant
    from exp_core.ladder import Request
    from exp_core.results import Result, Scoreboard
    from exp_core.user import UserFunction

WHOLE_FILE = ""


@dataclass(frozen=True)
class RunOptions:
    """How to run, as given on the command line."""

    rung: tuple[str, ...] | None
    seed: int
    budget: float
    threads: int | None
    devices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outputs:
    """Where the results go."""

    json: Path | None
    csv: Path | None
    markdown: Path | None
    verbose: bool

    @property
    def to_stdout(self) -> bool:
        """Whether a program reads standard output, so that nothing else may be printed there."""
        return STANDARD_OUTPUT in (self.json, self.csv, self.markdown)


def climb_command(entry: Entry, devices: tuple[str, ...]) -> click.Command:
    """The command of one experiment.  Raises click.ClickException if its file is broken."""
    try:
        experiment = entry.load()
    except CatalogueError as error:
        raise click.ClickException(str(error)) from error
    names = [problem.name for problem in experiment.problems]
    implementations = [implementation.name for implementation in experiment.implementations]
    first = experiment.problems[0]
    sizes = [
        click.Option([f"--{size.name}", f"size_{size.name}"], type=size_reader(size), metavar="NUMBER", help=text)
        for size, text in _sizes(experiment)
    ]
    problems = f"The input: {', '.join(_described(problem) for problem in experiment.problems)}."
    dtypes = f"Element type: {', '.join(experiment.dtypes)}."
    options: list[click.Parameter] = [
        *sizes,
        option("--problem", name_reader("problem", names), "NAME", problems, first.name),
        option("--dtype", name_reader("dtype", experiment.dtypes), "NAME", dtypes, experiment.dtypes[0]),
        names_option("--only", "implementation", implementations, "Only these, separated by commas."),
        click.Option(
            ["--with", "with_"], metavar="FILE.py:FUNCTION", help="Your own implementation: checked, timed, ranked."
        ),
        *run_options(),
        *device_options(devices),
        plot_option(entry.name),
        *output_options(),
        click.Option(["--explain"], is_flag=True, help="The idea, the formulas and the sources; nothing is run."),
        click.Option(
            ["--source"],
            is_flag=False,
            flag_value=WHOLE_FILE,
            metavar="[IMPLEMENTATION]",
            help="Show the source of one implementation, or of the whole file.",
        ),
    ]
    return click.Command(
        entry.name,
        params=options,
        callback=partial(_run, entry, experiment, devices),
        help=f"{entry.title}.\n\n{first.title}.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )


def _run(
    entry: Entry,
    experiment: Experiment,
    known_devices: tuple[str, ...],
    problem: str,
    dtype: str,
    only: tuple[str, ...] | None,
    with_: str | None,
    plot: Path | None,
    explain: bool,
    source: str | None,
    **given: object,
) -> None:
    """What the command does once its options are read."""
    from exp_core.report.terminal import console

    if explain:
        from exp_core.report.explain import print_explanation

        print_explanation(entry, experiment, console())
        return
    if source is not None:
        _print_source(entry, experiment, source)
        return
    if plot is not None:
        _require_matplotlib(entry.package)
    chosen = experiment.problem(problem)
    sizes = _chosen_sizes(chosen, given)
    run, outputs = read_options(given, known_devices)
    user = _user_function(with_, run.budget) if with_ else None
    request = make_request(entry, experiment, chosen, sizes, dtype, run, only=only, user=user)
    result = climb_with_progress(request)
    report([result], outputs)
    if plot is not None and not result.interrupted:
        _draw(result, request, plot)
    click.get_current_context().exit(result.exit_code)


def make_request(
    entry: Entry,
    experiment: Experiment,
    problem: Problem,
    sizes: Mapping[str, float],
    dtype: str,
    run: RunOptions,
    only: tuple[str, ...] | None = None,
    user: UserFunction | None = None,
) -> Request:
    """The request that the options describe.  Raises Missing or click.UsageError before any work is done."""
    from exp_core.ladder import Request
    from exp_core.machine import usable_cores

    cores = usable_cores()
    if run.threads is not None and run.threads > cores:
        raise click.UsageError(f"--threads {run.threads} is more than the {cores} cores that can be used here")
    return Request(
        entry=entry,
        experiment=experiment,
        problem=problem,
        sizes=sizes,
        dtype=dtype,
        contestants=choose_contestants(entry, experiment, problem, dtype, run, only, alone=user is None),
        seed=run.seed,
        budget_s=run.budget,
        threads=run.threads or cores,
        user=user,
    )


def read_options(given: Mapping[str, object], known_devices: tuple[str, ...]) -> tuple[RunOptions, Outputs]:
    """The shared options out of click's dictionary."""
    devices = tuple(name for name in known_devices if given[name])
    run = RunOptions(given["rung"], given["seed"], given["budget"], given["threads"], devices)  # type: ignore[arg-type]
    outputs = Outputs(given["json"], given["csv"], given["markdown"], bool(given["verbose"]))  # type: ignore[arg-type]
    return run, outputs


def climb_with_progress(request: Request) -> Result:
    """Climb, with a bar on the terminal.  Raises click.UsageError where the ladder refuses."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    from exp_core.ladder import Refused, climb
    from exp_core.report.terminal import console

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn())
    screen = console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(request.entry.name, total=1.0)

        def show(stage: str, fraction: float | None) -> None:
            bar.update(task, description=f"{request.entry.name}: {stage}", completed=fraction)

        try:
            return climb(request, show)
        except Refused as refusal:
            raise click.UsageError(str(refusal)) from refusal


def report(results: Sequence[Result], outputs: Outputs, board: Scoreboard | None = None) -> None:
    """Print the tables, then write the files: a full disk must not take the measurements with it."""
    from exp_core.report import export, terminal

    if not outputs.to_stdout and board is None:
        for result in results:
            terminal.print_result(result, terminal.console(), verbose=outputs.verbose)
    if not results:
        return
    texts: tuple[tuple[Path | None, Callable[[], str]], ...] = (
        (outputs.json, partial(export.to_json, results, board)),
        (outputs.csv, partial(export.to_csv, results)),
        (outputs.markdown, partial(export.to_markdown, results, board)),
    )
    for path, text in texts:
        if path == STANDARD_OUTPUT:
            click.echo(text(), nl=False)
        elif path is not None:
            try:
                export.write(path, text())
            except OSError as error:
                raise click.ClickException(f"{path} could not be written: {error.strerror}") from error


def choose_contestants(
    entry: Entry,
    experiment: Experiment,
    problem: Problem,
    dtype: str,
    run: RunOptions,
    only: tuple[str, ...] | None,
    *,
    alone: bool = True,
) -> tuple[Contestant, ...]:
    """Those asked for, on the devices asked for.  Raises Missing if not one of them could run."""
    from exp_core.cli.errors import Missing
    from exp_core.contestants import Contestant, chosen_devices, missing_modules
    from exp_core.machine import DeviceMissing

    if absent := missing_modules(entry.package, problem.requires):
        raise Missing(f"the problem {problem.name} {absent}")
    wanted = [
        implementation
        for implementation in experiment.implementations
        if (only is None or implementation.name in only) and (run.rung is None or implementation.rung in run.rung)
    ]
    if not wanted and alone:
        raise click.UsageError(f"--only and --rung leave nothing of {entry.name} to run")
    try:
        devices = chosen_devices(run.devices) if any(i.arrays == "mlx" for i in wanted) else ("cpu",)
    except DeviceMissing as error:
        raise Missing(str(error)) from error
    contestants = tuple(
        Contestant(implementation, device)
        for implementation in wanted
        for device in (devices if implementation.arrays == "mlx" else ("cpu",))
    )
    absences = [missing_modules(entry.package, contestant.implementation.modules) for contestant in contestants]
    if absences and all(absences):
        raise Missing(f"{wanted[0].name} {absences[0]}")
    return contestants


def _sizes(experiment: Experiment) -> list[tuple[Size, str]]:
    """Every size of every problem, with the help line that says whose it is."""
    found: dict[str, list[tuple[Problem, Size]]] = {}
    for problem in experiment.problems:
        for size in problem.sizes:
            found.setdefault(size.name, []).append((problem, size))
    lines: list[tuple[Size, str]] = []
    for holders in found.values():
        size = holders[0][1]
        defaults = {f"{s.default:g}" if s.default < 1e6 else f"{s.default:.0f}" for _, s in holders}
        text = f"{size.help[:1].upper()}{size.help[1:]}."
        text += f"  [default: {defaults.pop()}]" if len(defaults) == 1 else "  [the default depends on the problem]"
        if len(holders) < len(experiment.problems):
            text += f"  ({', '.join(problem.name for problem, _ in holders)})"
        lines.append((size, text))
    return lines


def _described(problem: Problem) -> str:
    return problem.name if problem.kind == "ordinary" else f"{problem.name} ({problem.kind})"


def _chosen_sizes(problem: Problem, given: Mapping[str, object]) -> dict[str, float]:
    """The sizes given, and the defaults of the others.  Raises click.UsageError for a size of another problem."""
    own = {size.name: size for size in problem.sizes}
    sizes = {name: size.default for name, size in own.items()}
    for key, value in given.items():
        name = key.removeprefix("size_")
        if key == name or value is None:
            continue
        if name not in own:
            there = ", ".join(f"--{other}" for other in own)
            raise click.UsageError(f"the problem {problem.name} has no --{name}; it has {there}")
        assert isinstance(value, (int, float))
        sizes[name] = value
    return sizes


def _user_function(text: str, budget: float) -> UserFunction:
    from exp_core.user import find_user_function

    try:
        user = find_user_function(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    user.call_limit_s = budget
    return user


def _print_source(entry: Entry, experiment: Experiment, name: str) -> None:
    from exp_core.report.explain import print_file, print_source
    from exp_core.report.terminal import console

    if name == WHOLE_FILE:
        print_file(entry.path, console())
        return
    implementations = {implementation.name: implementation for implementation in experiment.implementations}
    print_source(implementations[one_of("implementation", name, tuple(implementations))], console())


def _require_matplotlib(package: str) -> None:
    """Raises Missing before any work is done for a picture that could not be drawn."""
    from exp_core.cli.errors import Missing
    from exp_core.contestants import missing_modules

    if absent := missing_modules(package, ("matplotlib",)):
        raise Missing(f"--plot {absent}")


def _draw(result: Result, request: Request, path: Path) -> None:
    from exp_core.report.figure import draw

    try:
        draw(result, request.experiment, request.inputs(), path)
    except OSError as error:
        raise click.ClickException(f"{path} could not be written: {error.strerror}") from error
    except Exception as error:  # a picture that fails must not look as if the measurements had
        raise click.ClickException(f"the picture of {request.entry.name} failed: {error}") from error
    click.echo(f"drawn: {path}", err=True)
