"""What an examination has found, for people: what is wrong and on which input, or how far it is right."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from exp_core.practise.examiner import Examination
from exp_core.practise.fault import Fault
from exp_core.report.console import one_line, reading_width
from exp_core.report.units import scientific

NARROW = 60  # columns below which names and values do not fit side by side


def print_fault(name: str, fault: Fault, laws: Mapping[str, str], command: str, tried: int, out: Console) -> None:
    """What is wrong, on the smallest failing input, and how to see it again.  laws: what each of them says."""
    sentence, _, lines = fault.sentence.partition("\n")
    if fault.excuse:
        said = one_line(
            f"~ {name}: {sentence} on {fault.case.problem}, where not all of ours are right either", "yellow"
        )
    else:
        said = one_line(f"✗ {name}: {sentence}", "bold red")
    out.print(said, soft_wrap=not out.is_terminal)
    for line in lines.splitlines():
        out.print(one_line(f"    {line}"), soft_wrap=True)
    rows = [("smallest failing input", str(fault.case))]
    rows += [(c.law, f"error {scientific(c.error)}, bound {scientific(c.bound)}: {laws[c.law]}") for c in fault.broken]
    rows += [("it looks like this", line) for line in fault.likenesses]
    rows += list(fault.shown)
    if fault.printed:
        rows.append(("said meanwhile", fault.printed))
    for why in dict.fromkeys(why for _, why in fault.excuse):
        rows.append(("not alone", f"{', '.join(other for other, reason in fault.excuse if reason == why)}: {why}"))
    if tried:
        rows.append(("tried", "this input only" if tried == 1 else f"{tried} inputs"))
    rows.append(("again", command))
    _print_rows(rows, out)


def print_right(name: str, found: Examination, left_out: str, out: Console) -> None:
    """On how much it is right.  left_out: what there was no time for."""
    out.print(one_line(f"✓ {name}: right on {len(found.tried)} inputs", "green"), soft_wrap=not out.is_terminal)
    rows = [("problems", ", ".join(found.problems)), ("dtypes", ", ".join(found.dtypes))]
    rows += [("largest", str(found.largest))]
    rows += [("no time for", left_out)] if left_out else []
    _print_rows(rows, out)


def _print_rows(rows: list[tuple[str, str]], out: Console) -> None:
    """Names and values side by side; one below the other where there is no room; each on one line in a pipe."""
    names = ["" if n and rows[n - 1][0] == name else name for n, (name, _) in enumerate(rows)]
    longest = max(len(name) for name in names)
    if not out.is_terminal:
        for name, (_, value) in zip(names, rows, strict=True):
            out.print(one_line(f"  {name:<{longest}}  {value}"), soft_wrap=True)
        return
    if out.width < NARROW:
        for name, (_, value) in zip(names, rows, strict=True):
            out.print(one_line(name, "cyan") + one_line(f"{': ' if name else ''}{value}", "default"))
        return
    table = Table(box=None, show_header=False, pad_edge=False, width=reading_width(out))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, (_, value) in zip(names, rows, strict=True):
        table.add_row(one_line(f"  {name}"), one_line(value))
    out.print(table)
