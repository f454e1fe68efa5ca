"""The one flow, on a toy whose implementations fail in every way."""

from contextlib import nullcontext
from dataclasses import replace
from typing import Annotated

import numpy as np
import pytest
import toys

from exp_core import Problem, admission, findings, racing
from exp_core.ladder import climb
from exp_core.machine import Bandwidth, Limits, Peaks
from exp_core.prediction import Prediction
from exp_core.raced import Raced
from exp_core.refusal import Refused
from exp_core.results import Result
from exp_core.row import Check, Row
from exp_core.scoreboard import Scoreboard, score
from exp_core.timing import Comparison, Timing


def rows_of(result):
    return {row.name: row for row in result.rows}


def test_right_ones_are_timed_and_held_against_the_library():
    result = climb(toys.request("looped", "doubled", "library"))
    assert [row.status for row in result.rows] == ["ok"] * 3
    for row in result.rows:
        assert row.median_s > 0
        assert row.ci95[0] <= row.median_s <= row.ci95[1]
        assert row.first_call_s > 0
        assert row.ratio_ci95[0] <= row.ratio_to_library <= row.ratio_ci95[1]
        assert (row.flops, row.bytes) == (64, 1024)
        assert row.limit_s > 0
    assert rows_of(result)["library"].ratio_to_library == 1.0
    assert result.exit_code == 0
    assert result.noise_floor is not None


@pytest.mark.parametrize("name", ["wrong", "not_a_number", "misshapen"])
def test_a_wrong_one_is_never_timed(name):
    row = rows_of(result := climb(toys.request(name, "doubled")))[name]
    assert row.status == "wrong"
    assert row.reason
    assert row.median_s is None
    assert rows_of(result)["doubled"].status == "ok"
    assert result.exit_code == 1


def test_a_failing_one_takes_nobody_down():
    rows = rows_of(climb(toys.request("raising", "writing", "doubled")))
    assert (rows["raising"].status, rows["raising"].reason) == ("failed", "RuntimeError: the sky fell")
    assert (rows["writing"].status, rows["writing"].reason) == ("failed", "it changed its input")
    assert rows["doubled"].status == "ok", "it must get an input that nobody has changed"


def test_a_promise_is_not_timed_as_if_it_were_a_result():
    row = rows_of(climb(toys.request("promising", "doubled")))["promising"]
    assert row.status == "failed" and row.median_s is None
    assert row.reason.startswith("Unevaluated: it returned a generator")


def with_changes(request, **changes):
    return replace(request, experiment=replace(request.experiment, **changes))


def test_what_an_experiment_says_of_its_input_stands_first_below_the_table():
    request = with_changes(toys.request("doubled"), remarks=lambda x: [f"{x.size} numbers", "and no more"])
    assert climb(request).notes[:2] == ("64 numbers", "and no more")
    assert Result.from_dict(climb(request).to_dict()).notes[:2] == ("64 numbers", "and no more")
    failed = climb(with_changes(request, remarks=lambda x: [x.no_such_thing]))
    assert failed.notes[0].startswith("no remarks: AttributeError") and failed["doubled"].median_s > 0


def test_a_figure_without_a_value_leaves_its_place_empty(monkeypatch):
    monkeypatch.setenv("COLUMNS", "110")
    request = with_changes(
        toys.request("doubled"), figures={"length": lambda y, x: y.size, "none": lambda y, x: np.nan}
    )
    result = climb(request)
    assert result["doubled"].to_dict()["figures"] == {"length": 64.0, "none": None}
    assert "length" in str(result) and "none" not in str(result)


def test_the_bar_shows_what_the_making_of_an_input_waits_for():
    from exp_core import waiting

    request, seen = toys.request("doubled"), []
    make = request.problem.make

    def patient(n: Annotated[int, "length"] = 64, *, dtype, rng):
        """It takes its time."""
        waiting.tell("knitting a vector: row 3 of 4")
        return make(n, dtype=dtype, rng=rng)

    climb(replace(request, problem=Problem(patient)), lambda stage, fraction: seen.append(stage))
    assert "knitting a vector: row 3 of 4" in seen
    seen.clear()
    waiting.tell("nobody listens any more")
    assert not seen


