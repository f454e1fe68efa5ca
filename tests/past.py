"""Runs as a history holds them, made without measuring anything."""

from __future__ import annotations

import uuid

from exp_core.history.run import Run, stamp
from exp_core.results import Result
from exp_core.row import Check, Row

START = 1_700_000_000.0  # a day in November 2023


def row(name="ours", median_s=1e-3, ratio=1.0, rung="compiled", spread=0.01, **changes):
    """A right row whose intervals reach as far as ``spread`` on both sides."""
    given = {
        "status": "ok",
        "median_s": median_s,
        "ci95": (median_s / (1 + spread), median_s * (1 + spread)),
        "ratio_to_library": ratio,
        "ratio_ci95": (ratio / (1 + spread), ratio * (1 + spread)),
        "checks": (Check("law", 1e-17, 1e-15),),
    }
    return Row(name, rung, **given | changes)


def run(*rows, at=0.0, machine="here", n=64, sources=None, revision=None, dirty=False, key="", **changes):
    """A run of a made-up experiment, ``at`` seconds after START."""
    given = {
        "experiment": "toy",
        "package": "toys",
        "title": "Toy: doubling",
        "problem": "vector",
        "sizes": {"n": n},
        "dtype": "float64",
        "seed": 0,
        "rows": rows or (row(), row("library", rung="library")),
        "noise_floor": 0.005,
        "machine": {"fingerprint": machine, "versions": {"numpy": "2.0"}},
    }
    result = Result(**given | changes)
    return Run(result, str(uuid.uuid4()), stamp(START + at), sources or {}, revision, dirty, key)
