"""Exit codes: how a command says why it has ended."""

from __future__ import annotations

EXIT_RIGHT = 0
EXIT_WRONG = 1
EXIT_USAGE = 2
EXIT_MISSING = 3
EXIT_INTERRUPTED = 130