def test_a_row_says_how_its_time_came_about():
    rows = rows_of(climb(toys.request("looped", "doubled", "library", n=10_000, cold=True)))
    for row in rows.values():
        assert len(row.race.samples) >= 3 and row.race.calls >= 1
        assert 0 < row.race.busy_cores < 1.5
        assert row.race.cold_s > 0 and row.race.in_flight_s is None
    assert rows["library"].race.verdict is None, "it is not held against itself"
    assert rows["looped"].race.verdict in ("slower", "undecided")
    assert rows["doubled"].peak_memory_bytes == pytest.approx(80_000, rel=0.1), "one vector is its result"
    assert rows["doubled"].memory_seen


def raced_rows():
    """A compiled row that gains 1 ms a call on the vectorised one, and 1 s of whose first call is compilation."""
    samples = {"fast@cpu": (1e-3,) * 8, "plain@cpu": (2e-3,) * 8}
    firsts = {"fast@cpu": 1.0, "plain@cpu": 2e-3}
    timings = [Timing.of(k, firsts[k], v, 1, "", 0, busy_cores=2.0, isolated=(9e-3,) * 8) for k, v in samples.items()]
    rows = {
        "fast@cpu": Row("fast", "compiled", status="ok", median_s=1e-3, first_call_s=1.0),
        "plain@cpu": Row("plain", "vectorised", status="ok", median_s=2e-3, first_call_s=2e-3),
    }
    return Comparison.of(timings, 0, (0.0,) * 8, 0.5), rows


def test_it_is_said_when_compilation_pays_and_who_was_disturbed():
    comparison, rows = raced_rows()
    rows = {key: replace(row, race=findings.raced(comparison, key, None, rows)) for key, row in rows.items()}
    assert rows["fast@cpu"].race.pays_off_after == 999
    assert rows["fast@cpu"].race.pays_off_against == "plain"
    assert rows["plain@cpu"].race.pays_off_after is None, "it compiles nothing"
    said = findings.remarks(comparison, rows, 1, lambda key: rows[key].name)
    for sentence in (
        "fast takes 9 ms alone and 1 ms in the race: neighbours change it",
        "other processes used 0.50 cores meanwhile",
        "fast kept 2.0 cores busy, and 1 is the limit for all",
        "fast has paid for its first call of 1 s after 999 calls, against plain",
    ):
        assert sentence in said
    assert not [line for line in findings.remarks(comparison, rows, 2, str) if "the limit" in line]


def test_a_pool_that_has_other_threads_than_it_should_is_named(monkeypatch):
    comparison, rows = raced_rows()
    monkeypatch.setattr(findings, "verify_threads", lambda threads: [f"openblas has 4 threads, not {threads}"])
    assert "after the race openblas has 4 threads, not 2" in findings.remarks(comparison, rows, 2, str)


@pytest.mark.parametrize(
    ("verdict", "said"), [("slower", True), ("faster", False), ("undecided", False), (None, False)]
)
def test_where_the_library_wins_the_file_says_why(verdict, said, tmp_path):
    rows = raced_rows()[1]
    file = tmp_path / "toy.py"
    file.write_text('"""Toy: doubling.\n\nLook for  Nothing.  Why the library wins: it knows $2 x$.\nSource    -\n"""')
    rows["library@cpu"] = Row("library", "library", status="ok", median_s=5e-4)
    rows["plain@cpu"] = replace(rows["plain@cpu"], race=Raced(verdict="slower"))
    rows["fast@cpu"] = replace(rows["fast@cpu"], race=Raced(verdict=verdict))
    words = list(findings.why_slower(rows, replace(toys.ENTRY, path=file)))
    assert words == (["Why the library wins: it knows 2 x."] if said else []), "only our fastest row decides"
    assert not list(findings.why_slower(rows, toys.ENTRY)), "a file without such words says nothing"


