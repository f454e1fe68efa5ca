"""The shared core of maths_exp and dl_exp: one algorithm, many implementations, one fair race."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exp_core.experiment import Cost, Experiment, Implementation, Problem, Skip
    from exp_core.refusal import Missing, Refused

__all__ = ["Cost", "Experiment", "Implementation", "Missing", "Problem", "Refused", "Skip"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """The vocabulary is imported when it is asked for: the list and the help, which must be instant, do without it."""
    if name in __all__:
        from exp_core import experiment, refusal

        return getattr(refusal if name in ("Missing", "Refused") else experiment, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
