"""A database that is locked, read-only, full, corrupt or killed in mid-write: nothing stored earlier is lost."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, suppress

import past
import pytest

from exp_core.history import Database, HistoryError, connection, database, errors, schema, store
from exp_core.history.files import beside
from exp_core.history.rescue import rescue

WRITER = """
import sys
sys.path.insert(0, {tests!r})
import past
from pathlib import Path
from exp_core.history import store
name, count = sys.argv[1], int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for i in range(count):
    run = past.run(at=i, key=f"{{name}}-{{i}}")
    store([run], Path({path!r}), measured_now=False)
    print(run.uuid, flush=True)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.db"


def writer(path, name, count):
    """Another process that stores runs one by one, and says the uuid of each once it is stored."""
    script = WRITER.format(tests=os.path.dirname(past.__file__), path=str(path))
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", script, name, str(count)], stdin=pipe, stdout=pipe, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def uuids(path):
    with Database(path, write=False) as opened:
        assert opened.sound()
        return [uuid for (uuid,) in opened.connection.execute("SELECT uuid FROM runs ORDER BY id")]


def one_sentence(error):
    text = str(error.value)
    assert "\n" not in text
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_two_processes_write_at_once_and_lose_nothing(path, count):
    processes = [writer(path, name, count) for name in ("one", "two")]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=500)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert [len(words) for words in said] == [count, count]
    assert sorted(uuids(path)) == sorted(said[0] + said[1])


class Overtaken:
    """A connection beside which something happens just before the version is asked for."""

    def __init__(self, connection, meanwhile):
        self.connection, self.meanwhile = connection, meanwhile

    def execute(self, sql):
        if sql == "PRAGMA user_version":
            self.meanwhile()
        return self.connection.execute(sql)


def test_a_database_that_is_made_while_one_looks_is_not_another_program_s(path):
    def made():
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN")
            schema.create(other)
            with suppress(sqlite3.OperationalError):  # it is locked out, and comes later
                other.execute("COMMIT")

    with closing(sqlite3.connect(path, isolation_level=None)) as ours:
        assert schema.read_version(Overtaken(ours, made), path, 1) == 0
        assert not ours.in_transaction


