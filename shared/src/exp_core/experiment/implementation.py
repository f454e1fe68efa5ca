"""One way of solving it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field

from exp_core.experiment.cost import Cost
from exp_core.experiment.words import RUNGS, Arrays, ContractError, Inputs, Rung, Skip, first_line, modules_for


@dataclass(frozen=True)
class Implementation:
    """One way of doing it: a bare function, arrays in, arrays (or tuples of arrays) out.

    rung: which kind of implementation it is.
    cost: ``cost(*inputs) -> Cost``.
    bound: ``bound(*inputs) -> float``, derived, never chosen; a mapping from law to such a function where there are
        several laws.
    prepare: ``prepare(*inputs) -> tuple``: the arguments as this implementation wants them (layout, plan, array
        library), made once outside the timing.  Never part of the work that is being compared.
    skip: ``skip(*inputs) -> Skip | None``: inputs that this algorithm is not made for.
    unstable: problems on which theory says that it fails, each with the reason; a wrong answer there is "unstable".
    requires: modules that it imports (beside Numba, which every ``compiled`` implementation on NumPy arrays needs).
    arrays: the library whose arrays it takes and returns; ``mlx`` implementations run once on each chosen device;
        ``dask`` ones take what ``prepare`` has cut into blocks (``exp_core.cluster.in_blocks``), and may return
        something lazy: the ladder computes it, on threads here or on a cluster.
    dtypes: those it supports, where they are fewer than the experiment's.
    devices: the GPUs that it is written for (a kernel: ``("metal", "cuda")``); none: any device will do.
    counted: its cost (or ``skip``) cannot be known without running it: it is asked on the full input only where
        there is time for one more call.
    """

    function: Callable[..., object]
    rung: Rung
    _: KW_ONLY
    cost: Callable[..., Cost]
    bound: Callable[..., float] | Mapping[str, Callable[..., float]]
    prepare: Callable[..., Inputs] | None = None
    skip: Callable[..., Skip | None] | None = None
    unstable: Mapping[str, str] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    arrays: Arrays = "numpy"
    dtypes: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    counted: bool = False

    def __post_init__(self) -> None:
        if self.rung not in RUNGS:
            raise ContractError(f"{self.name}: no rung is called {self.rung!r}; the rungs are {', '.join(RUNGS)}")

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    @property
    def title(self) -> str:
        """The first line of the function's docstring: what differs from the implementation before it."""
        return first_line(self.function)

    @property
    def modules(self) -> tuple[str, ...]:
        """Every module that must be importable for this implementation to run."""
        return modules_for(self.rung, self.arrays, self.requires)
