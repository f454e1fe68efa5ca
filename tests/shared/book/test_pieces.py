"""The pieces of a page: words, colours, figures, code, and what the history knows."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace

import library
import numpy as np
import pytest
from matplotlib.figure import Figure

from exp_core.book import code, svg
from exp_core.book.card import Card, read_head
from exp_core.book.contents import chosen, safe
from exp_core.book.measured import read_measured
from exp_core.book.page import as_sentence
from exp_core.book.two_lights import WORDS, in_both_lights, on_dark, words_in_both_lights
from exp_core.book.words import mathml, prose
from exp_core.catalogue import read_catalogue
from exp_core.experiment import first_line
from exp_core.report.docstring import FORMULA, references

PAPER, INK = "#14171b", "#e6e4df"


# Words


def test_formulas_are_mathml_and_code_is_code():
    html = prose("`x < y` and $x_i \\le y^2$, a_i * b_i * c, <b>")
    assert "<code>x &lt; y</code>" in html and "<msub><mi>x</mi><mi>i</mi></msub><mo>≤</mo>" in html
    assert "a_i * b_i * c, &lt;b&gt;" in html


def test_no_line_ends_within_an_option():
    html = prose("a plate (--rows 256) -- or --save-every 9; a--b doi:10.1/x --n")
    assert html.count('<span class="option">') == 3
    for option in ("--rows", "--save-every", "--n"):
        assert f'<span class="option">{option}</span>' in html


@pytest.mark.parametrize(
    ("latex", "words"),
    [
        (r"n \ln \ln n", "n_ln_ln_n"),
        (r"n \log_2 n", "n_log2_n"),  # the index stays at its name
        (r"\log_2 n!", "log2_n!"),
        (r"8(\ln k + 2)", "8(ln_k+2)"),
        (r"\exp(x)", "exp(x)"),
        (r"\tanh\left(x\right)", "tanh(x)"),
        (r"(1+x)\log x", "(1+x)_log_x"),
        (r"(1+x)^2 \log\frac{1}{n}", "(1+x)2_log_1n"),
        (r"\sqrt{n \log n}", "n_log_n"),
        (r"-\log x", "−log_x"),
        (r"12 L C T", "12LCT"),
    ],
)
def test_a_function_s_name_stands_apart(latex, words):
    shown = re.sub(r"<[^>]*>", "", mathml(latex).replace('<mspace width="0.167em"></mspace>', "_"))
    assert shown == words


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("from n to n log n", "From n to n log n"),
        ("n log n comparisons", "n log n comparisons"),
        ("a small language model", "A small language model"),
        ("x", "X"),
        ("", ""),
    ],
)
def test_a_subtitle_begins_as_a_sentence_unless_a_variable_does(words, sentence):
    assert as_sentence(words) == sentence


def prose_of(command):
    """All that the Book sets of a package's experiments, each with where it stands."""
    for entry in read_catalogue(command).entries.values():
        yield entry.name, entry.docstring
        experiment = entry.load()
        parts = (*experiment.problems, *experiment.implementations)
        yield from ((f"{entry.name}, {part.name}", part.title) for part in parts)
        yield from ((f"{entry.name}, {name}", first_line(law)) for name, law in experiment.laws.items())


@pytest.mark.parametrize("command", ["maths_exp", "dl_exp"])
def test_the_library_understands_every_formula_of_the_catalogue(command):
    formulas = [f for _, text in prose_of(command) for f in FORMULA.findall(text)]
    assert len(formulas) > 20
    for formula in formulas:
        html = mathml(" ".join(formula.split()))
        assert html.startswith("<math>") and "\\" not in html, formula


# What is a formula, whatever stands around it: powers, indices, commands, arrows, norms, letters that have a name.
FORMULAS_SIGNS = re.compile(
    r"[\w)\]|]\^[\w({+-]|\w_\{|\b[A-Za-z]_[A-Za-z0-9]\b|\\[a-zA-Z]+|->|<-|\|\||\|[^|]* [-+] [^|]*\|"
    r"|\b(?:alpha|beta|epsilon|kappa|lambda|omega|sigma|tau|theta)\b"
)


