"""What is stored comes back as it was, once; and an order that no clock can spoil."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import past
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exp_core.history import Database, HistoryError, Run, database_path, schema, store
from exp_core.history.run import normal, seconds_of, sizes_key, stamp


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "history.db"


def stored(path):
    """All runs, in the order of storing."""
    with Database(path, write=False) as database:
        return [
            Run.from_json(text, number)
            for number, text in database.connection.execute("SELECT id, document FROM runs ORDER BY id")
        ]


def test_what_is_stored_comes_back(path):
    runs = [past.run(at=i, sources={"ours": "abc"}, revision="f" * 40, key="k") for i in range(3)]
    assert store(runs, path).ids == (1, 2, 3)
    back = stored(path)
    assert [run.id for run in back] == [1, 2, 3]
    assert [run.to_json() for run in back] == [run.to_json() for run in runs]
    assert back[0].result == runs[0].result
    assert (back[0].machine, back[0].threads, back[0].sources) == ("here", 1, {"ours": "abc"})


def test_an_unknown_number_stays_unknown(path):
    """A row without an interval, an infinite bound, a NaN error: the history keeps what JSON can say."""
    skipped = past.row("skipped", status="skipped", ratio_to_library=None, ratio_ci95=None, median_s=1.0, checks=())
    store([past.run(skipped)], path)
    (back,) = stored(path)
    assert back.result.rows[0].ratio_to_library is None
    with Database(path, write=False) as database:
        assert database.connection.execute("SELECT ratio_low, source FROM rows").fetchone() == (None, "")


def test_the_same_run_is_there_once(path):
    run = past.run()
    store([run], path)
    again = store([run, past.run()], path)
    assert (again.ids, again.known) == ((1, 2), 1)
    assert len(stored(path)) == 2


def test_all_of_them_or_none(path):
    """The second run cannot be stored, so the first is not either."""
    store([past.run()], path)
    bad = past.run(problem=object())
    with pytest.raises(Exception):  # noqa: B017  (which one does not matter: nothing may be half there)
        store([past.run(), bad], path)
    assert len(stored(path)) == 1


def test_the_folder_is_the_one_that_the_variable_names(tmp_path, monkeypatch):
    monkeypatch.setenv("EXP_CORE_DATA", str(tmp_path / "elsewhere"))
    assert database_path() == tmp_path / "elsewhere" / "history.db"
    store([past.run()])
    assert (tmp_path / "elsewhere" / "history.db").exists()
    monkeypatch.delenv("EXP_CORE_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert database_path().name == "history.db"


def test_reading_what_is_not_there_makes_nothing(path):
    assert stored(path) == []
    assert not path.parent.exists()


def test_a_clock_set_back_spoils_neither_order_nor_dates(path):
    """An hour back: dated like the one before, and said.  Ten days back: the date stays, and is said to mislead."""
    store([past.run(at=0.0)], path)
    (note,) = store([past.run(at=-3600.0)], path).notes
    assert "clock was set back since run #1" in note
    assert "\n" not in note
    assert store([past.run(at=-1.0)], path).notes == ()  # a second is what network time corrects
    (note,) = store([past.run(at=-10 * 86400.0)], path).notes
    assert "10 days" in note
    dates = [seconds_of(run.created_at) - past.START for run in stored(path)]
    assert dates == [0.0, 0.0, 0.0, -10 * 86400.0]


def test_another_machine_s_clock_and_imported_runs_are_their_own(path):
    store([past.run(at=0.0)], path)
    assert store([past.run(at=-3600.0, machine="there")], path).notes == ()
    assert store([past.run(at=-7200.0)], path, measured_now=False).notes == ()
    assert [seconds_of(run.created_at) - past.START for run in stored(path)] == [0.0, -3600.0, -7200.0]


@given(st.floats(0, 4e9))
def test_dates_sort_as_time_does(seconds):
    assert seconds_of(stamp(seconds)) == pytest.approx(seconds, abs=2e-6)
    assert stamp(seconds + 1) > stamp(seconds)
    assert normal(stamp(seconds)) == stamp(seconds)


def test_other_zones_and_naive_dates_are_made_universal():
    assert normal("2026-11-24T18:00:00+01:00") == "2026-11-24T17:00:00.000000Z"
    assert normal("2026-11-24T17:00:00") == "2026-11-24T17:00:00.000000Z"


def test_equal_sizes_are_equal_texts():
    assert sizes_key({"b": 2, "a": 1}) == sizes_key({"a": 1.0, "b": 2.0})
    assert sizes_key({"tolerance": 1e-8}) == '{"tolerance": 1e-08}'


@settings(max_examples=50)
@given(st.text())
def test_what_is_no_run_is_refused_in_one_sentence(text):
    with pytest.raises(ValueError, match="this is no run as history --export writes it"):
        Run.from_json(text)


@pytest.mark.parametrize("field", ["uuid", "created_at", "result", "sources", "key", "dirty", "revision"])
def test_a_run_without_one_of_its_fields_is_refused(field):
    import json

    plain = json.loads(past.run().to_json())
    del plain[field]
    with pytest.raises(ValueError, match="this is no run"):
        Run.from_json(json.dumps(plain))


def test_an_older_schema_is_brought_up_and_a_killed_migration_leaves_the_old_one(path):
    store([past.run()], path)

    def add_a_column(connection):
        connection.execute("ALTER TABLE runs ADD COLUMN mood TEXT NOT NULL DEFAULT 'good'")

    def break_off(connection):
        add_a_column(connection)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Database(path, write=True, steps=(*schema.MIGRATIONS, break_off))
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("PRAGMA user_version").fetchone() == (1,)
        assert plain.execute("SELECT count(*) FROM pragma_table_info('runs') WHERE name = 'mood'").fetchone() == (0,)
    newer = (*schema.MIGRATIONS, add_a_column)
    with Database(path, write=False, steps=newer) as database:  # a reader migrates a copy
        assert database.connection.execute("SELECT mood FROM runs").fetchone() == ("good",)
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("PRAGMA user_version").fetchone() == (1,)
    Database(path, write=True, steps=newer).close()
    with pytest.raises(HistoryError, match="written by a newer version") as refused:
        store([past.run()], path)
    assert "update the packages" in str(refused.value)
    assert len(Database(path, write=False, steps=newer).connection.execute("SELECT mood FROM runs").fetchall()) == 1


def test_another_program_s_database_is_left_alone(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("CREATE TABLE precious (x)")
    before = path.read_bytes()
    with pytest.raises(HistoryError, match="another program's database"):
        store([past.run()], path)
    assert path.read_bytes() == before
