"""A third party's experiment whose every word is hostile: escape sequences, HTML, markup, brackets, line ends."""

from __future__ import annotations

import html.parser
import json
import sys

import pytest
from bad_day.program import LADDER, OnTerminal, run

EVIL = "\\x1b]0;owned\\x07\\x1b[31m\\x9b31m\\u202e[/][bold]<script>alert(1)</script>|\\r\\x08"
RAW = ("\x1b]0;", "\x1b[31m", "\x9b", "\x07", "\x08", "\u202e")
SOURCE = f'''"""Evil {EVIL}: a title that steers.

Problem   {EVIL}
Idea      {EVIL}
Look for  {EVIL}
Source    {EVIL}
"""
from typing import Annotated
import numpy as np
from exp_core import Cost, Experiment, Implementation, Problem, Skip

def fine(x):
    """{EVIL}"""
    return x

def raising(x):
    """{EVIL}"""
    raise ValueError("{EVIL}")

def skipping(x):
    """{EVIL}"""
    return x

def wrong(x):
    """{EVIL}"""
    return x + 1

def numbers(n: Annotated[int, "{EVIL}"] = 4, *, dtype, rng):
    """{EVIL}"""
    if n == 3:
        raise ValueError("{EVIL}")
    return (np.arange(n, dtype=dtype),)

def cost(x): return Cost(flops=1, bytes=x.nbytes)
def bound(x): return 0.0
def law(y, x): return float(abs(y - x).max())
def picture(figure, x): figure.subplots().plot(x)

EXPERIMENT = Experiment(
    problems=(Problem(numbers, small={{"n": 2}}),), laws={{"{EVIL}": law}}, figures={{"{EVIL}": law}}, picture=picture,
    implementations=(
        Implementation(fine, "textbook", cost=cost, bound=bound),
        Implementation(raising, "vectorised", cost=cost, bound=bound),
        Implementation(skipping, "compiled", cost=cost, bound=bound, skip=lambda x: Skip("{EVIL}", "{EVIL}")),
        Implementation(wrong, "library", cost=cost, bound=bound, unstable={{"numbers": "{EVIL}"}}),
    ),
)
'''


@pytest.fixture(scope="module")
def site(tmp_path_factory, swift):
    """A package beside ours that joined the catalogue through the entry point."""
    folder = tmp_path_factory.mktemp("third")
    topic = folder / "acme" / "topic"
    topic.mkdir(parents=True)
    (folder / "acme" / "__init__.py").write_text("")
    (topic / "__init__.py").write_bytes(b'"""Topic \x1b]0;owned\x07\x1b[31m <script>alert(1)</script>."""\n')
    (topic / "evil.py").write_text(SOURCE, encoding="utf-8")
    (topic / "broken.py").write_text(f'"""Broken."""\nraise ValueError("{EVIL}")\n', encoding="utf-8")
    about = folder / "acme-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[exp_core.experiments]\nmaths_exp.acme = acme\n")
    (folder / "sitecustomize.py").write_text((swift / "sitecustomize.py").read_text())
    return folder


def harmless(text: str) -> None:
    """No character that steers a terminal is in it."""
    for raw in RAW:
        assert raw not in text, (raw, text)
    assert all(character.isprintable() or character in "\n\t" for character in text)


@pytest.mark.parametrize(
    "words",
    [("list",), ("evil", "--explain"), ("evil", "--help"), ("evil", "--budget", "0.05", "-v"), ("evil", "--n", "3"),
     ("evil", "--sweep", "n=2,4", "--budget", "0.1", "-v"), ("broken",), ("broken", "--help"),
     ("evil", "--source", "fine"),
     ("history",), ("evil", "--problem", "\x1b[31mx"), ("\x1b[31m",), ("history", "\x9b31m")],
    ids=lambda words: ascii(" ".join(words))[:30],
)  # fmt: skip
def test_words_of_others_steer_no_terminal(words, site, tmp_path):
    done = run("maths_exp", *words, custom=site, EXP_CORE_DATA=str(tmp_path))
    assert done.code in (0, 1, 2), done
    harmless(done.out)
    harmless(done.err)
    assert "Traceback" not in done.out + done.err


def test_words_of_others_steer_no_terminal_with_colours(site):
    """On a real terminal: the only escape sequences are our own colours and the progress bar's."""
    done = OnTerminal(("maths_exp", "evil", "--budget", "0.05", "-v"), out=True, custom=site, NO_COLOR="").end()
    assert done.code == 1, done
    for raw in ("\x1b]0;", "\x9b", "\x07", "\u202e", "owned\x07"):
        assert raw not in done.err
    assert "Traceback" not in done.err


class Tags(html.parser.HTMLParser):
    """Every tag in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.found.append(tag)


def test_words_of_others_are_no_html_in_documents(site, tmp_path):
    """Markdown that a page is made of, CSV that a terminal may show, JSON that holds what was said."""
    names = [word for kind in ("json", "csv", "markdown") for word in (f"--{kind}", str(tmp_path / kind))]
    done = run("maths_exp", "evil", "--budget", "0.05", *names, custom=site, EXP_CORE_DATA=str(tmp_path))
    assert done.code == 1, done
    markdown = (tmp_path / "markdown").read_text(encoding="utf-8")
    harmless(markdown)
    parser = Tags()
    parser.feed(markdown)
    assert parser.found == []
    harmless((tmp_path / "csv").read_text(encoding="utf-8"))
    assert json.loads((tmp_path / "json").read_text(encoding="utf-8"))["experiment"] == "evil"


def test_the_checks_see_what_is_not_neutralised(monkeypatch, capsys):
    """Without the console's own care an escape sequence reaches the terminal; with it, it does not."""
    from rich.console import Console

    from exp_core.report import console

    console.console().print("a\x1b[31mb")
    harmless(capsys.readouterr().out)
    monkeypatch.setattr(console.Output, "render", Console.render)
    console.console().print("a\x1b[31mb")
    with pytest.raises(AssertionError):
        harmless(capsys.readouterr().out)


@pytest.mark.skipif(sys.platform == "win32", reason="such names are no names there")
def test_a_file_with_a_hostile_name(tmp_path, swift):
    """The user's own function, in a file whose name steers, ends a line, is markup, and is no text."""
    name = "a\x1b[31m[bold]\n\udcff.py"
    (tmp_path / name).write_text(
        "import numpy as np\ndef f(x): return np.sum(x)\ndef bad(x): raise ValueError('\\x1b[31m')\n"
    )
    for function in ("f", "bad", "nothing"):
        words = (*LADDER, "--with", f"{tmp_path / name}:{function}", "--no-store")
        done = run(*words, custom=swift, EXP_CORE_DATA=str(tmp_path))
        assert done.code == {"f": 0, "bad": 1, "nothing": 2}[function], done
        harmless(done.out)
        harmless(done.err)
    shown = OnTerminal((*LADDER, "--with", f"{tmp_path / name}:f", "--no-store"), out=True, custom=swift).end()
    assert shown.code == 0, shown
    assert "Traceback" not in shown.err
