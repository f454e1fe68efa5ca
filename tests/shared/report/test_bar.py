"""The line at the bottom of a terminal: as much of it as there are columns, and two that stay free."""

import io
import re

import pytest
from rich.cells import cell_len

from exp_core.report import console
from exp_core.report.bar import Line
from exp_core.report.training import moment_in, moment_words
from exp_core.training.job import Moment

STEP = re.compile(r"\r|\n|\x1b\[[0-9;?]*[a-zA-Z]")
MOMENT = Moment(40, 400, 2.34567, 26_843.0, 12.3, {"held-out loss": 2.5634})


@pytest.fixture(params=[12, 20, 40, 80, 200])
def width(request):
    return request.param


@pytest.fixture
def screen(width, monkeypatch):
    """What a terminal of this width is sent."""
    sent = io.StringIO()
    out = console.Output(file=sent, force_terminal=True, width=width, legacy_windows=False, color_system=None)
    monkeypatch.setattr(console, "console", lambda *, stderr=False: out)
    return sent


def shown(sent):
    """The lines that it shows, one after the other."""
    return [line for line in STEP.split(sent.getvalue()) if line.strip()]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("gpt", ""),
        ("qr: trying modified_gram_schmidt_rows", ""),
        ("fft 3/15: n = 4096", "12.3 s left"),
        ("名前" * 9, "1 s"),
    ],
)
def test_two_columns_stay_free(screen, width, before, after):
    line = Line()
    line.show(before, 0.5, after)
    line.close()
    last = shown(screen)[-1]
    assert cell_len(last.rstrip()) <= width - 2, "what is echoed of Ctrl-C, ^C, would begin a new line"
    assert re.search("[━╸╺]", last)
    if width >= 80:
        assert before in last
        assert after in last


def test_a_pipe_gets_nothing(monkeypatch):
    sent = io.StringIO()
    monkeypatch.setattr(console, "console", lambda *, stderr=False: console.Output(file=sent, width=80))
    line = Line()
    line.show("gpt", 0.5, "12 s left")
    line.close()
    assert not line.shown
    assert sent.getvalue().strip() == ""


@pytest.mark.parametrize(
    ("room", "words"),
    [
        (80, "loss 2.3457  held-out loss 2.563  26,843 tokens/s  12.3 s left"),
        (62, "loss 2.3457  held-out loss 2.563  26,843 tokens/s  12.3 s left"),
        (61, "loss 2.3457  held-out loss 2.563  12.3 s left"),
        (44, "loss 2.3457  12.3 s left"),
        (23, "loss 2.3457"),
        (6, "loss 2"),
        (0, ""),
        (-3, ""),
    ],
)
def test_what_matters_most_is_said_of_a_training_run(room, words):
    assert moment_in(room, MOMENT, "tokens") == words


def test_nothing_is_lost_where_there_is_room():
    assert moment_words(MOMENT, "tokens") == "loss 2.3457  held-out loss 2.563  26,843 tokens/s"
    first = Moment(1, 400, 4.0, None, None, {})
    assert moment_in(80, first, "tokens") == moment_words(first, "tokens") == "loss 4.0000"