def unset(text):
    """What looks like a formula, and is neither between dollars nor code."""
    return FORMULAS_SIGNS.findall(re.sub(r"`[^`]*`", "", FORMULA.sub("", text)))


@pytest.mark.parametrize("command", ["maths_exp", "dl_exp"])
def test_every_formula_of_the_catalogue_is_set_as_one(command):
    assert not {where: found for where, text in prose_of(command) if (found := unset(text))}


@pytest.mark.parametrize(
    "text", ["f: R^n -> R", "n^2 moves", "||A - QR||", "|s - exact| is small", "w_4 = -i", "kappa grows", "\\pi / 2"]
)
def test_a_formula_that_is_not_set_is_seen(text):
    assert unset(text) and not unset(f"${text}$") and not unset(f"`{text}`")


@pytest.mark.parametrize(
    ("latex", "pieces"),
    [
        ("u_{ij} \\leftarrow (1 - 4\\alpha) u_{ij} + \\alpha (u_{i-1,j} + u_{i+1,j} + u_{i,j-1})", 3),
        ("x + y = z", 1),
        ("-1234567890123456789012345678 x", 1),
        ("\\frac{1234567890 + 1234567890 + 123}{2}", 1),
        ("(1234567890123 + 1234567890 = 12345)", 1),
    ],
)
def test_a_line_may_end_within_a_long_formula_where_tex_would_end_it(latex, pieces):
    html = mathml(latex)
    assert html.count("<math>") == html.count("</math>") == pieces and html.count("<wbr>") == pieces - 1
    assert len(re.findall(r'<mo form="infix">.</mo></math><wbr>', html)) == pieces - 1


def test_a_formula_that_is_none_is_text():
    assert mathml("\\frac{") == '<i class="formula">\\frac</i>'


@pytest.mark.parametrize(
    "latex", ["\\text{<script>alert(1)</script>}", "\\href{javascript:alert(1)}{x}", "\\style{color:red}{x}", "<img>"]
)
def test_nothing_but_mathematics_comes_out_of_a_formula(latex):
    html = mathml(latex)
    assert set(re.findall(r"<([a-zA-Z]+)", html)) <= {"math", "mi", "mo", "mn", "mrow", "mtext", "mstyle", "i"}
    assert "href" not in html and "style=" not in html


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://example.org/a?b=1.", "https://example.org/a?b=1"),
        ("arXiv:1805.02867 (2018)", "https://arxiv.org/abs/1805.02867"),
        ("doi:10.1145/1498765.1498785.", "https://doi.org/10.1145/1498765.1498785"),
        ("(2006), doi:10.1007/978-0-387-40065-5: ch. 3", "https://doi.org/10.1007/978-0-387-40065-5"),
        ("doi:10.1016/0304-3975(83)90110-X.", "https://doi.org/10.1016/0304-3975(83)90110-X"),
    ],
)
def test_references_are_links(text, address):
    assert f'href="{address}"' in prose(text)


def test_no_address_runs_a_script():
    assert "<a" not in prose("javascript:alert(1) http://x data:text/html,x")
    assert prose('https://a/"onclick="x') == '<a href="https://a/" rel="noreferrer">https://a/</a>"onclick="x'


BODY = """
Look for  Nothing.
Source    N. J. Higham, Accuracy, 2nd ed. (2002), chapter 4.
          T. Dao et al., One, NeurIPS 2022; T. Dao,
          Two (2024).  A. Vaswani et al. Three (2017).  For steps: L. Bottou, F. E. Curtis, J.
          Nocedal, Four (2018).  "Five" (2025).
"""


def test_references_are_told_apart():
    higham, dao, vaswani, bottou, five = references(BODY)
    assert (
        higham.endswith("2nd ed. (2002), chapter 4.") and dao == "T. Dao et al., One, NeurIPS 2022; T. Dao, Two (2024)."
    )
    assert vaswani == "A. Vaswani et al. Three (2017)." and five == '"Five" (2025).'
    assert bottou == "For steps: L. Bottou, F. E. Curtis, J. Nocedal, Four (2018)."
    assert references("Idea  None.") == []


