"""``all``: every ladder of the catalogue, and the scoreboard."""

from __future__ import annotations

from functools import partial

import click

from exp_core.asked import devices_of
from exp_core.catalogue import Catalogue, CatalogueError
from exp_core.cli.errors import EXIT_INTERRUPTED, EXIT_RIGHT, EXIT_WRONG
from exp_core.cli.keep import keep
from exp_core.cli.options import device_options, output_options, run_options
from exp_core.cli.output import read_outputs, report
from exp_core.cli.progress import climb_with_progress
from exp_core.cli.request import read_run
from exp_core.cli.streams import tell
from exp_core.ordinary import ordinary_request
from exp_core.refusal import Refused


def all_command(catalogue: Catalogue, devices: tuple[str, ...]) -> click.Command:
    """The verb."""
    return click.Command(
        "all",
        params=[*run_options(), *device_options(devices), *output_options()],
        callback=partial(_run, catalogue, devices),
        help="Climb every ladder on its ordinary problem, and end with the scoreboard.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )


def _run(catalogue: Catalogue, devices: tuple[str, ...], **given: object) -> None:
    """One broken experiment is one line, the others go on; a missing device ends all.  Ctrl-C keeps what is known."""
    from exp_core.report.console import console
    from exp_core.report.terminal import print_result, print_scoreboard
    from exp_core.results import Result
    from exp_core.scoreboard import Scoreboard, score

    run, outputs = read_run(given, devices), read_outputs(given)
    if run.devices:
        devices_of(run)  # a device that is not there ends it here, and not once for each experiment
    out = console(stderr=outputs.to_stdout)
    results: list[Result] = []
    code = EXIT_RIGHT
    for entry in catalogue.entries.values():
        try:
            request = ordinary_request(entry, entry.load(), run)
            result = climb_with_progress(request)
        except CatalogueError as error:
            code = EXIT_WRONG
            tell(f"{entry.name}: {error}")
            continue
        except Refused as error:
            tell(f"{entry.name}: {error}")
            continue
        results.append(result)
        print_result(result, out, verbose=outputs.verbose)
        out.print()
        if run.store:
            keep(request, result)
        code = max(code, result.exit_code)
        if result.interrupted:
            code = EXIT_INTERRUPTED
            break
    board = Scoreboard(tuple(score(result) for result in results))
    print_scoreboard(board, out)
    report(results, outputs, board)
    click.get_current_context().exit(code)
