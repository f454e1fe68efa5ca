"""Command lines, made from the click commands' own parameters: whatever verb or option is added is tried by being
there.

A value is taken from what a parameter of its kind can mean (``valid``), from what somebody may mistype (``near``), or
from what nobody would type on purpose (``GARBAGE``).
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass

import click
from hypothesis import strategies as st

from exp_core.cli.app import Application

GARBAGE = (
    "", " ", "-", "--", "---", "-1", "-0", "0", "0.0", "-0.5", "nan", "NaN", "inf", "-inf", "1e400", "-1e400",
    "1e-400", "1e308", "-1e308", "5e-324", "1e18", "1e15", "2**62", "2**63", "2**64", "10**400", "9**9**9",
    "-(2**62)", "0**-1", "0.0**-1", "(-8)**0.5", "(-1)**0.5", "2**-1074", "1/0", "1_000", "1__0", "٣", "½", "0x10",
    "0b1", "1j", "True", "None", "[]", "()", "1,2", "1.5", "007", "+3", "1e", "e1", "'", '"', "\\", "$(id)", "`id`",
    ";", "a=b", "=", "n=", "=1", "n=1:", "n=1:2", "n=1:2:", "n=1:8:x2", "n=8:1:x2", "n=1:8:x1", "n=1:8:+0",
    "n=0:8:x2", "n=1:8:x-2", "n=1:1e18:x1.0000001", "n=1:9:y2", "n=1e400", "n=nan:nan:x2", "n=1,,2", "n=1:2:xx",
    "n=1:2:x1e400", "n=1:2**62:x2", "n=-5:5:+1", "n=1:8:x2;n=1,2", "é", "e\u0301", "ß", "漢字", "🙂", "\u200b",
    "\u202eabc", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x07", "\b", "\r", "\n", "a\nb", "\t", "\x7f", "\x9b31m",
    "\x00", "a\x00b", "\udcff", "a\udc80b", "\ud800", "../../x", "/", "/dev/null", "/dev/full", "/proc/self/mem",
    "/nowhere/x.json", ".", "..", "~", "~nobody", "x" * 300, "x" * 70_000, "9" * 5_000, "(" * 500 + ")" * 500,
    "1+" * 3000 + "1", "-" * 200 + "1", "<script>alert(1)</script>", "[red]x[/red]", "[/]", "%s%n", "{0}", "local",
    "tcp://", "tcp://127.0.0.1:1", "127.0.0.1", "http://x", ":::", "file.py:f", "mine.py:", ":f", "mine.py:f",
    "mine.py:nothing", "mine.py:raises", "mine.metal:f", "mine.cu:f", "broken.py:f", "binary.py:f", "folder:f",
    "folder", "last", "previous", "#1", "1", "999999", "#99999999999999999999", "HEAD", "deadbeef", "@", "HEAD~99999",
    "-x", "run.json", "broken.json", "deep.json", "binary.bin", "out.json", "out.csv", "out.png", "out.svg",
    "out.bmp", "x.safetensors", "run.jsonl", "fifo/..", "readonly.json",
)  # fmt: skip
NUMBERS = ("1", "2", "3", "5", "7", "8", "1e0", "2**2", "1.0")
LONG = 5  # parameters of one line, at most


@dataclass(frozen=True)
class Program:
    """A command of ours: its package, its devices, its emulator, as in its ``__main__``."""

    package: str
    devices: tuple[str, ...] = ()
    emulator: str = ""

    def application(self) -> Application:
        """The click group."""
        return Application(self.package, self.devices, self.emulator)


PROGRAMS = (
    Program("maths_exp"),
    Program("dl_exp", ("metal", "cuda", "cpu"), "dl_exp.emulator"),
)


def verbs(program: Program) -> list[str]:
    """Every name that the program answers to, the experiments' among them."""
    application = program.application()
    return application.list_commands(click.Context(application))


def parameters(program: Program, verb: str) -> Sequence[click.Parameter]:
    """What the verb's command declares, and click's own ``--help``."""
    application = program.application()
    context = click.Context(application, info_name=program.package)
    command = application.get_command(context, verb)
    assert command is not None
    return command.get_params(click.Context(command, parent=context, info_name=verb))


def words_in(parameter: click.Parameter) -> list[str]:
    """Words that its help, its metavar and its type name: among them are all values that a name can have."""
    said = f"{getattr(parameter, 'help', '') or ''} {parameter.metavar or ''} {parameter.default or ''}"
    choices = [str(choice) for choice in parameter.type.choices] if isinstance(parameter.type, click.Choice) else []
    return [*choices, *(word.strip(".,;:()[]") for word in said.split())] or ["x"]


