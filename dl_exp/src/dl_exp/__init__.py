"""Deep learning, re-learnt by running it on Apple MLX.

In Python:

    r = dl_exp.run("softmax", rows=512)   climb a ladder; print(r), r["fused"], r.figure(), r.to_pandas()
    dl_exp.run("softmax", device="metal", emulate=True)     check the kernels without a Mac
    dl_exp.train("gpt", steps=2000)       train it for real; r.figure(), r.sample("ROMEO:"), trained("gpt") later on
    dl_exp.experiments()                  what there is;  explain("gpt")  the idea, the formulas, the sources
    dl_exp.sweep("attention", length=[64, 128])   many sizes;  history("gpt")  what was measured;  machine()
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dl_exp.api import experiments, explain, history, machine, run, sweep, train, trained
    from exp_core.api import Interrupted, Missing, Refused

__version__ = "0.1.0"

TOPICS = (  # in teaching order
    "foundations",
    "optimisers",
    "vision",
    "sequence",
    "generative",
    "efficiency",
    "kernels",
    "distributed",
)

__all__ = [
    "Interrupted",
    "Missing",
    "Refused",
    "experiments",
    "explain",
    "history",
    "machine",
    "run",
    "sweep",
    "train",
    "trained",
]


if not TYPE_CHECKING:  # a checker sees the names above, and that there are no others

    def __getattr__(name: str) -> object:
        """Python's face is imported when it is asked for: importing the package costs nothing and changes nothing."""
        if name in __all__:
            import importlib

            return getattr(importlib.import_module("exp_core.api" if name[0].isupper() else "dl_exp.api"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
