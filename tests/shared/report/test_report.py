"""Results as text: exact in files, readable in tables, and never able to break out of their cell."""

import csv
import io
import json
import math

import jsonschema
import pytest
from rich.console import Console

from exp_core.catalogue import read_catalogue
from exp_core.raced import Raced
from exp_core.report import export, terminal, units
from exp_core.report.console import console
from exp_core.report.docstring import WINS, readable, sections, why_the_library_wins
from exp_core.report.explain import print_explanation
from exp_core.results import Result
from exp_core.row import Check, Row
from exp_core.scoreboard import Scoreboard, score

HOSTILE = "a|b\n<script>\x1b[31m[bold]x[/bold]\\"


def result(**changes):
    row = Row(
        HOSTILE, "yours", status="failed", reason=HOSTILE, checks=(Check("law", math.nan, 1.0), Check("b", 0.0, 0.0))
    )
    raced = Raced(
        "faster", 12.0, "plain", (1e-3, 1.1e-3), 7, 30, {"high_mild": 1, "low_mild": 0}, 1e-3, 1.9, 5e-4, 4e-3
    )
    good = Row(
        "fine",
        "compiled",
        status="ok",
        median_s=1e-3,
        ci95=(9e-4, 2e-3),
        flops=1e6,
        bytes=10.0,
        limit_s=5e-4,
        peak_memory_bytes=8e6,
        memory_seen="all",
        race=raced,
    )
    settings = {
        "sizes": {"n": 1048576, "tolerance": 1e-8},
        "dtype": "float64",
        "seed": 1,
        "rows": (row, good),
        "notes": (HOSTILE,),
    }
    return Result("toy", "toys", HOSTILE, "vector", **(settings | changes))


def test_json_has_no_nan_and_validates():
    text = export.to_json([result()])
    assert "NaN" not in text
    document = json.loads(text)
    jsonschema.validate(document, export.schema())
    assert document["implementations"][0]["error"] is None
    assert document["implementations"][0]["name"] == HOSTILE
    assert document["implementations"][1]["fraction_of_limit"] == pytest.approx(0.5)
    assert document["sizes"] == {"n": 1048576, "tolerance": 1e-8}


def test_json_of_a_whole_run_is_a_list_and_the_scoreboard():
    results = [result(), result()]
    document = json.loads(export.to_json(results, Scoreboard(tuple(map(score, results)))))
    jsonschema.validate(document, export.schema())
    assert len(document) == 3
    assert set(document[-1]) == {"scoreboard"}


@pytest.mark.parametrize("width", [60, 100, 160])
def test_rows_of_several_devices_stand_side_by_side_with_the_device_as_a_column(width):
    rows = [
        Row("fused", "compiled", device=device, status="ok", median_s=seconds, ratio_to_library=seconds)
        for device, seconds in (("cpu", 1e-3), ("metal", 1e-5))
    ]
    out = Console(file=io.StringIO(), width=width)
    terminal.print_result(result(rows=tuple(rows)), out)
    lines = [line.split() for line in out.file.getvalue().splitlines()]
    assert next(line for line in lines if "implementation" in line)[:3] == ["implementation", "device", "time"]
    assert [line[1:4] for line in lines if "fused" in line] == [["fused", "cpu", "1"], ["fused", "metal", "10"]]
    alone = Console(file=io.StringIO(), width=width)
    terminal.print_result(result(rows=(rows[0],)), alone)
    assert "device" not in alone.file.getvalue(), "one that everybody has needs no column"


def test_a_result_can_be_read_back():
    """What JSON cannot hold (NaN) comes back as what it stood for; everything else to the last bit."""
    document = json.loads(export.to_json([result(noise_floor=0.1 + 0.2, machine={"fingerprint": "f"})]))
    again = Result.from_dict(document)
    assert again.to_dict() == document
    assert again.rows[1] == result().rows[1]
    assert math.isnan(again.rows[0].checks[0].error)


@pytest.mark.parametrize(
    "spoil", [{"implementations": None}, {"implementations": [{}]}, {"implementations": 3}, {"sizes": ...}]
)
def test_what_is_no_result_is_refused_in_one_sentence(spoil):
    document = json.loads(export.to_json([result()])) | spoil
    with pytest.raises(ValueError, match="no result"):
        Result.from_dict({k: v for k, v in document.items() if v is not ...})


@pytest.mark.parametrize("field", ["experiment", "implementations", "noise_floor", "machine", "notes", "processes"])
def test_the_schema_refuses_what_lacks_a_field(field):
    document = json.loads(export.to_json([result()]))
    del document[field]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, export.schema())


