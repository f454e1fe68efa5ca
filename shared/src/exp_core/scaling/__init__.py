"""How implementations grow with the size: sweeps, laws of growth with their doubt, breaks, and crossover sizes.

fit(n, t).verdict                  "n log n", or "n or n log n: undecided"
grow(n, t, working_set, caches)    the same by regimes, where the cost of an element changes
sweep(request, {"n": (64, 128)})   a ladder at every point, and what its times say
"""

from exp_core.scaling.crossover import Crossover, Times, crossovers
from exp_core.scaling.fit import Fit, Term, fit
from exp_core.scaling.regimes import Break, Growth, cache_sizes, grow
from exp_core.scaling.result import Curve, Point, Slice, Sweep
from exp_core.scaling.run import State, measure_here, sweep
from exp_core.scaling.shelf import Memory, Shelf, key

__all__ = [
    "Break",
    "Crossover",
    "Curve",
    "Fit",
    "Growth",
    "Memory",
    "Point",
    "Shelf",
    "Slice",
    "State",
    "Sweep",
    "Term",
    "Times",
    "cache_sizes",
    "crossovers",
    "fit",
    "grow",
    "key",
    "measure_here",
    "sweep",
]
