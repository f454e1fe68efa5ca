"""One process at a time, and nobody waits for the dead."""

import subprocess
import sys

import pytest

from exp_core.alone import alone

HOLDER = """
import sys
from pathlib import Path
from exp_core.alone import alone
with alone(Path(sys.argv[1])):
    print("inside", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_waited_for_and_a_dead_one_is_not(tmp_path):
    path = tmp_path / "folder" / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "inside\n"
    waited = []

    def waiting():
        waited.append(1)
        if len(waited) == 2:
            holder.kill()
            holder.wait()

    with alone(path, waiting):
        assert len(waited) >= 2
        with pytest.raises(InterruptedError), alone(path, interrupted):
            pass
    with alone(path, interrupted):
        pass
    holder.stdin.close()
    holder.stdout.close()


def interrupted():
    """Nobody has to wait."""
    raise InterruptedError


def test_where_nothing_can_be_written_nobody_waits(tmp_path):
    (tmp_path / "file").write_text("")
    with alone(tmp_path / "file" / "lock", interrupted), alone(tmp_path / "file" / "lock", interrupted):
        pass
