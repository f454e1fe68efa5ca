"""The text of a kernel in pieces that matter: words, numbers, brackets, comments, spaces; nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence

TOKEN = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | ^[ \t]*\#(?:\\\n|[^\n])*
      | [A-Za-z_]\w* | \.?\d(?:[eEpP][+-]|[\w.])* | :: | \s+ | .""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
PAIRS = {"(": ")", "[": "]", "{": "}"}
BRANCH = re.compile(r"\s*#\s*(?:else|elif)")  # each branch may open what is closed only once


class Untranslatable(ValueError):
    """Something that the emulator does not know, or that no compiler would take; one sentence."""


def tokens_of(source: str) -> list[str]:
    """The pieces; joined they are the source again."""
    return TOKEN.findall(source)


def line_of(tokens: Sequence[str], at: int) -> int:
    """The line in which a token begins."""
    return 1 + "".join(tokens[:at]).count("\n")


def next_word(tokens: Sequence[str], at: int) -> tuple[int, str]:
    """The next token that is no space or comment, and where it is; at the end an empty one."""
    while at < len(tokens) and (tokens[at].isspace() or tokens[at].startswith(("//", "/*"))):
        at += 1
    return at, tokens[at] if at < len(tokens) else ""


def closing_angle(tokens: Sequence[str], at: int) -> int:
    """Just behind the angle bracket that closes the one here.  Raises Untranslatable."""
    depth = 0
    for k in range(at, len(tokens)):
        depth += {"<": 1, ">": -1}.get(tokens[k], 0)
        if depth == 0:
            return k + 1
    raise Untranslatable(f"line {line_of(tokens, at)}: this < is never closed")


def require_pairs(tokens: list[str]) -> None:
    """Raises Untranslatable for a bracket without its other half: a compiler would look for it far behind the end."""
    if any(map(BRANCH.match, tokens)):
        return
    opened: list[int] = []
    for at, token in enumerate(tokens):
        if token == "/" and tokens[at + 1 : at + 2] == ["*"]:
            raise Untranslatable(f"line {line_of(tokens, at)}: this /* is never closed")
        if token in PAIRS:
            opened.append(at)
        elif token in PAIRS.values():
            if not opened:
                raise Untranslatable(f"line {line_of(tokens, at)}: this {token} closes nothing")
            if PAIRS[tokens[opened[-1]]] != token:
                break
            opened.pop()
    if opened:
        at = opened[-1]
        raise Untranslatable(f"line {line_of(tokens, at)}: this {tokens[at]} is never closed")
