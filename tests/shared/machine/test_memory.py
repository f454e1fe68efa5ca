"""How much memory is free for us."""

import subprocess
import sys

import pytest

LIMITED = """
import resource
from exp_core.machine.memory import available_memory
limit = 2**30
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
before = available_memory()
taken = bytearray(2**28)
print(before, before - available_memory())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is enforced by Linux")
def test_what_is_free_is_no_more_than_the_addresses_that_are_left():
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True)
    before, taken = map(int, done.stdout.split())
    assert 0 < before < 2**30
    assert taken >= 2**28
