"""How a solver becomes an implementation: prepared by its plan, at the cost that the plan implies."""

from __future__ import annotations

import numpy as np

from exp_core import Cost, Implementation, Skip
from maths_exp.calculus import _ode_systems as systems
from maths_exp.calculus._ode_forms import as_pointer
from maths_exp.calculus._ode_laws import LAWS
from maths_exp.calculus._ode_plan import REMEDY

PATIENCE = 2 * 10**5  # evaluations of f by Python: some seconds


def too_slow(plan):
    """Python is not asked for what only compiled code can do."""
    reason = f"would evaluate f {plan.evaluations:.0e} times in plain Python"
    return Skip(reason, REMEDY) if plan.evaluations > PATIENCE else None


def solver(function, rung, form, plan, combining, **more):
    """An implementation that is called as its plan says; combining: flops on slopes, per evaluation and component."""

    def cost(f, t, y0, accuracy):
        flops = float(plan(f, t, y0, accuracy).evaluations * (systems.FLOPS[f] + combining * y0.size))
        return Cost(flops=flops, bytes=t.nbytes + t.size * y0.nbytes, memory=8 * t.size * y0.nbytes)

    return Implementation(
        function,
        rung,
        cost=cost,
        bound=dict.fromkeys(LAWS, lambda f, t, y0, accuracy: accuracy),  # what every plan is made for
        prepare=lambda f, t, y0, accuracy: (*form(f, t, y0), plan(f, t, y0, accuracy).argument),
        skip=lambda *inputs: plan(*inputs).skip or (None if form is as_pointer else too_slow(plan(*inputs))),
        **more,
    )


def per_evaluation(tableau):
    """Multiplications and additions of a step (sums of slopes, error) over its evaluations; zeros are not counted."""
    stages = tableau.e.shape[1] - 1
    weights = np.count_nonzero(tableau.a[: stages + 1]) + np.count_nonzero(tableau.e)
    return (2 * weights + stages) / stages
