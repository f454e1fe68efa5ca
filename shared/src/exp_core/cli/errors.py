"""Exit codes: how a command says why it has ended."""

from __future__ import annotations

from exp_core.refusal import Missing

__all__ = ["EXIT_INTERRUPTED", "EXIT_MISSING", "EXIT_RIGHT", "EXIT_USAGE", "EXIT_WRONG", "Missing"]

EXIT_RIGHT = 0
EXIT_WRONG = 1
EXIT_USAGE = 2
EXIT_MISSING = 3
EXIT_INTERRUPTED = 130
