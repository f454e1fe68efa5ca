"""What is asked for is what comes, in the order of time; and words mean the runs that they name."""

from __future__ import annotations

import errno
import io
import json
import os
import sys

import past
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exp_core.history import Database, HistoryError, store
from exp_core.history.choose import baseline, choose, matched, read_results
from exp_core.history.filter import Filter
from exp_core.history.queries import every, held, measurements, newest, newest_of_each, run_by_id
from exp_core.history.revision import State
from exp_core.history.series import series
from exp_core.history.transfer import lines, read_export, read_lines

A, B = "a" * 40, "b" * 40
TOYS = Filter(experiment="toy")


@pytest.fixture
def database(tmp_path):
    """Two machines, two sizes, two revisions, one run that was interrupted, and one of another package."""
    path = tmp_path / "history.db"
    runs = [
        past.run(at=0, revision=A),
        past.run(at=2, revision=A, n=128),
        past.run(at=1, revision=B, machine="there"),  # stored later, made earlier
        past.run(at=3, revision=B, dirty=True),
        past.run(at=4, revision=B, dirty=True, interrupted=True),
        past.run(past.row(threads=2, device="metal"), at=5, experiment="other", package="others"),
    ]
    store(runs, path, measured_now=False)
    with Database(path, write=False) as opened:
        yield opened


@pytest.mark.parametrize(
    ("asked", "runs"),
    [
        (Filter(), [1, 3, 2, 4, 6]),
        (Filter(complete=False), [1, 3, 2, 4, 5, 6]),
        (Filter(packages=("toys",)), [1, 3, 2, 4]),
        (Filter(packages=("toys", "others")), [1, 3, 2, 4, 6]),
        (Filter(experiment="other"), [6]),
        (Filter(problem="matrix"), []),
        (Filter(sizes={"n": 128.0}), [2]),
        (Filter(sizes={"m": 1}), []),
        (Filter(dtype="float32"), []),
        (Filter(threads=2), [6]),
        (Filter(machine="there"), [3]),
        (Filter(revision="aaaa"), [1, 2]),
        (Filter(revision="AAAA"), [1, 2]),
        (Filter(dirty=True), [4]),
        (Filter(dirty=False), [1, 3, 2, 6]),
        (Filter(problem="' OR 1 --"), []),
    ],
)
def test_filters(database, asked, runs):
    assert list(dict.fromkeys(m.run for m in measurements(database, asked))) == runs
    assert [run.id for run in every(database, asked)] == runs


def test_rows_can_be_asked_for(database):
    assert {m.name for m in measurements(database, Filter(implementations=("ours",)))} == {"ours"}
    assert [m.run for m in measurements(database, Filter(device="metal"))] == [6]
    (first, *_) = measurements(database, Filter(implementations=("ours",)))
    assert (first.median_s, first.ratio, first.status) == (1e-3, 1.0, "ok")
    assert first.ci95 == pytest.approx((1e-3 / 1.01, 1.01e-3))


def test_newest(database):
    assert newest(database, Filter()).id == 6
    assert newest(database, Filter(experiment="toy")).id == 4
    assert newest(database, Filter(experiment="toy"), before=4).id == 3
    assert [run.id for run in newest_of_each(database, Filter(experiment="toy"))] == [2, 4]
    assert run_by_id(database, 5).result.interrupted
    assert run_by_id(database, 99) is None
    assert [(each.experiment, each.runs, each.machines) for each in held(database, ("toys",))] == [("toy", 5, 2)]


