"""Timing that can be used alone: ``from exp_core.timing import compare; print(compare({"a": f, "b": g}, x))``.

The only part of the project that reads a clock.  It returns what it measured and never prints.
"""

from exp_core.timing.clock import Deadline, Stopwatch, call_once, epoch
from exp_core.timing.comparing import compare
from exp_core.timing.outliers import Outliers
from exp_core.timing.quiet import rest
from exp_core.timing.result import Comparison, Interrupted, Ratio, Timing
from exp_core.timing.sampler import FunctionSampler, Sampler
from exp_core.timing.shown import warnings
from exp_core.timing.table import seconds_text
from exp_core.timing.verdict import Verdict

__all__ = [
    "Comparison",
    "Deadline",
    "FunctionSampler",
    "Interrupted",
    "Outliers",
    "Ratio",
    "Sampler",
    "Stopwatch",
    "Timing",
    "Verdict",
    "call_once",
    "compare",
    "epoch",
    "rest",
    "seconds_text",
    "warnings",
]