def test_the_ladder_says_why_the_library_wins(tmp_path):
    file = tmp_path / "toy.py"
    file.write_text('"""Toy: doubling.\n\nLook for  Nothing.  Why the library wins: it sleeps less.\n"""')
    lost = climb(replace(toys.request("slow", "library"), entry=replace(toys.ENTRY, path=file)))
    assert rows_of(lost)["slow"].race.verdict == "slower", "64 ms against a microsecond"
    assert lost.notes[-1] == "Why the library wins: it sleeps less."


def test_unstable_is_only_where_it_was_declared():
    row = rows_of(result := climb(toys.request("wrong", problem="hard")))["wrong"]
    assert (row.status, row.reason) == ("unstable", "unstable here, as theory says: it forgets")
    assert row.median_s is None
    assert result.exit_code == 0


def test_those_who_cannot_run_say_why_and_what_mends_it():
    rows = rows_of(climb(toys.request("absent", "picky", "hungry", "doubled")))
    assert {rows[name].status for name in ("absent", "picky", "hungry")} == {"skipped"}
    assert rows["absent"].reason == "needs no_such_module; pip install no_such_module"
    assert rows["picky"].reason == "too short; --n 1000"
    assert "GB of working storage" in rows["hungry"].reason
    assert rows["doubled"].status == "ok"


def test_what_the_budget_cannot_hold_is_skipped_with_the_prediction():
    """Foretold from small trials: it is never run at its full 20 seconds."""
    row = rows_of(climb(toys.request("slow", n=20_000)))["slow"]
    assert row.status == "skipped"
    assert 15 < float(row.reason.split()[1]) < 40
    assert "a call" in row.reason
    assert "--budget" in row.reason
    assert row.first_call_s is None


def test_the_cheapest_are_admitted_first(monkeypatch):
    seconds = {"looped": 3.0, "doubled": 0.001, "library": 0.001}
    monkeypatch.setattr(admission, "predict_call", lambda contestant, *_: Prediction(seconds[contestant.name]))
    rows = rows_of(climb(toys.request("looped", "doubled", "library", budget_s=1.0)))
    assert {name: row.status for name, row in rows.items()} == {"looped": "skipped", "doubled": "ok", "library": "ok"}


def test_the_library_is_admitted_before_all_others(monkeypatch):
    """Without it nobody could be ranked."""
    seconds = {"looped": 0.9, "doubled": 0.001, "library": 1.0}
    monkeypatch.setattr(admission, "predict_call", lambda contestant, *_: Prediction(seconds[contestant.name]))
    rows = rows_of(climb(toys.request("looped", "doubled", "library", budget_s=5.0)))
    assert {name: row.status for name, row in rows.items()} == {"looped": "skipped", "doubled": "ok", "library": "ok"}


def test_ctrl_c_leaves_a_partial_table():
    result = climb(toys.request("doubled", "impatient", "library"))
    rows = rows_of(result)
    assert result.interrupted
    assert result.exit_code == 130
    assert rows["doubled"].checks, "what was checked before is kept"
    assert rows["library"].reason == "interrupted before its turn"


def test_ctrl_c_while_timing_keeps_complete_rounds(monkeypatch):
    def interrupted(racers, **_):
        from exp_core.timing import Comparison, Interrupted, Timing

        timing = Timing("doubled@cpu", 0.1, 1e-3, (1e-3, 2e-3), (1e-3, 1e-3), 1, "")
        raise Interrupted(Comparison({"doubled@cpu": timing}, 0.01, 2, 0))

    monkeypatch.setattr(racing, "compare", interrupted)
    result = climb(toys.request("doubled"))
    assert result.interrupted
    assert result.rows[0].median_s == 1e-3