def test_two_processes_may_make_the_database_at_the_same_moment(tmp_path):
    for attempt in range(2):
        path = tmp_path / f"{attempt}.db"
        processes = [writer(path, name, 1) for name in ("one", "two")]
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=60)[0].split() for process in processes]
        assert sorted(uuids(path)) == sorted(said[0] + said[1])


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a Unix thing")
def test_a_killed_writer_leaves_every_run_that_it_said_was_stored(path):
    """Killed at another moment each time; what it had said it had stored is there, and the file is sound."""
    acknowledged = []
    for wait in range(5):
        process = writer(path, "killed", 10_000)
        process.stdin.write("go\n")
        process.stdin.flush()
        acknowledged += [process.stdout.readline().strip() for _ in range(1 + 3 * wait)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [line for line in process.communicate()[0].split() if len(line) == 36]
        assert set(acknowledged) <= set(uuids(path))
    store([past.run()], path)
    assert len(uuids(path)) > len(acknowledged)


def test_a_locked_database_is_waited_for(path):
    store([past.run()], path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    timer.start()
    store([past.run()], path)
    timer.join()
    other.close()
    assert len(uuids(path)) == 2


def test_a_database_that_stays_locked_is_one_sentence(path, monkeypatch):
    store([past.run()], path)
    monkeypatch.setattr(connection, "PATIENCE_S", 0.1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(HistoryError) as refused:
            store([past.run()], path)
        assert "in use by another process" in one_sentence(refused)
    assert len(uuids(path)) == 1


def test_a_full_disk_is_one_sentence_and_what_is_stored_is_safe(path, monkeypatch):
    """SQLite's own limit stands in for the disk: the error that it raises is the same."""
    store([past.run()], path)
    connect = database.connect

    def connect_to_a_full_disk(*arguments):
        connection = connect(*arguments)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        return connection

    monkeypatch.setattr(database, "connect", connect_to_a_full_disk)
    with pytest.raises(HistoryError) as refused:
        store([past.run() for _ in range(20)], path)
    assert "the disk is full" in one_sentence(refused)
    monkeypatch.undo()
    assert len(uuids(path)) == 1
    assert store([past.run()], path).ids == (2,)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a file system in memory")
def test_a_disk_that_is_really_full(tmp_path):
    """In a user's own mount namespace, where the kernel lends one; a tmpfs of 160 KiB."""
    script = WRITER.format(tests=os.path.dirname(past.__file__), path="full/history.db")
    (tmp_path / "full").mkdir()
    (tmp_path / "writer.py").write_text(script)
    check = "import past; from exp_core.history import Database; from pathlib import Path; import sys; " \
        "d = Database(Path('full/history.db'), write=False); print(d.sound(), " \
        "d.connection.execute('SELECT count(*) FROM runs').fetchone()[0])"  # fmt: skip
    commands = f"mount -t tmpfs -o size=160k none full || exit 77; " \
        f"echo go | {sys.executable} writer.py x 500 > said 2> error; tail -1 error; wc -l < said; " \
        f"PYTHONPATH={os.path.dirname(past.__file__)} {sys.executable} -c \"{check}\""  # fmt: skip
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("there is no unshare")
    done = subprocess.run([unshare, "-rm", "bash", "-c", commands], cwd=tmp_path, capture_output=True, text=True,
                          check=False)  # fmt: skip
    if done.returncode in (1, 77):
        pytest.skip("this kernel lends no mount namespace")
    error, said, sound = done.stdout.splitlines()
    assert "the disk is full" in error
    assert sound == f"True {int(said) - 1}"  # the first line is "ready"


def test_a_folder_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HistoryError) as refused:
        store([past.run()], tmp_path / "file" / "history.db")
    assert "EXP_CORE_DATA" in one_sentence(refused)


def test_a_folder_in_place_of_the_file(path):
    path.mkdir()
    with pytest.raises(HistoryError) as refused:
        store([past.run()], path)
    assert "EXP_CORE_DATA" in one_sentence(refused)


def test_a_read_only_database_is_read_and_not_written(path, monkeypatch):
    """``mode=ro`` stands in for permissions, which the superuser of a container does not have to obey."""
    store([past.run()], path)
    connect = database.connect
    monkeypatch.setattr(database, "connect", lambda path, options="": connect(path, "?mode=ro"))
    with pytest.raises(HistoryError) as refused:
        store([past.run()], path)
    assert "EXP_CORE_DATA" in one_sentence(refused)
    assert len(uuids(path)) == 1


def test_a_file_that_is_no_database_is_set_aside(path):
    path.write_bytes(b"not a database, but somebody's 4096 bytes\n" * 100)
    done = store([past.run()], path)
    assert done.ids == (1,)
    (note,) = done.notes
    assert "damaged" in note
    (aside,) = path.parent.glob("history-damaged-*.db")
    assert aside.read_bytes().startswith(b"not a database")
    assert aside.name in note


def test_what_can_be_read_of_a_damaged_database_is_taken_over(path):
    """One page of 4096 bytes in the middle is overwritten: the runs on it are lost, all others are not."""
    runs = [past.run(at=i) for i in range(200)]
    store(runs, path)
    with Database(path, write=True) as opened:
        opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = opened.connection.execute("PRAGMA page_count").fetchone()[0]
    data = bytearray(path.read_bytes())
    assert pages > 50
    for page in (pages // 2, pages // 2 + 1, pages - 1):
        data[page * 4096 : (page + 1) * 4096] = os.urandom(4096)
    path.write_bytes(data)
    _, lost = rescue(path)
    assert lost > 0
    assert path.read_bytes() == data  # looked at, not touched
    notes = []
    for i in range(300):  # until a write meets the broken pages; each run is stored whether it does or not
        notes += store([run := past.run(at=1000 + i)], path).notes
        runs.append(run)
        if notes:
            break
    assert len(notes) == 1
    kept = set(uuids(path))
    assert len(kept) >= len(runs) - lost
    assert len(kept) >= 0.9 * len(runs)
    assert runs[-1].uuid in kept


def test_a_log_that_was_cut_off_costs_at_most_what_was_not_finished(path):
    """A torn write-ahead log, as a power failure leaves it: SQLite's checksums end it where it breaks."""
    first = Database(path, write=True)  # held open, so that nobody empties the log
    store([past.run(at=0)], path)
    store([past.run(at=1)], path)
    log = beside(path, "-wal")
    copy = path.parent / "after" / "history.db"
    copy.parent.mkdir()
    shutil.copyfile(path, copy)
    beside(copy, "-wal").write_bytes(log.read_bytes()[:-100])
    first.close()
    assert len(uuids(copy)) in (0, 1)
    store([past.run(at=2)], copy)
    assert len(uuids(copy)) in (1, 2)


def test_a_failure_of_any_other_kind_is_one_sentence_too(path):
    error = sqlite3.OperationalError("unable to do a thing")
    text = str(errors.explain(error, path))
    assert "unable to do a thing" in text
    assert "EXP_CORE_DATA" in text


def test_a_new_database_never_meets_the_log_of_the_one_set_aside(path):
    held = Database(path, write=True)
    store([past.run() for _ in range(3)], path)
    held.close()
    path.write_bytes(b"garbage" * 1000)
    beside(path, "-wal").write_bytes(b"old log" * 1000)
    store([past.run()], path)
    assert len(uuids(path)) == 1
