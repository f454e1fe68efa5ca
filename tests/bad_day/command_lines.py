"""Command lines, made from the click commands' own parameters: whatever verb or option is added is tried by being there.

A value is taken from what a parameter of its kind can mean (``valid``), from what somebody may mistype (``near``), or
from what nobody would type on purpose (``GARBAGE``).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import click
from hypothesis import strategies as st

from exp_core.cli.app import Application

GARBAGE = (
    "", " ", "-", "--", "---", "-1", "-0", "0", "0.0", "-0.5", "nan", "NaN", "inf", "-inf", "1e400", "-1e400", "1e-400",
    "1e308", "-1e308", "5e-324", "1e18", "1e15", "2**62", "2**63", "2**64", "10**400", "9**9**9", "-(2**62)", "0**-1", "0.0**-1",
    "(-8)**0.5", "(-1)**0.5", "2**-1074", "1/0", "1_000", "1__0", "٣", "½", "0x10", "0b1", "1j", "True", "None", "[]", "()", "1,2",
    "1.5", "007", "+3", "1e", "e1", "'", '"', "\\", "$(id)", "`id`", ";", "a=b", "=", "n=", "=1", "n=1:", "n=1:2", "n=1:2:",
    "n=1:8:x2", "n=8:1:x2", "n=1:8:x1", "n=1:8:+0", "n=0:8:x2", "n=1:8:x-2", "n=1:1e18:x1.0000001", "n=1:9:y2", "n=1e400",
    "n=nan:nan:x2", "n=1,,2", "n=1:2:xx", "n=1:2:x1e400", "n=1:2**62:x2", "n=-5:5:+1", "n=1:8:x2;n=1,2",
    "é", "e\u0301", "ß", "漢字", "🙂", "\u200b", "\u202eabc", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x07", "\b", "\r", "\n",
    "a\nb", "\t", "\x7f", "\x9b31m", "\x00", "a\x00b", "\udcff", "a\udc80b", "\ud800", "../../x", "/", "/dev/null",
    "/dev/full", "/proc/self/mem", "/nowhere/x.json", ".", "..", "~", "~nobody", "x" * 300, "x" * 70_000, "9" * 5_000,
    "(" * 500 + ")" * 500, "1+" * 3000 + "1", "-" * 200 + "1", "<script>alert(1)</script>", "[red]x[/red]", "[/]", "%s%n", "{0}",
    "local", "tcp://", "tcp://127.0.0.1:1", "127.0.0.1", "http://x", ":::", "file.py:f", "mine.py:", ":f", "mine.py:f",
    "mine.py:nothing", "mine.py:raises", "mine.metal:f", "mine.cu:f", "broken.py:f", "binary.py:f", "folder:f", "folder",
    "last", "previous", "#1", "1", "999999", "#99999999999999999999", "HEAD", "deadbeef", "@", "HEAD~99999", "-x",
    "run.json", "broken.json", "deep.json", "binary.bin", "out.json", "out.csv", "out.png", "out.svg", "out.bmp", "x.safetensors",
    "run.jsonl", "fifo/..", "readonly.json",
)  # fmt: skip
NUMBERS = ("1", "2", "3", "5", "7", "8", "1e0", "2**2", "1.0")
LONG = 12  # parameters and words of one line, at most


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


def values(parameter: click.Parameter, names: Sequence[str]) -> st.SearchStrategy[str]:
    """Values for one parameter: likely, mistyped, and mad."""
    near = st.sampled_from(words_in(parameter))
    twisted = st.builds(lambda a, i, c: a[: i % (len(a) + 1)] + c + a[i % (len(a) + 1) :], near, st.integers(0, 40),
                        st.sampled_from(["", "x", ",", ":", "=", ".", "\x00", "é", "-"]))  # fmt: skip
    return st.one_of(
        st.sampled_from(NUMBERS), near, near, twisted, st.sampled_from(GARBAGE), st.sampled_from(GARBAGE), st.sampled_from(names),
        st.text(max_size=12), st.text(st.characters(codec=None), max_size=6),
    )  # fmt: skip


def option_words(parameter: click.Parameter, names: Sequence[str]) -> st.SearchStrategy[list[str]]:
    """One use of a parameter: ``--name value``, ``--name=value``, the name alone, a name cut short, or a bare word."""
    value = values(parameter, names)
    if isinstance(parameter, click.Argument):
        return st.lists(value, max_size=3)
    name = st.sampled_from([*parameter.opts, *parameter.secondary_opts])
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return st.one_of(name.map(lambda n: [n]), st.builds(lambda n, v: [f"{n}={v}"], name, value))
    usual = st.builds(lambda n, v: [n, v], name, value)
    joined = st.builds(lambda n, v: [f"{n}={v}"], name, value)
    return st.one_of(usual, usual, usual, joined, name.map(lambda n: [n]), name.map(lambda n: [n[:-1]]))


@st.composite
def command_lines(draw: st.DrawFn) -> tuple[Program, list[str]]:
    """A program, and what was typed behind its name."""
    program = draw(st.sampled_from(PROGRAMS))
    names = verbs(program)
    verb = draw(
        st.one_of(st.sampled_from(names), st.sampled_from(names), st.sampled_from(names), st.sampled_from(GARBAGE))
    )
    if verb not in names:
        return program, [verb, *draw(st.lists(st.sampled_from(GARBAGE), max_size=3))]
    known = parameters(program, verb)
    quick = [p for p in known if p.name in ("budget", "explain", "source", "help")]
    chosen = (
        draw(st.lists(st.sampled_from([*known, *quick]), min_size=draw(st.integers(0, 3)), max_size=6)) if known else []
    )
    line = [verb]
    for parameter in chosen:
        line += draw(option_words(parameter, names))
    if draw(st.integers(0, 9)) == 0:
        line += draw(st.lists(st.sampled_from(GARBAGE), max_size=2))
    if draw(st.integers(0, 19)) == 0:
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