def test_csv_keeps_sizes_exact():
    assert '"n = 1048576, tolerance = 1e-08"' in export.to_csv([result()])


def test_markdown_cells_hold_what_they_are_given():
    table = [line for line in export.to_markdown([result()]).splitlines() if line.startswith("| `")]
    assert len(table) == 2
    unescaped = table[0].replace("\\\\", "").replace("\\|", "")
    assert unescaped.count("|") == 10
    assert "<script>" not in table[0]


def test_a_table_prints_hostile_text_as_text(capsys):
    terminal.print_result(result(), console(), verbose=True)
    out = capsys.readouterr().out
    assert "\x1b" not in out, "escape sequences of others must not reach the terminal"
    assert "[bold]x[/bold]" in out, "nor is markup read"


def test_who_wants_to_know_is_told_how_a_time_came_about(capsys):
    terminal.print_result(result(), console(), verbose=True)
    out = capsys.readouterr().out
    for said in (
        "faster than the library; 2 samples of 7 calls after 30 calls of warm-up; outliers: 1 high mild",
        "1.9 cores busy",
        "pays off after 12 calls against plain",
        "memory of all",
    ):
        assert said in out
    assert " 500 µs " in out and " 4 ms " in out, "many calls in flight, and cold caches, have columns"
    terminal.print_result(result(), console())
    assert "warm-up" not in capsys.readouterr().out


def test_the_csv_counts_samples_and_outliers():
    *_, line = csv.DictReader(io.StringIO(export.to_csv([result()])))
    assert (line["samples"], line["calls"], line["outliers"], line["verdict"]) == ("2", "7", "1", "faster")
    assert (line["in_flight_s"], line["cold_s"], line["memory_seen"]) == ("0.0005", "0.004", "all")


def test_a_result_of_an_earlier_version_can_still_be_read():
    document = json.loads(export.to_json([result()]))
    for added in ("notes", "processes", "foreign_cores"):
        del document[added]
    for row in document["implementations"]:
        del row["race"], row["memory_seen"]
    again = Result.from_dict(document)
    assert (again.notes, again.processes, again.rows[1].race) == ((), 1, None)


def test_writing_is_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "out.json"
    export.write(file, "old")

    def no_space(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export.os, "replace", no_space)
    with pytest.raises(OSError, match="No space"):
        export.write(file, "new")
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_only_what_stands_between_dollars_is_a_formula():
    assert readable("a_b costs $x^2$ and more_so") == "a_b costs x² and more_so"


def test_a_docstring_s_headings_become_sections():
    body = "\nProblem   one\n          two\nLook for  three\n"
    assert sections(body) == [("Problem", "one two"), ("Look for", "three")]


def test_why_the_library_wins_stands_by_itself():
    body = "Idea      one\nLook for  two.  Why the library wins below $n^2$:\n          it packs.\nSource    me\n"
    assert sections(body)[1:] == [("Look for", "two."), (WINS, "Below $n^2$: it packs."), ("Source", "me")]
    assert why_the_library_wins(body) == "Why the library wins below n²: it packs."
    assert why_the_library_wins("Look for  two\nSource    Why the library wins, a book") == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.00059, "0.00059×"), (0.5, "0.50×"), (3.14159, "3.14×"), (123.4, "123×"), (math.inf, "–")],
)
def test_factors(value, text):
    assert units.factor(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (0.5, "50%"), (0.0123, "1.2%"), (0.095, "10%"), (1, "100%")])
def test_percentages(value, text):
    assert units.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.8e8, "0.38 GB/s"), (7.74e11, "774 GB/s"), (9.994e11, "999 GB/s"), (9.996e11, "1 TB/s"), (6.7e13, "67 TB/s")],
)
def test_a_column_of_speeds_has_one_unit_up_to_a_thousand_of_it(value, text):
    assert units.speed(value, "B/s") == text


@pytest.mark.parametrize(("n", "text"), [(1048576, "1048576"), (2.0, "2"), (0.5, "0.5"), (1e-8, "1e-08")])
def test_a_size_on_an_axis_has_all_of_its_digits(n, text):
    from exp_core.report.scaling_figure import size_text

    assert size_text(n) == text


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_word_of_an_explanation_is_torn_apart(width):
    """Every word of the ladder's titles that fits into the terminal is there in one piece."""
    entry = read_catalogue("maths_exp").entries["minimise"]
    stream = io.StringIO()
    print_explanation(entry, entry.load(), Console(file=stream, width=width, force_terminal=True, color_system=None))
    shown = stream.getvalue().split()
    for implementation in entry.load().implementations:
        words = implementation.title.split() if "$" not in implementation.title else []
        assert [word for word in words if len(word) <= width - 6 and word not in shown] == []