@pytest.mark.parametrize("command", ["maths_exp", "dl_exp"])
def test_every_reference_of_the_catalogue_is_whole(command):
    for entry in read_catalogue(command).entries.values():
        found = references(entry.docstring)
        assert found and all(re.search(r"(19|20)\d\d|documentation", one) for one in found), (entry.name, found)


# The registrant's number, and a name of letters, digits and few signs (ISO 26324; Crossref's recommended pattern).
DOI = re.compile(r"doi:10\.\d{4,9}/[-._;()/:A-Za-z0-9]*[A-Za-z0-9]")


def misspelled(source):
    """What speaks of a DOI and is none, or leads elsewhere than to doi.org."""
    found = re.findall(r"\S*10\.\d{4,}/\S*|\b(?i:doi)\b\S*", source)
    words = [word.rstrip(".,;:") for word in found]
    whole = [word for word in words if DOI.fullmatch(word) and word.count("(") == word.count(")")]
    links = [f'<a href="https://doi.org/{w.removeprefix("doi:")}" rel="noreferrer">{w}</a>' for w in whole]
    html = prose(source)
    return [word for word in words if word not in whole] + [link for link in links if link not in html]


@pytest.mark.parametrize("command", ["maths_exp", "dl_exp"])
def test_every_doi_of_the_catalogue_is_one_and_a_link(command):
    sources = {entry.name: "  ".join(references(entry.docstring)) for entry in read_catalogue(command).entries.values()}
    assert sum(source.count("doi:") for source in sources.values()) >= 8
    assert not {name: found for name, source in sources.items() if (found := misspelled(source))}


@pytest.mark.parametrize(
    "source",
    ["doi: 10.1137/030601818", "DOI 10.1137/030601818", "doi:10.1137/", "https://x.org/10.1137/030601818", "doi:11.1/2",
     "doi:10.1016/0304-3975(83", "doi:10.1137/<b>"],
)  # fmt: skip
def test_a_doi_that_is_none_is_seen(source):
    assert misspelled(f"A. Author, A title (2002), {source}.")


# Colours


def test_white_is_the_paper_and_black_is_the_ink():
    assert distance(on_dark("#ffffff"), PAPER) < 12
    assert distance(on_dark("#000000"), INK) < 12
    assert in_both_lights("#FFFFFF") == f"light-dark(#ffffff,{PAPER})", "what covers lines is not seen itself"
    assert in_both_lights("none") == "none" and in_both_lights("url(#x)") == "url(#x)"


@pytest.mark.parametrize(
    "colour", ["#000000", "#444444", "#999999", "#0072B2", "#D55E00", "#1f77b4", "#8b0000", "#00008b", "#ff0000"]
)
def test_what_is_readable_on_white_is_readable_on_dark(colour):
    assert contrast(on_dark(colour), PAPER) >= 3.0  # WCAG 2.2, 1.4.11: graphics


