"""The command of one experiment: its options come from the signatures of its problems."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from exp_core.asked import chosen_sizes, make_request
from exp_core.catalogue import CatalogueError, Entry, printable
from exp_core.cli.keep import keep, say
from exp_core.cli.options import (
    device_options,
    emulate_options,
    names_option,
    option,
    output_options,
    plot_option,
    roofline_option,
    run_options,
)
from exp_core.cli.output import draw_result, draw_result_under_roofs, read_outputs, report, require_matplotlib
from exp_core.cli.progress import climb_on_cluster, climb_with_progress
from exp_core.cli.readers import name_reader, one_of, size_reader
from exp_core.cli.request import given_sizes, read_run
from exp_core.cli.sizes import described, described_sizes
from exp_core.cli.sweep import read_axes, run_sweep, sweep_options
from exp_core.cli.train import run_training
from exp_core.cli.train_options import read_wanted, training_options, wants_training
from exp_core.experiment import Experiment
from exp_core.own import own_from_file

WHOLE_FILE = ""


class ExperimentCommand(click.Command):
    """A command whose help holds words of others: they steer no terminal."""

    def get_help(self, ctx: click.Context) -> str:
        """The help, its formulas in Unicode and its control characters blanks."""
        from exp_core.report.docstring import readable

        self.help = readable(self.help or "")
        return printable(super().get_help(ctx))


def climb_command(entry: Entry, devices: tuple[str, ...], emulator: str = "") -> click.Command:
    """The command of one experiment.  Raises click.ClickException if its file is broken."""
    try:
        experiment = entry.load()
    except CatalogueError as error:
        raise click.ClickException(str(error)) from error
    names = [problem.name for problem in experiment.problems]
    implementations = [implementation.name for implementation in experiment.implementations]
    training = experiment.training
    if training:
        implementations += [engine.name for engine in training.engines if engine.name not in implementations]
    first = experiment.problems[0]
    sizes = [
        click.Option([f"--{size.name}", f"size_{size.name}"], type=size_reader(size), metavar="NUMBER", help=text)
        for size, text in described_sizes(experiment)
    ]
    problems = f"The input: {', '.join(described(problem) for problem in experiment.problems)}."
    dtypes = f"Element type: {', '.join(experiment.dtypes)}."
    trains = training_options(training, {size.name for size, _ in described_sizes(experiment)}) if training else []
    drawn = "the picture and the times, the growth of a sweep" + (", or the curve of a training" if training else "")
    own = "Your own implementation: checked, timed, ranked."
    if emulator:
        own += "  FILE.metal or FILE.cu: a kernel's body, in the place of ours."
    options: list[click.Parameter] = [
        *sizes,
        option("--problem", name_reader("problem", names), "NAME", problems, first.name),
        option("--dtype", name_reader("dtype", experiment.dtypes), "NAME", dtypes, experiment.dtypes[0]),
        names_option("--only", "implementation", implementations, "Only these implementations, separated by commas."),
        click.Option(["--with", "with_"], metavar="FILE.py:FUNCTION", help=own),
        *trains,
        *run_options(),
        *sweep_options(),
        *device_options(devices),
        *emulate_options(devices, emulator),
        plot_option(entry.name, drawn),
        roofline_option(entry.name),
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
    return ExperimentCommand(
        entry.name,
        params=options,
        callback=partial(_run, entry, experiment, devices, emulator),
        help=f"{entry.title}.\n\n{first.title}.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )


def _run(
    entry: Entry,
    experiment: Experiment,
    known_devices: tuple[str, ...],
    emulator: str,
    problem: str,
    dtype: str,
    only: tuple[str, ...] | None,
    with_: str | None,
    plot: Path | None,
    roofline: Path | None,
    explain: bool,
    source: str | None,
    sweep: tuple[str, ...],
    cluster: str | None,
    **given: object,
) -> None:
    """What the command does once its options are read."""
    from exp_core.report.console import console

    if explain:
        from exp_core.report.explain import print_explanation

        print_explanation(entry, experiment, console())
        return
    if source is not None:
        _print_source(entry, experiment, source)
        return
    for name, file in (("--plot", plot), ("--roofline", roofline)):
        if file is not None:
            require_matplotlib(name, entry.package)
    if experiment.training and wants_training(given):
        wanted = read_wanted(experiment.training, given, known_devices, plot, only)
        click.get_current_context().exit(run_training(entry, experiment.training, wanted))
    if roofline is not None and sweep:
        raise click.UsageError("--roofline draws one ladder: leave --sweep out")
    chosen = experiment.problem(problem)
    axes = read_axes(sweep, chosen, given) if sweep else {}
    run, outputs = read_run(given, known_devices, emulator), read_outputs(given)
    if run.emulate and sweep:
        raise click.UsageError("--emulate times nothing: leave --sweep out")
    sizes = chosen_sizes(chosen, given_sizes(given), small=run.emulate)
    user = None
    if with_:
        experiment, only, user = own_from_file(with_, experiment, only, run)
    request = make_request(entry, experiment, chosen, sizes, dtype, run, only=only, user=user)
    context = click.get_current_context()
    if axes:
        from exp_core.history.keep import history_shelf

        shelf = history_shelf(request) if run.store else None
        try:
            code = run_sweep(request, axes, outputs, plot, cluster=cluster, shelf=shelf)
        finally:
            say(shelf.notes if shelf else ())
        context.exit(code)
    result = climb_with_progress(request) if cluster is None else climb_on_cluster(request, cluster)
    try:
        report([result], outputs)
    finally:  # a full disk or a closed pipe takes neither the measurements nor their memory
        if run.store:
            keep(request, result)
    if plot is not None and not result.interrupted:
        draw_result(result, request, plot)
    if roofline is not None and not result.interrupted:
        draw_result_under_roofs(result, roofline)
    context.exit(result.exit_code)


def _print_source(entry: Entry, experiment: Experiment, name: str) -> None:
    from exp_core.report.console import console
    from exp_core.report.explain import print_file, print_source

    if name == WHOLE_FILE:
        print_file(entry.path, console())
        return
    implementations = {implementation.name: implementation for implementation in experiment.implementations}
    print_source(implementations[one_of("implementation", name, tuple(implementations))], console())
