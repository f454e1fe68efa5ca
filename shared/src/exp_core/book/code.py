"""The source of each implementation, highlighted, with what differs from the one before it and what it uses."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from markupsafe import Markup

from exp_core.catalogue import printable
from exp_core.experiment import Implementation
from exp_core.history.module import ALL, Module, Name, read_module
from exp_core.history.source import names_of

ALIKE = 0.25  # share of lines in common below which an implementation is written anew, and a difference says nothing
MOST_LINES = 200  # of helpers below one implementation; what is beyond is named
KERNEL_LINES = 5  # a text of so many lines is a kernel's source

COLOURLESS = re.compile(r'<span class="(?:n|nn|p|o|w|err)">([^<]*)</span>')  # half of a page if they stay

Change = Literal["same", "new", "gone"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a listing, highlighted."""

    html: Markup
    change: Change = "same"


@dataclass(frozen=True, slots=True)
class Helper:
    """A definition that an implementation uses, from its own package."""

    name: str
    where: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """An implementation's source.

    before: the implementation that it is held against; empty if there is none, or they have too little in common.
    helpers: shown here for the first time.     also: names of further ones: shown above, or too long.
    """

    lines: tuple[Line, ...]
    where: str
    before: str = ""
    helpers: tuple[Helper, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def changed(self) -> int:
        """Lines that are new."""
        return sum(line.change == "new" for line in self.lines)


def listings(module: str, implementations: Sequence[Implementation]) -> list[Listing]:
    """A listing for each implementation, in teaching order."""
    found: list[Listing] = []
    previous, previous_source = "", ""
    shown: set[Name] = set()
    own = {(module, made.name) for made in implementations}
    for made in implementations:
        source, where = source_of(made)
        lines, before = tuple(highlighted(source)), ""
        if previous and SequenceMatcher(None, stripped(previous_source), stripped(source)).ratio() >= ALIKE:
            lines, before = tuple(difference(previous_source, source)), previous
        helpers, also = helpers_of(module, made, shown, own)
        found.append(Listing(lines, where, before, helpers, also))
        previous, previous_source = made.name, source
    return found


def source_of(made: Implementation) -> tuple[str, str]:
    """The function's text and where it is; a function without a source says so."""
    function = inspect.unwrap(getattr(made.function, "py_func", made.function))
    try:
        lines, start = inspect.getsourcelines(function)
        return inspect.cleandoc("\n" + "".join(lines)), f"{function.__module__}:{start}"
    except (OSError, TypeError):
        return f"# {made.name}: there is no source to show", ""


def highlighted(source: str, language: str = "python") -> Iterator[Line]:
    """Lines of a source as markup; Pygments escapes every text."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    source = printable(source.expandtabs())
    html = highlight(source, get_lexer_by_name(language, stripnl=False), HtmlFormatter(nowrap=True))
    html = COLOURLESS.sub(r"\1", html)
    return (Line(Markup(line)) for line in html.rstrip("\n").split("\n"))


def difference(before: str, after: str) -> Iterator[Line]:
    """The lines of ``after``, those of ``before`` that are gone between them; blanks do not count."""
    old, new = list(highlighted(before)), list(highlighted(after))
    for tag, i, j, k, m in SequenceMatcher(None, stripped(before), stripped(after), autojunk=False).get_opcodes():
        if tag == "equal":
            yield from new[k:m]
            continue
        yield from (Line(line.html, "gone") for line in old[i:j])
        yield from (Line(line.html, "new") for line in new[k:m])


def stripped(source: str) -> list[str]:
    """Lines without the blanks around them."""
    return [line.strip() for line in source.split("\n")]


def helpers_of(
    module: str, made: Implementation, shown: set[Name], own: set[Name]
) -> tuple[tuple[Helper, ...], tuple[str, ...]]:
    """What an implementation uses from its own folder, near things first; and the names of the rest."""
    folder = module.rpartition(".")[0]
    found: list[Helper] = []
    also: list[str] = []
    room = MOST_LINES
    for here, name in uses(module, made):
        at = (here.name, name)
        if at in own or name == made.name:
            continue
        text = statements(here, name)
        near = here.name.rpartition(".")[0] == folder
        if not near or at in shown or text.count("\n") + 1 > room:
            also.append(name if near else f"{here.name}.{name}")
            continue
        shown.add(at)
        room -= text.count("\n") + 1
        found.append(Helper(name, here.name, tuple(as_lines(text))))
    return tuple(found), tuple(dict.fromkeys(also))


def uses(module: str, made: Implementation) -> Iterator[tuple[Module, str]]:
    """The definitions of its package that the function mentions, and what these mention, breadth first.

    What lies in another folder is named, and not followed: it has a subject of its own.
    """
    folder, package = module.rpartition(".")[0], module.partition(".")[0]
    todo: list[Name] = [(module, made.name), *names_of(made.function)]
    seen: set[Name] = set()
    while todo:
        at = todo.pop(0)
        if at in seen or at[1] == ALL:
            continue
        seen.add(at)
        here = read_module(at[0]) if at[0].partition(".")[0] == package else None
        if here is None:
            continue
        if definition := here.definition(at[1]):
            yield here, at[1]
            todo += definition.uses if here.name.rpartition(".")[0] == folder else ()
        elif at[1] in here.imported:
            todo.append(here.imported[at[1]])


def statements(here: Module, name: str) -> str:
    """The statements that define a name, as they are written."""
    definition = here.definition(name)
    return definition.text.partition("\n")[2] if definition else ""


def as_lines(text: str) -> Iterator[Line]:
    """Python, or C where it is a kernel: a constant that holds a text of several lines."""
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return highlighted(text)
    value = getattr(body[0], "value", None) if len(body) == 1 else None
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value.count("\n") >= KERNEL_LINES:
        return highlighted(value.value.strip("\n"), "cpp")
    return highlighted(text)
