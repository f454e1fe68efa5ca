"""A history that is locked, damaged, of an older or a newer version: the run goes on, and one sentence says so."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import past
import pytest
from bad_day.program import LADDER, one_sentence, run

from exp_core.history import Database, store
from exp_core.history.schema import MIGRATIONS


@pytest.fixture
def path(tmp_path):
    """A history with one run."""
    store([past.run()], tmp_path / "history.db")
    return tmp_path / "history.db"


def test_a_locked_history(path, swift):
    """Measured and printed; not stored, and said so."""
    custom = path.parent / "site"
    custom.mkdir()
    impatient = "from exp_core.history import connection, errors\nerrors.PATIENCE_S = connection.PATIENCE_S = 0.2\n"
    (custom / "sitecustomize.py").write_text((swift / "sitecustomize.py").read_text() + impatient)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = run(*LADDER, custom=custom, EXP_CORE_DATA=str(path.parent))
    assert done.code == 0, done
    assert "numpy_sum" in done.out
    assert "in use by another process" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("damage", ["garbage", "empty", "cut"])
def test_a_damaged_history(damage, path, swift):
    """Set aside, never deleted; the run is stored."""
    content = path.read_bytes()
    path.write_bytes({"garbage": b"no database\n" * 500, "empty": b"", "cut": content[: len(content) // 2 + 7]}[damage])
    done = run(*LADDER, custom=swift, EXP_CORE_DATA=str(path.parent))
    assert done.code == 0, done
    assert "Traceback" not in done.err
    listed = run("maths_exp", "history", "summation", EXP_CORE_DATA=str(path.parent))
    assert listed.code == 0, listed
    assert "numpy_sum" in listed.out
    assert bool(list(path.parent.glob("history-damaged-*.db"))) == (damage != "empty")


def test_an_older_history(tmp_path, swift):
    """Brought up to date, its runs kept."""
    with Database(tmp_path / "history.db", write=True, steps=MIGRATIONS[:1]):
        pass
    for command in (("maths_exp", "history"), LADDER):
        done = run(*command, custom=swift, EXP_CORE_DATA=str(tmp_path))
        assert (done.code, done.err) == (0, ""), done
    with Database(tmp_path / "history.db", write=False) as now:
        assert now.connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert now.connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_a_newer_history(path, swift):
    """Left as it is: the run says that a newer version has written it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA user_version = 999")
    before = path.read_bytes()
    done = run(*LADDER, custom=swift, EXP_CORE_DATA=str(path.parent))
    assert done.code == 0, done
    assert "not stored" in done.err and "newer" in done.err
    asked = run("maths_exp", "history", EXP_CORE_DATA=str(path.parent))
    assert asked.code == 2
    assert one_sentence(asked.err), asked.err
    assert path.read_bytes() == before
