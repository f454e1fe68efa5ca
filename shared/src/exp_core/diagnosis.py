"""What an exception says that was written for the asker: shown as it is, in all its lines, without its type."""

from __future__ import annotations


class Diagnosis(Exception):
    """One sentence about what the asker has written, then perhaps the lines that it speaks of."""
