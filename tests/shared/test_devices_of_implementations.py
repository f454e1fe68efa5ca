"""What is written for GPUs: skipped where there is none, run by a package's emulator where somebody asks for it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import toys
from click.testing import CliRunner

from exp_core.cli.app import Application
from exp_core.contestants import Contestant
from exp_core.experiment import Skip
from exp_core.ladder import climb

mlx = pytest.importorskip("mlx.core", reason="kernels are MLX's")


def twice(x):
    """Double it, on an emulated GPU only."""
    if INSIDE != ["metal"]:
        raise RuntimeError("nobody emulates")
    return x + x


INSIDE: list[str] = []
MISSING: list[Skip] = []
UNSEEN: list[Skip] = []


@contextmanager
def emulating(device):
    INSIDE.append(device)
    try:
        yield
    finally:
        INSIDE.remove(device)


@pytest.fixture(autouse=True)
def emulator(monkeypatch):
    module = SimpleNamespace(
        emulating=emulating,
        unavailable=lambda: MISSING[0] if MISSING else None,
        unseen=lambda device: UNSEEN[0] if UNSEEN else None,
        SUFFIXES=(),
    )
    monkeypatch.setitem(sys.modules, "toy_emulator", module)
    yield
    MISSING.clear()
    UNSEEN.clear()


KERNEL = toys.make(twice, "kernel", arrays="mlx", devices=("metal",))


def row_of(contestant):
    result = climb(toys.request("library", dtype="float32", contestants=(contestant,)))
    (row,) = result.rows
    return row


def test_without_the_device_it_is_a_row_with_a_reason():
    row = row_of(Contestant(KERNEL))
    assert (row.status, row.reason) == ("skipped", "is written for metal")
    row = row_of(Contestant(KERNEL, emulator="toy_emulator"))
    assert row.reason == "is written for metal; --metal --emulate checks it here"
    assert not row.emulated


def test_emulated_it_is_checked_and_not_timed():
    row = row_of(Contestant(KERNEL, "metal", "toy_emulator"))
    assert (row.status, row.reason, row.emulated) == ("ok", "emulated: right, not timed", True)
    assert row.median_s is None and row.checks[0].holds
    assert not INSIDE


def test_what_nobody_looked_at_is_said_of_a_right_one():
    UNSEEN.append(Skip("address spaces were not looked at", "install libclang"))
    row = row_of(Contestant(KERNEL, "metal", "toy_emulator"))
    said = "emulated: right, not timed; address spaces were not looked at; install libclang"
    assert (row.status, row.reason) == ("ok", said)


def test_a_wrong_one_is_wrong():
    wrong = toys.make(toys.wrong, "kernel", arrays="mlx", devices=("metal",))
    assert row_of(Contestant(wrong, "metal", "toy_emulator")).status == "wrong"


def test_an_emulator_that_lacks_something_says_what():
    MISSING.append(Skip("needs a compiler", "install one"))
    row = row_of(Contestant(KERNEL, "metal", "toy_emulator"))
    assert (row.status, row.reason) == ("skipped", "needs a compiler; install one")


def test_only_a_package_with_an_emulator_has_the_option():
    for emulator, there in (("", False), ("toy_emulator", True)):
        said = CliRunner().invoke(Application("maths_exp", ("metal", "cpu"), emulator), ["summation", "--help"]).output
        assert ("--emulate" in said) == there