@pytest.mark.parametrize("colour", ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"])
def test_colours_that_mean_something_keep_their_hue(colour):
    before, after = (np.array([int(c[k : k + 2], 16) for k in (1, 3, 5)]) for c in (colour, on_dark(colour)))
    assert np.argmax(before) == np.argmax(after) and np.argmin(before) == np.argmin(after)


@pytest.mark.parametrize("colour", ["#ececec", "#e6e6e6"])
def test_a_faint_line_stays_faint(colour):
    assert contrast(colour, "#ffffff") < 1.3 and contrast(on_dark(colour), PAPER) < 1.5


@pytest.mark.parametrize("colour", ["#999999", "#7d838b", "#56B4E9", "#E69F00", "#CC79A7", "#ffff00", "#000000"])
def test_words_in_any_colour_are_read_on_both_papers(colour):
    light, dark = re.fullmatch(r"light-dark\((.*),(.*)\)", words_in_both_lights(colour)).groups()
    assert contrast(light, "#ffffff") >= WORDS and contrast(dark, PAPER) >= WORDS  # WCAG 2.2, 1.4.3
    assert contrast(light, "#ffffff") < WORDS + 0.1 or light == colour, "no darker than it has to be"


def test_the_colours_of_a_figures_words_are_those_that_are_read():
    text = figure(lambda axes: (axes.plot([1, 2], color="#999999"), axes.set_title("grey", color="#999999")))
    assert f'fill="{words_in_both_lights("#999999")}"' in re.search(r"<text[^>]*>grey", text)[0]
    assert f'stroke="{in_both_lights("#999999")}"' in text


def distance(a, b):
    return max(abs(int(a[k : k + 2], 16) - int(b[k : k + 2], 16)) for k in (1, 3, 5))


def contrast(a, b):
    """WCAG's: from 1 to 21."""
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    c = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


# Figures


def figure(draw):
    with svg.style():
        made = Figure(figsize=(5, 3))
        draw(made.subplots())
        return svg.to_svg(made, 'a "line" & <more>', "p")


def test_a_figure_has_no_style_and_only_ids_of_its_own():
    text = figure(lambda axes: (axes.plot([1, 2, 3], "o-"), axes.set_xlabel("steps")))
    assert "style" not in text and "<metadata" not in text
    assert all(name.startswith("p-") for name in re.findall(r'id="([^"]*)"', text))
    assert set(re.findall(r'"#([^"]*)"|url\(#([^)]*)\)', text)) <= {
        pair for name in re.findall(r'id="([^"]*)"', text) for pair in ((name, ""), ("", name))
    }
    assert 'aria-label="a &quot;line&quot; &amp; &lt;more&gt;"' in text or 'aria-label=\'a "line"' in text
    assert ">steps</text>" in text, "words stay words"
    assert "light-dark(#1f77b4," in text


def test_a_heavy_figure_becomes_an_image_whose_words_stay():
    x, y = np.random.default_rng(0).standard_normal((2, 20_000))
    text = figure(lambda axes: (axes.scatter(x, y), axes.set_title("many")))
    assert len(text) <= svg.MOST_BYTES
    assert "data:image/webp" in text and ">many</text>" in text


def test_many_light_lines_become_an_image_too():
    lines = np.random.default_rng(0).standard_normal((200, 200)).cumsum(axis=0)
    assert len(figure(lambda axes: axes.plot(lines))) <= svg.MOST_BYTES


def test_what_lies_on_an_image_keeps_its_colours():
    def draw(axes):
        axes.imshow(np.eye(3))
        axes.text(1, 1, "upon", color="white")
        axes.text(1, 2, "black", color="black")
        axes.set_title("above", color="black")
        axes.legend(handles=[axes.scatter([], [], color="#f5f5f5", label="light")])

    text = figure(draw)
    assert re.search(r'<use[^>]*"#f5f5f5"', text), "the mark that explains a colour has that colour"
    assert re.search(r'<text[^>]*fill="#ffffff"[^>]*>upon', text)
    assert re.search(r'<text[^>]*fill="#000000"[^>]*>black', text)
    assert not re.search(r'<text[^>]*fill="#[^"]*"[^>]*>above', text)


# Code

BEFORE = "def f(x):\n    y = 0\n    for v in x:\n        y += v\n    return y"
AFTER = "def f(x):\n    y = c = 0\n    for v in x:\n        y += v - c\n        c = v\n    return y"


def plain(lines, kind):
    texts = (re.sub("<[^>]*>", "", str(line.html)) for line in lines if line.change in ("same", kind))
    return "\n".join(texts).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def test_a_difference_holds_both_sources():
    lines = list(code.difference(BEFORE, AFTER))
    assert plain(lines, "gone") == BEFORE
    assert plain(lines, "new") == AFTER
    assert sum(line.change == "new" for line in lines) == 3


def test_hostile_sources_are_text():
    lines = [str(line.html) for line in code.highlighted(f"x = '{library.HOSTILE}'  # \x1b[31m\u202e\n\ty")]
    assert "<script" not in "".join(lines) and "\x1b" not in "".join(lines) and "\u202e" not in "".join(lines)


def test_helpers_are_shown_once_and_a_kernel_is_read_as_one(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    library.make_package(tmp_path, "acme_code", {"alpha/first.py": library.plain()})
    library.forget("acme_code")
    entry = read_catalogue("acme_code").entries["first"]
    made = code.listings(entry.module, entry.load().implementations)
    assert [listing.before for listing in made] == ["", "looped", "", ""]
    assert made[1].changed == 3, "the name, the docstring, the loop"
    assert [helper.name for helper in made[2].helpers] == ["helper", "KERNEL"]
    assert "kernel" in made[2].helpers[1].lines[0].html and "KERNEL" not in made[2].helpers[1].lines[0].html
    library.forget("acme_code")


def test_every_implementation_of_the_catalogue_has_a_source():
    entry = read_catalogue("maths_exp").entries["summation"]
    for listing in code.listings(entry.module, entry.load().implementations):
        assert listing.where and len(listing.lines) > 1


# Contents


def test_safe_names_differ_where_names_do():
    names = ["a b", "a-b", "a/b", "..", "", "é", "è", "x" * 200, "x" * 201]
    assert len({safe(name) for name in names}) == len(names)
    assert safe("conjugate_gradient") == "conjugate_gradient"


def test_names_choose_experiments_and_topics(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    files = {"alpha/First.py": library.plain(), "alpha/first.py": library.plain(), "beta/third.py": library.plain()}
    library.make_package(tmp_path, "acme_names", files)
    contents = library.contents("acme_names")
    assert len({chapter.page.lower() for chapter in contents.chapters}) == 3
    assert [c.entry.name for c in chosen(contents, ["beta"])] == ["third"]
    assert [c.entry.name for c in chosen(contents, ["third", "first"])] == ["first", "third"]
    with pytest.raises(KeyError, match="nobody"):
        chosen(contents, ["first", "nobody"])
    part = contents.only(chosen(contents, ["third"]))
    assert [p.topic.name for p in part.parts] == ["beta"] and len(part.chapters) == 1
    first, *_, last = contents.chapters
    assert contents.around(first)[0] is None and contents.around(last)[1] is None


# What the history knows


def test_the_whole_run_at_the_usual_size_is_shown(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    library.make_package(tmp_path, "acme_runs", {"alpha/first.py": library.plain()})
    library.forget("acme_runs")
    experiment = read_catalogue("acme_runs").entries["first"].load()
    whole = library.result("acme_runs", "first")
    part = library.result("acme_runs", "first")
    object.__setattr__(part, "rows", part.rows[:2])
    results = [whole, library.result("acme_runs", "first", n=5), part, library.result("acme_runs", "first", "hard", 9)]
    measured = library.history(tmp_path / "h.db", *results)
    runs = measured.ladders(("acme_runs", "first"), experiment)
    assert [(run.result.problem, run.id) for run in runs] == [("normal", 1), ("hard", 4)]
    assert measured.ladders(("acme_runs", "other"), experiment) == []


def test_runs_along_one_size_are_a_sweep(tmp_path):
    results = [library.result("p", "e", n=n, median_s=n * 1e-6) for n in (16, 64, 32, 128)]
    sweep = library.history(tmp_path / "h.db", *results).sweep(("p", "e"), "E")
    assert sweep is not None and sweep.axes == {"n": (16, 32, 64, 128)}
    assert sweep.slices[0].curves[0].sizes == (16, 32, 64, 128)
    assert library.history(tmp_path / "two.db", *results[:2]).sweep(("p", "e"), "E") is None
    near = [library.result("p", "e", n=n) for n in (1000, 1009, 1024)]
    assert library.history(tmp_path / "near.db", *near).sweep(("p", "e"), "E") is None, "no law shows in so few percent"


def test_a_history_that_cannot_be_read_is_a_sentence(tmp_path):
    (tmp_path / "h.db").write_bytes(b"no database" * 1000)
    assert "cannot be read" in read_measured(tmp_path / "h.db").note
    assert read_measured(tmp_path / "none.db").note == ""
    with sqlite3.connect(tmp_path / "new.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    assert "cannot be read" in read_measured(tmp_path / "new.db").note


def test_a_run_that_cannot_be_read_is_left_out(tmp_path):
    results = [library.result("p", "e", n=n, median_s=n * 1e-6) for n in (16, 32, 64)]
    library.history(tmp_path / "h.db", *results)
    with sqlite3.connect(tmp_path / "h.db") as connection:
        connection.execute("UPDATE runs SET document = '{' WHERE id = 2")
    measured = read_measured(tmp_path / "h.db")
    assert measured.run(2) is None and measured.run(1) is not None
    assert measured.sweep(("p", "e"), "E") is None


def test_a_card_is_what_a_page_says(tmp_path):
    page = tmp_path / "page.html"
    card = Card(best='<"&', ratio=2.0)
    from markupsafe import escape

    page.write_text(f'<meta name="book" content="0af"><meta name="card" content="{escape(card.to_json())}">')
    assert read_head(page) == ("0af", card)
    for text in (
        "",
        '<meta name="book" content="0af"><meta name="card" content="{">',
        '<meta name="book" content="0af"><meta name="card" content="[1]">',
    ):
        page.write_text(text)
        assert read_head(page) is None


def test_the_configuration_that_was_run_more_than_once_is_drawn_over_time(tmp_path):
    from exp_core.book.drawing import over_time

    twice, once = library.result("p", "e", n=16), library.result("p", "e", n=64)
    crowd = tuple(replace(once.rows[0], name=f"other{k}") for k in range(9))
    measured = library.history(tmp_path / "h.db", twice, twice, replace(once, rows=(*once.rows, *crowd)))
    assert "n = 16" in str(over_time(measured.over_time(("p", "e")), "e").markup), "and not that with more rows"
    alone = library.history(tmp_path / "one.db", once)
    assert "fewer than two runs" in over_time(alone.over_time(("p", "e")), "e").reason


def test_ratios_over_decades_have_names_that_do_not_overlap(tmp_path):
    from exp_core.book.drawing import over_time

    results = [library.result("p", "e"), library.result("p", "e")]
    measured = library.history(tmp_path / "h.db", *results)
    wide = str(over_time(measured.over_time(("p", "e")), "e").markup)
    names = re.findall(r">([0-9.]+)×<", wide)
    assert 2 <= len(names) <= 5 and len(set(names)) == len(names), names


def test_the_ladder_that_is_shown_is_followed_over_time_where_it_was_run_again(tmp_path):
    from exp_core.book.drawing import over_time

    results = [library.result("p", "e", n=n) for n in (16, 16, 16, 64, 64, 128)]
    measured = library.history(tmp_path / "h.db", *results)
    points = measured.over_time(("p", "e"))

    def drawn(run):
        return str(over_time(points, "e", measured.run(run).configuration).markup)

    assert "n = 64" in drawn(4)
    assert "n = 16" in drawn(6), "and else what was run most often"


def test_a_single_moment_has_a_scale_and_no_two_lines_look_alike(tmp_path):
    from exp_core.history.series import series
    from exp_core.report.history_figure import ALONE_DAYS, draw_panel

    one = library.result("p", "e")
    rows = tuple(replace(one.rows[0], name=f"other{k}") for k in range(12))
    measured = library.history(tmp_path / "h.db", replace(one, rows=(*one.rows, *rows)))
    found = [each for each in series(measured.over_time(("p", "e"))) if each.rung != "library"]
    axes = Figure().subplots()
    draw_panel(axes, found, [found[0].points[0].machine])
    low, high = axes.get_xlim()
    assert high - low == pytest.approx(2 * ALONE_DAYS)
    looks = [(handle.get_color(), handle.get_linestyle()) for handle in axes.get_legend_handles_labels()[0]]
    assert len(looks) > 12 and len(set(looks)) == len(looks)


def test_paper_lies_under_every_legend():
    text = figure(lambda axes: (axes.plot([1, 2], label="line"), axes.legend(frameon=False)))
    assert re.search(rf'<path[^>]*fill="light-dark\(#ffffff,{PAPER}\)"[^>]*opacity="0.85"', text) or re.search(
        rf'<g[^>]*opacity="0.85"[^>]*><path[^>]*fill="light-dark\(#ffffff,{PAPER}\)"', text
    )