def test_an_input_that_cannot_fit_is_refused_before_any_work():
    with pytest.raises(Refused, match=r"--n 1000000000000 makes an input of 8,000\.0 GB"):
        climb(toys.request("doubled", n=10**12))


def test_a_size_that_the_problem_refuses_is_one_sentence():
    with pytest.raises(Refused, match="vector: n must not be 13"):
        climb(toys.request("doubled", n=13))


def peaks(flops=1e9, bandwidth=1e9):
    return Peaks(1, {"float64": flops}, (Bandwidth(1.0, bandwidth, bandwidth, bandwidth),), "compiled")


def test_the_impossible_wins_nothing_and_the_exit_code_is_about_answers():
    row = Row("f", "compiled", status="impossible", median_s=0.5, flops=1.0, bytes=1.0)
    slower = Row("g", "compiled", status="ok", median_s=1.0)
    result = Result("e", "p", "t", "o", {}, "float64", 0, (row, slower))
    assert result.best == slower
    assert result.exit_code == 0


def test_before_anybody_is_called_impossible_the_machine_is_measured_anew(monkeypatch):
    """Peaks from a slow day are replaced; those that hold are believed."""
    slow, fast = Limits(peaks(1.0, 1.0), {}), Limits(peaks(1e15, 1e15), {})
    monkeypatch.setattr(racing, "pacemakers", lambda rates, threads: nullcontext({}))  # the record is all there is
    monkeypatch.setattr(racing, "limits", lambda threads: slow)
    monkeypatch.setattr(racing, "limits_measured_anew", lambda before: fast)
    row = rows_of(climb(toys.request("doubled")))["doubled"]
    assert (row.status, row.reason) == ("ok", "")
    monkeypatch.setattr(racing, "limits_measured_anew", lambda before: slow)
    result = climb(toys.request("doubled"))
    assert rows_of(result)["doubled"].status == "impossible"
    assert result.exit_code == 0


def test_a_machine_that_has_drifted_is_said_in_the_result(monkeypatch):
    monkeypatch.setattr(racing, "limits", lambda threads: Limits(peaks(1e15, 1e15), {"L1": 1.1, "DRAM": 0.6}))
    (note,) = climb(toys.request("doubled")).limit_notes
    assert "DRAM 0.60×" in note
    assert "L1" not in note


def test_progress_is_told_from_start_to_end():
    told = []
    climb(toys.request("doubled", "library"), lambda stage, fraction: told.append((stage, fraction)))
    assert told[0] == ("making the input", 0.0)
    assert any(stage.startswith("checking") for stage, _ in told)
    assert told[-1] == ("timing", 1.0)


@pytest.mark.parametrize(
    ("error", "bound", "holds"),
    [(0.0, 0.0, True), (1.0, 2.0, True), (2.0, 1.0, False), (float("nan"), 1.0, False), (1e-300, 0.0, False)],
)
def test_a_check_can_fail(error, bound, holds):
    assert Check("law", error, bound).holds is holds
    assert (Check("law", error, bound).closeness <= 1) is holds


def test_the_worst_check_decides():
    row = Row("f", "textbook", checks=(Check("a", 1.0, 10.0), Check("b", 0.9, 1.0), Check("c", 0.0, 0.0)))
    assert row.worst.law == "b"


def test_the_scoreboard_takes_the_geometric_mean():
    def result(name, ratio):
        rows = (
            Row("ours", "compiled", status="ok", median_s=1.0, ratio_to_library=ratio),
            Row("lib", "library", status="ok", median_s=0.5, ratio_to_library=1.0),
            Row("mine.py:f", "yours", status="ok", median_s=0.1, ratio_to_library=9.0),
        )
        return Result(name, "p", "t", "o", {}, "float64", 0, rows)

    board = Scoreboard(tuple(score(result(str(ratio), ratio)) for ratio in (4.0, 1.0, 0.5)))
    assert [line.best for line in board.scores] == ["ours"] * 3, "neither the library nor the user is ours"
    assert board.geometric_mean == pytest.approx(2 ** (1 / 3))
