"""A LaTeX formula in one line of Unicode, as far as Unicode goes, and beyond that as a program would write it.

Unicode has few raised and lowered characters, and none on top of each other.  What it has not is written out:

    x_{n-1}         xₙ₋₁
    u_{i-1,j}       u[i−1,j]       an index
    e^{-2 \\pi i/n}  exp(−2 π i/n)
    n^{3/4}         n^(3/4)
    \\frac{1}{2n}    1/(2n)
"""

from __future__ import annotations

import re
import unicodedata

FUNCTION = r"arccos|arcsin|arctan|arg|cosh?|coth?|deg|det|dim|exp|inf|lim|ln|log|max|min|sinh?|sup|tanh?"
# What unicodeit leaves as it stands, or makes worse: commands that only group, names of functions, spaces.
WORDS = (
    (r"\\(?:mathrm|mathbf|operatorname|text|mathit)\{([^{}]*)\}", r"\1"),
    (rf"\\({FUNCTION})(?![a-zA-Z])", r"\1"),
    (r"\\(?:dots|ldots|cdots)(?![a-zA-Z])", "…"),
    (r"\\(?:left|right|big|Big|quad)(?![a-zA-Z])", ""),
    (r"\\[,;!]", " "),
    (r"\\overline\{([^{}]*)\}", r"mean(\1)"),
)
ARGUMENT = r"\s*(?:\{([^{}]*)\}|(\\[a-zA-Z]+|\w))"
FRACTION = re.compile(rf"\\[td]?frac{ARGUMENT}{ARGUMENT}")
ROOT = re.compile(rf"\\sqrt{ARGUMENT}")
ACCENT = re.compile(r"\\(tilde|hat|bar|dot|ddot|vec)\s*\\?([a-zA-Z]+)")
SINGLE = re.compile(r"\\(tilde|hat|bar|dot|ddot|vec)\{\\([a-zA-Z])\}")  # one letter is no command
SCRIPT = re.compile(r"([^\W\d_]?)([_^])\{([^{}]*)\}")
SYMBOL = re.compile(r"\\[a-zA-Z]+|[^\W\d_]|[\d.]+")  # what needs no parentheses
LINEAR = {"^": "\ue000", "_": "\ue001"}  # stand for themselves, where unicodeit shall not see them
TIDY = (
    (r"([∂∇⌊√]) ", r"\1"),
    (r" ⌋", "⌋"),
    (r"((?:^|[=(]) ?[±−]) ", r"\1"),
    (r"\s+", " "),
)


def formula(latex: str) -> str:
    """One formula in Unicode."""
    before = ""
    while latex != before:  # what stands inside of braces first
        before = latex
        for pattern, replacement in WORDS:
            latex = re.sub(pattern, replacement, latex)
        latex = FRACTION.sub(lambda m: f"{_one(m[1] or m[2])}/{_one(m[3] or m[4])}", latex)
        latex = ROOT.sub(lambda m: f"√{_one(m[1] or m[2])}", latex)
        latex = SCRIPT.sub(_script, latex)
    latex = SINGLE.sub(r"\\\1{\2}", ACCENT.sub(r"\\\1{\\\2}", latex))
    text = _unicode(latex).replace("{", "").replace("}", "")
    for sign, stand_in in LINEAR.items():
        text = text.replace(stand_in, sign)
    for pattern, replacement in TIDY:
        text = re.sub(pattern, replacement, text)
    return unicodedata.normalize("NFC", text.strip())


def _unicode(latex: str) -> str:
    import unicodeit

    return str(unicodeit.replace(latex))


def _one(part: str) -> str:
    """A part of a formula as one factor."""
    return part if SYMBOL.fullmatch(part) else f"({part})"


def _script(match: re.Match[str]) -> str:
    """A raised or lowered group: in small characters where they exist for all of it, else in a line."""
    base, sign, body = match.groups()
    small = _unicode(f"{sign}{{{body}}}")
    if not re.search(r"[_^.ᐧ]|\ue000|\ue001", body + small):
        return base + small
    first = match.start() == 0 or not re.match(r"[a-zA-Z\\]", match.string[match.start() - 1])
    if base == "e" and sign == "^" and first:
        return f"exp({body})"
    if base and sign == "_" and first:
        return f"{base}[{body}]"
    alone = re.fullmatch(r"\w+|[\d.]+", body)
    return base + LINEAR[sign] + (body if alone else f"({body})")