def test_words_mean_runs(database, tmp_path):
    def sizes(word, asked=TOYS):
        return [result.sizes["n"] for result in choose(word, database, asked, None)]

    assert sizes("#2") == sizes("2") == [128]
    assert sizes("last") == [64]
    assert sizes("previous") == [64]
    assert sizes("aaaaaaa") == [64, 128]
    file = tmp_path / "out.json"
    file.write_text(json.dumps(past.run(n=7).result.to_dict()))
    assert sizes(str(file)) == [7]
    file.write_text(json.dumps([past.run(n=8).result.to_dict(), {"scoreboard": {}}]))
    assert sizes(str(file)) == [8]
    for word, says in (("#77", "no run #77"), ("nowhere", "is no run"), ("cccccccc", "no run at cccccccc")):
        with pytest.raises(HistoryError, match=says):
            sizes(word)
    with pytest.raises(HistoryError, match="the only one"):
        sizes("previous", Filter(experiment="other"))
    with pytest.raises(HistoryError, match="nothing is stored"):
        sizes("last", Filter(experiment="none"))


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", '{"a": 1}', "[1]", '[{"scoreboard": {}}]'])
def test_a_file_that_holds_no_result_is_refused(tmp_path, text):
    file = tmp_path / "out.json"
    file.write_text(text)
    with pytest.raises(HistoryError, match="holds no result"):
        read_results(file)


def test_a_baseline_is_what_was_run_at_that_commit_and_now_is_now(database):
    asked = Filter(experiment="toy")
    then, now = baseline(A, State(B, True), database, asked)
    assert ([r.sizes["n"] for r in then], [r.sizes["n"] for r in now]) == ([64, 128], [64])
    assert len(matched(then, now)) == 1
    for commit, state, says in [
        ("c" * 40, State(B, True), "no run of cccccccccccc itself"),
        (A, State("c" * 40, False), "as they are now"),
        (A, State(A, False), "nothing to compare"),
    ]:
        with pytest.raises(HistoryError, match=says):
            baseline(commit, state, database, asked)


def test_runs_of_other_sizes_are_not_held_against_each_other():
    with pytest.raises(HistoryError, match=r"sizes .*64.* and .*128"):
        matched([past.run().result], [past.run(n=128).result])


def test_a_series_carries_its_steps_and_their_cause(tmp_path):
    path = tmp_path / "history.db"
    wiggle = [1 + 0.001 * (i * 7 % 5) for i in range(20)]
    runs = [
        past.run(past.row(ratio=(2.0 if i < 10 else 1.0) * wiggle[i]), past.row("library", rung="library"), at=i,
                 sources={"ours": "old" if i < 10 else "new"})
        for i in range(20)
    ]  # fmt: skip
    store(runs, path)
    with Database(path, write=False) as opened:
        ours, library = series(measurements(opened, Filter()))
    (mark,) = ours.marks
    assert (mark.run, mark.source_changed) == (11, True)
    assert mark.step.factor == pytest.approx(0.5, rel=0.01)
    assert mark.text == "▼ 2.00× slower, its source changed"
    assert ours.mark(11) is mark
    assert ours.mark(12) is None
    assert library.marks == ()


@settings(max_examples=30)
@given(st.lists(st.sampled_from("abc"), max_size=6), st.integers(0, 2**70))
def test_an_export_read_again_is_the_same(machines, seed):
    runs = [past.run(machine=machine, seed=seed) for machine in machines]
    back = read_lines(lines(runs), "x")
    assert [run.to_json() for run in back] == [run.to_json() for run in runs]


def test_a_broken_export_is_refused_with_its_line(tmp_path):
    file = tmp_path / "out.jsonl"
    file.write_text(past.run().to_json() + "\n\n{}\n")
    with pytest.raises(HistoryError, match="line 3: this is no run"):
        read_export(str(file))
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(HistoryError, match="UTF-8"):
        read_export(str(file))
    with pytest.raises(HistoryError, match="cannot be read"):
        read_export(str(tmp_path / "nowhere"))


class _Gone(io.StringIO):
    def __next__(self):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize(
    ("stream", "words"), [(_Gone(), "cannot be read: Input"), (io.TextIOWrapper(io.BytesIO(b"\xff"), "utf-8"), "UTF-8")]
)
def test_standard_input_that_cannot_be_read_is_refused(monkeypatch, stream, words):
    """A terminal that has gone, a file that is no text."""
    monkeypatch.setattr(sys, "stdin", stream)
    with pytest.raises(HistoryError, match=f"standard input.*{words}"):
        read_export("-")


def test_a_database_set_aside_can_be_imported(tmp_path):
    path = tmp_path / "history.db"
    store([past.run(), past.run()], path)
    assert len(read_export(str(path))) == 2
