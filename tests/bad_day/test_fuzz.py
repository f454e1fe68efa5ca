"""Ten thousand command lines, made from the commands' own parameters: never a traceback, never a hang."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import signal
import sys
import traceback
from dataclasses import dataclass

import click
import pytest
from bad_day.command_lines import Program, command_lines, lay_out, typed
from bad_day.tame import tame
from hypothesis import HealthCheck, Phase, given, seed, settings

from exp_core.cli import main

CODES = {0, 1, 2, 3, 130}
PARTS = 40
PATIENCE_S = 60  # a tame command line that takes longer hangs


class Hang(BaseException):
    """Nothing of ours may catch it."""


@dataclass(frozen=True)
class Outcome:
    """What came of a command line.  wrong: what must not be, empty if all is well."""

    code: object
    out: str
    err: str
    wrong: str


def run(program: Program, line: list[str]) -> Outcome:
    """Run it in this process, its standard streams as strict as a terminal's."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict")
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    code: object = None
    wrong = ""
    faulthandler.dump_traceback_later(PATIENCE_S + 30, exit=True, file=sys.__stderr__)
    signal.signal(signal.SIGALRM, _hang)
    signal.alarm(PATIENCE_S)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(program.package, program.devices, line, emulator=program.emulator)
    except SystemExit as done:
        code = done.code
    except BaseException:
        wrong = traceback.format_exc()
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()
    for stream in (out, err):
        stream.flush()
    said, told = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err))
    return Outcome(code, said, told, wrong or _faults(code, said, told))


def _hang(number, frame):
    raise Hang(f"it takes longer than {PATIENCE_S} s")


def _faults(code: object, out: str, err: str) -> str:
    """What a user must never see."""
    found = []
    if code not in CODES:
        found.append(f"exit code {code!r}")
    if "Traceback" in out + err:
        found.append("a traceback")
    said = [line.startswith(("maths_exp: ", "dl_exp: ")) for line in err.splitlines()]
    if code in (2, 3) and said != [False] * (len(said) - 1) + [True]:  # notes of what was done may come before it
        found.append("not one sentence")
    if code == 0 and err.startswith(("maths_exp:", "dl_exp:")):
        found.append("an error with exit code 0")
    if steering := {c for c in out + err if not (c.isprintable() or c in "\n\t")}:
        found.append(f"characters that steer a terminal: {steering!r}")
    return "; ".join(found)


@pytest.fixture(scope="module", autouse=True)
def playground(tmp_path_factory):
    """A folder with the files that values name, a history of its own, and little work."""
    folder = tmp_path_factory.mktemp("fuzz")
    lay_out(folder)
    before = os.getcwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXP_CORE_DATA", str(folder / "data"))
        patch.setenv("HOME", str(folder))
        tame(patch)
        os.chdir(folder)
        yield folder
        os.chdir(before)


def check(case: tuple[Program, list[str]]) -> None:
    program, line = case
    outcome = run(program, line)
    assert not outcome.wrong, f"{typed(program, line)}\n{outcome.wrong}\n--- said:\n{outcome.err[-2000:]}"


def fuzzed(examples: int, part: int = 0) -> None:
    """The check on so many command lines, always the same ones; other parts have others."""
    always = settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    seed(part)(always(given(command_lines())(check)))()


def test_three_hundred_command_lines():
    fuzzed(300)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_ten_thousand_command_lines(part):
    """Half a minute each: `pytest -m slow -k "ten_thousand and 7"` runs one."""
    fuzzed(10_000 // PARTS, part)


@pytest.mark.parametrize("fault", ["a traceback", "steer", "one sentence", "exit code", "it takes longer"])
def test_every_kind_of_fault_is_seen(fault, monkeypatch):
    """A reader that raises, says too much, steers the terminal, exits with 7, or never returns."""
    from exp_core.cli import app, program

    def broken(*_):
        if fault == "a traceback":
            raise ZeroDivisionError("Traceback")
        if fault == "it takes longer":
            monkeypatch.setattr(signal, "alarm", real)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            while True:
                pass
        raise click.UsageError("\x07") if fault == "steer" else SystemExit(7)

    real = signal.alarm
    monkeypatch.setattr(app, "print_list", broken)
    if fault == "steer":
        monkeypatch.setattr(program, "printable", str)
    if fault == "one sentence":
        monkeypatch.setattr(app, "print_list", lambda *_: (click.echo("a", err=True), broken_twice()))
    outcome = run(Program("maths_exp"), ["list"])
    assert outcome.wrong
    assert fault in outcome.wrong or fault == "a traceback"


def broken_twice() -> None:
    """Says two things at its end."""
    click.echo("maths_exp: one", err=True)
    raise click.UsageError("two")
