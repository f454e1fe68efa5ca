"""mlx.launch in tests: its ring listens on fixed ports, so that two tests at once need different ones."""

import os

PORTS_EACH = 16


def starting_port() -> int:
    """The first of this test process's own ports, below those that the system gives to connections by itself."""
    return 16_000 + PORTS_EACH * (os.getpid() % 1_000)
