"""Words in HTML: escaped, whoever wrote them; and tables of words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from exp_core.catalogue import printable


def text(words: object) -> str:
    """Words of others: escaped, on one line, without control characters."""
    return escape(printable(" ".join(str(words).split())))


def words_table(name: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of words, each escaped, in the ladder's look within ``.exp-ladder``: names first, figures flush right."""
    titles = "".join(
        f'<th scope="col"{class_of("n" if place else "")}>{text(cell)}</th>' for place, cell in enumerate(head)
    )
    body = "".join(
        f'<tr><th scope="row"><code>{text(row[0])}</code></th>'
        + "".join(f'<td class="exp-n">{text(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="exp-scroll" tabindex="0" role="region" aria-label="{text(name)}">'
        f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def class_of(kind: str) -> str:
    """The attribute of a cell of this kind; empty for an ordinary one."""
    return f' class="exp-{kind}"' if kind else ""
