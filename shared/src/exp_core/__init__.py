"""The shared core of maths_exp and dl_exp: one algorithm, many implementations, one fair race."""

from exp_core.experiment import Cost, Experiment, Implementation, Problem, Skip

__all__ = ["Cost", "Experiment", "Implementation", "Problem", "Skip"]
__version__ = "0.1.0"
