"""The ladder as HTML: whole, escaped, and saying what the terminal's table says."""

from __future__ import annotations

import math
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from exp_core.raced import Raced
from exp_core.report.html import ladder_css, ladder_html
from exp_core.report.html_bars import Scale
from exp_core.results import Result
from exp_core.row import Check, Row

HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\u202e"
VOID = {"rect", "line", "meta", "br"}
ROW = Row(
    "fast",
    "compiled",
    title="Another way",
    status="ok",
    checks=(Check("residual", 1e-16, 2e-15), Check("orthogonality", 3e-16, 2e-15)),
    figures={"steps": 12.0},
    first_call_s=0.5,
    median_s=2e-3,
    ci95=(1.9e-3, 2.1e-3),
    ratio_to_library=1.5,
    ratio_ci95=(1.4, 1.6),
    flops=1e6,
    bytes=1e3,
    limit_s=1e-3,
    peak_memory_bytes=1e6,
    race=Raced(verdict="faster"),
)
ROWS = (
    replace(ROW, name="slow", rung="textbook", median_s=3.0, ci95=None, race=None),
    ROW,
    Row("bad", "vectorised", status="wrong", checks=(Check("residual", math.nan, 1e-15),), reason="breaks residual"),
    Row("unsteady", "vectorised", status="unstable", checks=(Check("residual", 1.0, 1e-15),)),
    Row("absent", "kernel", status="skipped", reason="needs a GPU; buy one"),
    Row("broken", "vectorised", status="failed", reason="ValueError: no"),
    replace(ROW, name="magic", status="impossible", median_s=1e-9, ci95=(1e-9, 1e-9)),
    replace(ROW, name="lib", rung="library", ratio_to_library=1.0, ratio_ci95=(1.0, 1.0), race=Raced()),
)
RESULT = Result("toy", "toys", "Toy: doubling", "vector", {"n": 64}, "float64", 0, ROWS, noise_floor=0.02)


class Tree(HTMLParser):
    """Elements in order, each one closed where it must be; text outside of the style sheet."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words += data


def test_every_row_is_there_with_its_status_in_words():
    tree = Tree(ladder_html(RESULT))
    rows = [attributes["class"] for tag, attributes in tree.seen if tag == "tr" and "class" in attributes]
    assert rows == [f"exp-{row.status}" for row in ROWS]
    spoken = [attributes["aria-label"] for _, attributes in tree.seen if attributes.get("class") == "exp-mark"]
    assert len(set(spoken)) == len({row.status for row in ROWS})
    for words in ("fast", "1.5", "2 ms", "1.4–1.6", "50%", "needs a GPU; buy one", "gaps under 2.0%", "1.0e-16"):
        assert words in tree.words, words


def test_the_same_number_of_cells_in_each_row():
    body = ladder_html(RESULT).partition("<tbody>")[2].partition("</tbody>")[0]
    counts = {row.count("<td") + row.count("<th") for row in body.split("</tr>")[:-1]}
    assert len(counts) == 1


def test_bars_are_as_long_as_the_logarithm_of_the_time():
    scale = Scale.of([replace(ROW, median_s=m, limit_s=None, ci95=None) for m in (1.0, 100.0)])
    assert scale.place(100.0) == 100
    assert scale.place(0.5) == 0
    assert scale.place(5.0) - scale.place(0.5) == pytest.approx(scale.place(100.0) - scale.place(10.0))
    assert scale.place(0.0) == 0


@pytest.mark.parametrize("field", ["title", "problem", "dtype", "cluster", "experiment", "notes", "sizes"])
def test_a_hostile_result_is_text(field):
    value = {"notes": (HOSTILE,), "sizes": {HOSTILE: 1}}.get(field, HOSTILE)
    harmless(ladder_html(replace(RESULT, **{field: value})))


@pytest.mark.parametrize("field", ["name", "title", "reason", "device", "rung", "status", "figures", "checks"])
def test_a_hostile_row_is_text(field):
    value = {"figures": {HOSTILE: 1.0}, "checks": (Check(HOSTILE, 0, 1), Check("b", 0, 1))}.get(field, HOSTILE)
    harmless(ladder_html(replace(RESULT, rows=(replace(ROW, **{field: value}),))))


def harmless(html):
    tags = {tag for tag, _ in Tree(html).seen}
    assert "script" not in tags
    assert not any(name.startswith("on") for _, attributes in Tree(html).seen for name in attributes)
    assert "\x1b" not in html and "\u202e" not in html


def test_an_unescaped_name_would_be_seen(monkeypatch):
    monkeypatch.setattr("exp_core.report.html_words.escape", lambda words: words)
    with pytest.raises(AssertionError):
        harmless(ladder_html(replace(RESULT, rows=(replace(ROW, name=HOSTILE),))))


def test_nothing_is_loaded_and_nothing_is_run():
    html = ladder_html(RESULT)
    assert not {"script", "link", "img"} & {tag for tag, _ in Tree(html).seen}
    assert "url(" not in html and "@import" not in html


def test_the_sheet_touches_nothing_outside_of_the_ladder():
    sheet = ladder_css()
    for selectors in (part.rpartition("}")[2] for part in sheet.split("{")[:-1]):
        for selector in selectors.rpartition("*/")[2].split(","):
            selector = selector.strip()
            assert selector.startswith("@media") or "exp-" in selector, selector
    assert ladder_css() not in ladder_html(RESULT, style=False)


def test_nothing_timed_and_no_rows():
    for rows in ((), (replace(ROW, median_s=None, ci95=None, limit_s=None),)):
        Tree(ladder_html(replace(RESULT, rows=rows)))


def test_infinite_and_zero_numbers():
    odd = replace(ROW, median_s=1e-300, ci95=(0.0, math.inf), figures={"steps": math.inf}, limit_s=0.0)
    Tree(ladder_html(replace(RESULT, rows=(odd,))))
