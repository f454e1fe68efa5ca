"""Checks in a row: one now and one after each save, and how it went in the end."""

from __future__ import annotations

import click

from exp_core.cli.errors import EXIT_INTERRUPTED, EXIT_WRONG
from exp_core.cli.practise_session import Session, checked
from exp_core.cli.streams import say, tell
from exp_core.refusal import Refused


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
