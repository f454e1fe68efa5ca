"""Mathematics, re-learnt by running it.

In Python:

    r = maths_exp.run("qr", rows=512)     climb a ladder; print(r), r["householder"], r.figure(), r.to_pandas()
    maths_exp.experiments()               what there is;  explain("qr")  the idea, the formulas, the sources
    maths_exp.sweep("fft", n=[64, 128])   many sizes;  history("qr")  what was measured;  machine()  what it can do
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exp_core.api import Interrupted, Missing, Refused
    from maths_exp.api import experiments, explain, history, machine, run, sweep

__version__ = "0.1.0"

TOPICS = ("basics", "linear_algebra", "calculus", "algorithms", "hardware")  # in teaching order

__all__ = ["Interrupted", "Missing", "Refused", "experiments", "explain", "history", "machine", "run", "sweep"]


if not TYPE_CHECKING:  # a checker sees the names above, and that there are no others

    def __getattr__(name: str) -> object:
        """Python's face is imported when it is asked for: importing the package costs nothing and changes nothing."""
        if name in __all__:
            import importlib

            return getattr(importlib.import_module("exp_core.api" if name[0].isupper() else "maths_exp.api"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
