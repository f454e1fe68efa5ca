"""The words of an experiment's docstring: its paragraphs, its references, and formulas as far as Unicode goes."""

from __future__ import annotations

import re

from exp_core.catalogue import HEADINGS
from exp_core.report.formula import formula

FORMULA = re.compile(r"\$([^$]+)\$")
WINS = "Why the library wins"  # the last words under Look for, where a library is faster than all of ours
# Between two references: a full stop that ends neither an initial nor "et al.", and two blanks or the line's end.
NEXT_REFERENCE = re.compile(r"(?<!\b[A-Z]\.)(?<!\bal\.)(?<=\.)(?: {2,}|\n\s*)(?=[^\W\d_a-z]|\"|https:)")


def readable(text: str) -> str:
    """Text whose LaTeX formulas between dollars are written in Unicode, as far as Unicode goes."""
    return FORMULA.sub(lambda match: formula(match[1]), text)


def sections(body: str) -> list[tuple[str, str]]:
    """The docstring's headings and their paragraphs, lines joined; why the library wins stands by itself."""
    found: list[tuple[str, str]] = []
    for heading, text in _paragraphs(body):
        before, _, why = (part.strip(": ") for part in text.partition(WINS))
        found.append((heading, before))
        if why:
            found.append((WINS, why[:1].upper() + why[1:]))
    return found


def why_the_library_wins(body: str) -> str:
    """The sentences of a docstring that say so; empty if there are none."""
    _, words, why = dict(_paragraphs(body)).get("Look for", "").partition(WINS)
    return readable(words + why)


def _paragraphs(body: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in body.splitlines():
        heading = next((name for name in HEADINGS if line.startswith(name + " ")), None)
        if heading:
            found.append((heading, line.removeprefix(heading).strip()))
        elif line.strip() and found:
            name, text = found[-1]
            found[-1] = (name, f"{text} {line.strip()}")
    return found


def references(body: str) -> list[str]:
    """What stands under Source, reference by reference, lines joined."""
    _, _, text = f"\n{body}".partition("\nSource ")
    return [" ".join(reference.split()) for reference in NEXT_REFERENCE.split(text.strip()) if reference.strip()]
