"""A file that is saved in one go, in parts, aside and renamed, or deleted for a moment."""

import os

import pytest

from exp_core.practise.watch import Watched


class Acting:
    """A clock whose pauses are moments in which somebody does something."""

    def __init__(self, *acts):
        self.acts = list(acts)
        self.pauses = 0

    def sleep(self, seconds):
        self.pauses += 1
        if self.acts:
            self.acts.pop(0)()
        elif self.pauses > 50:
            raise AssertionError("it waits for ever")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("one")
    return path


def waited(path, *acts):
    watched = Watched(path, Acting(*acts))
    watched.wait()
    return watched


def test_it_waits_for_a_change_of_content(file):
    watched = waited(file, lambda: None, lambda: os.utime(file), lambda: file.write_text("two"))
    assert watched.clock.pauses == 4
    assert not watched.changed()


def test_written_aside_and_renamed(file):
    aside = file.with_suffix(".tmp")

    def rename():
        aside.write_text("two")
        aside.replace(file)

    assert not waited(file, file.unlink, lambda: None, rename).changed()


def test_half_a_file_is_not_looked_at(file):
    seen = waited(file, lambda: file.write_text("tw"), lambda: file.write_text("two")).seen
    assert seen == Watched(file).seen


def test_a_file_that_is_absent_has_not_changed(file):
    watched = Watched(file)
    file.unlink()
    assert not watched.changed()
