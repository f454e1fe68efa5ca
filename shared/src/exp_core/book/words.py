"""The words of a docstring as HTML: formulas as MathML, code as code, references as links; all else is text."""

from __future__ import annotations

import functools
import itertools
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from markupsafe import Markup

from exp_core.catalogue import printable
from exp_core.report.docstring import FORMULA, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it import MarkdownIt

# What MathML Core knows, and all that may come out of a formula.
ELEMENTS = frozenset(
    (
        *("math", "merror", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom", "mprescripts"),
        *("mroot", "mrow", "ms", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext"),
        *("mtr", "munder", "munderover", "none"),
    )
)
ATTRIBUTES = frozenset(
    (
        *("accent", "accentunder", "columnalign", "columnspacing", "depth", "display", "displaystyle", "fence"),
        *("form", "height", "largeop", "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits"),
        *("rowspacing", "rspace", "scriptlevel", "separator", "stretchy", "symmetric", "width"),
    )
)
ROWS = frozenset(("math", "mrow", "msqrt", "mstyle", "mtd", "mphantom", "mpadded"))
SCRIPTED = frozenset(("mover", "msub", "msubsup", "msup", "munder", "munderover"))
LONG = 24  # characters of a formula that any page has room for
OPENING, CLOSING = "([{⌊⌈⟨", ")]}⌋⌉⟩"
BREAKS = "=<>≤≥≈≠≡∼∝∈←→↦⇒+−-±"
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
REFERENCE = re.compile(
    r"https://[^\s<>\"']*[^\s<>\"'.,;:)]"
    r"|\barXiv:(?P<arxiv>\d{4}\.\d{4,5})(?:v\d+)?"
    r"|\bdoi:(?P<doi>10\.\d{4,9}/[^\s<>\"']*[^\s<>\"'.,;:)])",
    re.IGNORECASE,
)


def prose(text: str) -> Markup:
    """A paragraph of a docstring, or a line of it."""
    parts = FORMULA.split(printable(text).replace("\n", " "))  # every second one is a formula
    return Markup("".join(mathml(part) if place % 2 else _plain(part) for place, part in enumerate(parts)))


@functools.cache
def mathml(latex: str) -> str:
    """A formula; where the library does not understand it, as readable text."""
    from latex2mathml.converter import convert

    try:
        root = ET.fromstring(convert(latex.replace("\n", " ")))
        _space_functions(root)
        pieces = ["".join(map(_element, piece)) for piece in _pieces(root)]
    except Exception:  # a reader of LaTeX raises whatever it stumbles over, and a page needs its words all the same
        return f'<i class="formula">{escape(readable(f"${latex}$"))}</i>'
    return "<wbr>".join(f"<math>{piece}</math>" for piece in pieces)


def _space_functions(parent: ET.Element) -> None:
    """A thin space between a function's name and what stands beside it, which no browser sets: n log n, not nlogn.

    Source: D. E. Knuth, The TeXbook (1984), chapter 18: between operators and ordinary atoms, not before parentheses.
    """
    children = list(parent)
    name = parent.tag.rpartition("}")
    for left, right in itertools.pairwise(children) if name[2] in ROWS else ():
        if (_is_function(left) and not _opens(right)) or (_is_function(right) and not _is_sign(left)):
            space = ET.Element(f"{name[0]}{name[1]}mspace", {"width": "0.167em"})
            parent.insert(list(parent).index(right), space)
    for child in children:
        _space_functions(child)


def _base(element: ET.Element) -> ET.Element:
    """What an index or a power is of."""
    return element[0] if element.tag.rpartition("}")[2] in SCRIPTED and len(element) else element


def _is_function(element: ET.Element) -> bool:
    """``log``, and with an index or a power."""
    base = _base(element)
    return base.tag.endswith("}mi") and len(base.text or "") > 1


def _is_sign(element: ET.Element) -> bool:
    """A sign that has a space of its own, or wants none after it; what closes parentheses is none."""
    base = _base(element)
    return base.tag.endswith("}mo") and (base.text or "").strip() not in CLOSING


def _opens(element: ET.Element) -> bool:
    """Parentheses, and signs."""
    first = element[0] if element.tag.endswith("}mrow") and len(element) else element
    return first.tag.endswith("}mo")


def _pieces(root: ET.Element) -> Iterator[list[ET.Element]]:
    """A long formula where a line may end, which no browser finds by itself: as TeX does, after a relation or an
    addition that stands in no parentheses.

    Source: D. E. Knuth, The TeXbook (1984), chapter 18.
    """
    row = list(root[0]) if len(root) == 1 and root[0].tag.endswith("mrow") else list(root)
    if len("".join(root.itertext())) <= LONG:
        yield row
        return
    piece: list[ET.Element] = []
    depth = 0
    for place, element in enumerate(row):
        piece.append(element)
        sign = (element.text or "").strip() if element.tag.endswith("mo") else ""
        if not sign:
            continue
        depth += (sign in OPENING) - (sign in CLOSING)
        within = len(piece) > 1 and place < len(row) - 1  # something stands on both its sides
        if depth == 0 and sign in BREAKS and within:
            element.set("form", "infix")  # at the end of a piece it would be set as if nothing came after it
            yield piece
            piece = []
    if piece:
        yield piece


def _element(element: ET.Element) -> str:
    tag = element.tag.rpartition("}")[2]
    inside = escape(element.text or "") + "".join(_element(child) + escape(child.tail or "") for child in element)
    if tag not in ELEMENTS:
        return inside
    attributes = "".join(f" {k}={quoteattr(v)}" for k, v in element.attrib.items() if k in ATTRIBUTES)
    return f"<{tag}{attributes}>{inside}</{tag}>"


def _plain(text: str) -> str:
    """Code between backticks, and references that have an address; all else is text, whatever Markdown makes of it."""
    tokens = _markdown().parseInline(text)[0].children or []
    return "".join(
        f"<code>{escape(token.content)}</code>" if token.type == "code_inline" else _linked(token.content)
        for token in tokens
    )


def _linked(text: str) -> str:
    """Text whose references lead to what they name."""
    match = REFERENCE.search(text)
    if match is None:
        return _whole_options(text)
    address = match[0]
    if match["arxiv"]:
        address = f"https://arxiv.org/abs/{match['arxiv']}"
    elif match["doi"]:
        address = f"https://doi.org/{match['doi']}"
    link = f'<a href={quoteattr(address)} rel="noreferrer">{escape(match[0])}</a>'
    return _whole_options(text[: match.start()]) + link + _linked(text[match.end() :])


def _whole_options(text: str) -> str:
    """Text in which no line ends after the hyphens of ``--rows``."""
    return OPTION.sub(r'<span class="option">\g<0></span>', escape(text))


@functools.cache
def _markdown() -> MarkdownIt:
    """Nothing of Markdown but code: in a docstring ``a_i * b_i * c`` is no emphasis, and ``<`` no element."""
    from markdown_it import MarkdownIt

    return MarkdownIt("zero").enable("backticks")
