"""What an examination has found, for people: what is wrong and on which input, or how far it is right."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from exp_core.catalogue import printable
from exp_core.practise.examiner import Examination
from exp_core.practise.fault import Fault
from exp_core.report.terminal import scientific

READING_WIDTH = 110


def print_fault(name: str, fault: Fault, command: str, tried: int, out: Console) -> None:
    """What is wrong, on the smallest failing input, and how to see it again."""
    sentence, _, lines = fault.sentence.partition("\n")
    out.print(_text(f"✗ {name}: {sentence}", "bold red"), soft_wrap=not out.is_terminal)
    for line in lines.splitlines():
        out.print(_text(f"    {line}"), soft_wrap=True)
    rows = [("smallest failing input", str(fault.case))]
    for check in fault.broken:
        rows.append((check.law, f"{scientific(check.error)}, and at most {scientific(check.bound)} is right"))
    rows += [("it looks like this", line) for line in fault.likenesses]
    rows += list(fault.shown)
    if fault.printed:
        rows.append(("said meanwhile", fault.printed))
    if fault.excuse:
        rows += [("not alone", f"{other}: {why}") for other, why in fault.excuse]
    if tried:
        rows.append(("tried", f"{tried} inputs"))
    rows.append(("again", command))
    _print_rows(rows, out)


def print_right(name: str, found: Examination, out: Console) -> None:
    """On how much it is right; and what theory excuses."""
    problems, dtypes = ", ".join(found.problems), ", ".join(found.dtypes)
    said = f"✓ {name}: right on {len(found.tried)} inputs"
    out.print(_text(said, "green"), soft_wrap=not out.is_terminal)
    _print_rows([("problems", problems), ("dtypes", dtypes), ("largest", str(_largest(found)))], out)


def _largest(found: Examination) -> object:
    """The case with the largest sizes."""
    return max(found.tried, key=lambda case: sum(case.sizes.values()))


def _print_rows(rows: list[tuple[str, str]], out: Console) -> None:
    """Names and values side by side, or one below the other where there is no room."""
    width = min(out.width, READING_WIDTH) if out.is_terminal else out.width
    narrow = width < 60
    table = Table(box=None, show_header=False, pad_edge=False, width=width if out.is_terminal else None)
    if not narrow:
        table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    before = ""
    for name, value in rows:
        shown = "" if name == before else name
        if narrow:
            table.add_row(_text(shown, "cyan") + _text(f"{': ' if shown else ''}{value}", "default"))
        else:
            table.add_row(_text(f"  {shown}"), _text(value))
        before = name
    out.print(table)


def _text(words: str, style: str = "") -> Text:
    """Words of others on one line: neither markup nor control characters are obeyed."""
    return Text(printable(words).replace("\n", " "), style=style)
