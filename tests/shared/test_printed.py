"""What a process prints is known as soon as it was printed, and never holds it up."""

from __future__ import annotations

import os
import threading

import pytest

from exp_core.printed import KEPT, PIPE, Printed


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    with open(writing, "wb", buffering=0) as end:
        yield os.fdopen(reading, "rb"), end


@pytest.fixture
def idle(monkeypatch):
    """A thread that never gets a turn, as on the busiest machine."""
    monkeypatch.setattr(threading.Thread, "start", lambda thread: None)
    monkeypatch.setattr(threading.Thread, "join", lambda thread, limit_s: None)


def test_what_was_printed_before_is_known_even_if_the_thread_had_no_turn(pipe, idle):
    printed = Printed(pipe[0])
    pipe[1].write(b"hello\nworld\n")
    assert str(printed) == ""
    printed.settle()
    assert str(printed) == "it printed 12 bytes, 'hello' first"
    printed.settle()
    assert printed.bytes == 12


def test_the_end_is_no_trouble(pipe, idle):
    printed = Printed(pipe[0])
    pipe[1].write(b"x")
    pipe[1].close()
    printed.settle()
    printed.settle()
    assert printed.bytes == 1


def test_who_prints_without_end_is_not_waited_for(pipe, idle, monkeypatch):
    printed = Printed(pipe[0])
    monkeypatch.setattr(Printed, "_waits", lambda self, limit_s: True)
    monkeypatch.setattr(os, "read", lambda number, bytes: b"spam" * (bytes // 4))
    printed.settle()
    assert printed.bytes == PIPE and printed.beginning == (b"spam" * KEPT)[:KEPT]


def test_the_thread_reads_more_than_a_pipe_holds_to_its_end(pipe):
    printed = Printed(pipe[0])
    for _ in range(3):
        pipe[1].write(b"." * PIPE)
        printed.settle()
    pipe[1].close()
    printed.close()
    assert printed.bytes == 3 * PIPE and pipe[0].closed
    printed.settle()


def test_nothing_printed_is_nothing_said():
    printed = Printed()
    printed.settle()
    printed.close()
    assert str(printed) == ""