@functools.cache
def accepted(program: Program, verb: str, place: int) -> tuple[str, ...]:
    """Values that the parameter's own reader takes, among all that we know: sane ones, and those that slip through."""
    parameter = parameters(program, verb)[place]
    context = click.Context(click.Command(verb), info_name=verb)
    known = []
    for word in dict.fromkeys([*NUMBERS, *words_in(parameter), *names_of(program, verb), *GARBAGE]):
        try:
            parameter.type.convert(word, parameter, context)
        except click.ClickException:
            continue
        except Exception:  # a fault: let the command line show it
            pass
        known.append(word)
    return tuple(known) or ("x",)


@functools.cache
def names_of(program: Program, verb: str) -> tuple[str, ...]:
    """Names that the verb may be asked for: of experiments, and of what an experiment consists of."""
    application = program.application()
    entry = application.catalogue.entries.get(verb)
    if entry is None:
        return tuple(application.catalogue.entries)
    experiment = entry.load()
    sizes = [size.name for problem in experiment.problems for size in problem.sizes]
    return (
        *(problem.name for problem in experiment.problems),
        *(implementation.name for implementation in experiment.implementations),
        *(f"{name}={values}" for name in sizes for values in ("1:8:x2", "1,2,7", "1:9:+4", "3", "0.5:2:x2", "-1:1:+1")),
    )


def values(program: Program, verb: str, place: int) -> st.SearchStrategy[str]:
    """Values for one parameter: mistyped and mad ones."""
    near = st.sampled_from([*words_in(parameters(program, verb)[place]), *names_of(program, verb)])
    letters = st.sampled_from(["", "x", ",", ":", "=", ".", "\x00", "é", "-", "e", "*"])
    twisted = st.builds(
        lambda a, i, c: a[: i % (len(a) + 1)] + c + a[i % (len(a) + 1) :], near, st.integers(0, 40), letters
    )
    mad = st.sampled_from(GARBAGE)
    return st.one_of(near, twisted, mad, mad, mad, st.text(max_size=12), st.text(st.characters(codec=None), max_size=6))


def option_words(
    draw: st.DrawFn, parameter: click.Parameter, sane: st.SearchStrategy[str], mad: st.SearchStrategy[str], madness: int
) -> list[str]:
    """One use of a parameter: ``--name value``, ``--name=value``, the name alone, a name cut short, or a bare word."""
    value = draw(mad if draw(st.integers(0, 9)) < madness else sane)
    if isinstance(parameter, click.Argument):
        return [value]
    name = draw(st.sampled_from([*parameter.opts, *parameter.secondary_opts]))
    way = draw(st.integers(0, 9)) if madness else 1
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return [f"{name}={value}"] if way == 0 else [name]
    return [f"{name}={value}"] if way < 2 else [name[:-1]] if way == 2 else [name] if way == 3 else [name, value]


@st.composite
def command_lines(draw: st.DrawFn) -> tuple[Program, list[str]]:
    """A program, and what was typed behind its name: half of them mean something, the others nearly or not at all."""
    program = draw(st.sampled_from(PROGRAMS))
    names = verbs(program)
    madness = draw(st.sampled_from([0, 0, 0, 1, 2, 10]))
    if madness == 10 and draw(st.booleans()):
        return program, [draw(st.sampled_from(GARBAGE)), *draw(st.lists(st.sampled_from(GARBAGE), max_size=3))]
    verb = draw(st.sampled_from(names))
    known = parameters(program, verb)
    line = [verb]
    for place in draw(st.lists(st.integers(0, len(known) - 1), min_size=1, max_size=LONG)):
        sane = st.sampled_from(accepted(program, verb, place))
        line += option_words(draw, known[place], sane, values(program, verb, place), madness)
    if draw(st.integers(0, 29)) == 0:
        line = line[1:] + line[:1]
    return program, line


def typed(program: Program, line: Sequence[str]) -> str:
    """The line as a report shows it."""
    return f"{program.package} {' '.join(ascii(word if len(word) < 90 else word[:80] + '…') for word in line)}"


def lay_out(folder: os.PathLike[str]) -> None:
    """The files that values above name: sound ones, broken ones, and none at all."""
    from pathlib import Path

    at = Path(folder)
    (at / "mine.py").write_text(
        "def f(*args):\n    return args[0]\ndef raises(*args):\n    raise ValueError('\\x1b[31m')\n"
    )
    (at / "mine.metal").write_text("uint i = thread_position_in_grid.x;\n")
    (at / "mine.cu").write_text("int i = 0;\n")
    (at / "broken.py").write_text("def f(:\n")
    (at / "binary.py").write_bytes(bytes(range(256)))
    (at / "binary.bin").write_bytes(bytes(range(256)) * 40)
    (at / "x.safetensors").write_bytes(b"\xff" * 64)
    (at / "folder").mkdir(exist_ok=True)
    (at / "run.json").write_text("{}")
    (at / "run.jsonl").write_text('{"a": 1}\n')
    (at / "broken.json").write_text("{")
    (at / "deep.json").write_text("[" * 100_000)
    (at / "readonly.json").write_text("")
