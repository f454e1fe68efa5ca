"""The processors that this process may be scheduled on: the one place that asks the system for them."""

from __future__ import annotations

import os


def processors() -> list[int]:
    """Their numbers, ascending; none where the system does not tell (macOS has no affinity)."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
