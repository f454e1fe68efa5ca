"""The vocabulary: what an experiment is made of.  Frozen values, standard library only.

An experiment file ends with one value that ties its bare functions together:

    EXPERIMENT = Experiment(
        problems=(Problem(positive), Problem(cancelling, kind="hard")),
        oracle=exact,
        laws={"relative error": relative_error},
        implementations=(
            Implementation(naive, "textbook", cost=n_additions, bound=gamma_n),
            ...
        ),
        picture=picture,
    )

Who calls what, and with what:

    inputs = problem.make(**sizes, dtype="float64", rng=rng)      a tuple, shared by all implementations
    result = implementation.function(*implementation.prepare(*inputs))
    error  = law(result, *inputs)                                 or law(result, *inputs, oracle(*inputs))
    bound  = implementation.bound(*inputs)                        error must not exceed it
    cost   = implementation.cost(*inputs)

Costs and bounds are functions of the inputs themselves (``x.size``, ``x.dtype``), so that one line is right for
every problem and every dtype.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, get_args

if TYPE_CHECKING:
    from exp_core.training.plan import Training

Rung = Literal["textbook", "vectorised", "compiled", "kernel", "distributed", "library"]
Kind = Literal["ordinary", "hard", "real"]
Arrays = Literal["numpy", "mlx", "dask"]
Inputs = tuple[object, ...]

RUNGS: tuple[Rung, ...] = get_args(Rung)


class ContractError(ValueError):
    """An experiment is not put together as the contract says; the message names the part."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an algorithm must do, counted on paper.

    flops: floating-point operations (a fused multiply-add counts 2; comparisons and signs count nothing).
    bytes: traffic that no cache can save: each input read once, each result written once, per pass not fused.
    memory: bytes of working storage at the peak, beyond the inputs; the ladder refuses what does not fit.
    written: those of the bytes that are written.  Memory that is only read delivers less than one that is written to
        meanwhile, so that who says 0 has a lower limit; None: not told, and then whatever is fastest is the limit.
    """

    flops: float = 0.0
    bytes: float = 0.0
    memory: float = 0.0
    written: float | None = None

    def __post_init__(self) -> None:
        if min(self.flops, self.bytes, self.memory, self.written or 0.0) < 0:
            raise ContractError(f"a cost cannot be negative: {self}")
        if self.written is not None and self.written > self.bytes:
            raise ContractError(f"more bytes are written than move at all: {self}")

    @property
    def writes(self) -> bool | None:
        """Whether it writes as well as reads; None if it does not tell."""
        return None if self.written is None else self.written > 0

    def __add__(self, other: Cost) -> Cost:
        """One after the other: work and traffic add up, the storage of the larger one suffices."""
        known = [cost.written for cost in (self, other) if cost.bytes]
        written = None if None in known else sum(part for part in known if part)
        return Cost(self.flops + other.flops, self.bytes + other.bytes, max(self.memory, other.memory), written)

    def __rmul__(self, times: float) -> Cost:
        """Repeated: work and traffic add up, the storage is used again."""
        written = None if self.written is None else times * self.written
        return Cost(times * self.flops, times * self.bytes, self.memory, written)


@dataclass(frozen=True, slots=True)
class Skip:
    """Why something is not run here, and what mends it (a command or a changed option; empty if nothing does)."""

    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}" if self.remedy else self.reason


@dataclass(frozen=True, slots=True)
class Size:
    """One size of a problem, read off the signature of its generator: ``n: Annotated[int, "terms"] = 1024``."""

    name: str
    type: type[int | float]
    default: float
    help: str


@dataclass(frozen=True)
class Problem:
    """A named generator of inputs.

    make: ``make(*sizes, dtype, rng) -> tuple``; ``dtype`` is a name such as ``"float64"``, ``rng`` a
        ``numpy.random.Generator``; both are passed by keyword.  Each size is annotated ``Annotated[int, "help"]`` (or
        float) and has a default; integers are at least 1.  The same sizes, dtype and seed give the same inputs.
    kind: ``ordinary``, ``hard`` (ill-conditioned, adversarial, awkward) or ``real`` (data of the world).
    small: sizes at which even the textbook's loop takes milliseconds: the contract's tests run there.  A size that is
        more than twice its default here thins the input out (every n-th pixel): trials grow it where they halve others.
    awkward: further sizes that must work: one, a prime, not a multiple of any block.
    requires: modules that the generator imports.
    """

    make: Callable[..., Inputs]
    _: KW_ONLY
    kind: Kind = "ordinary"
    small: Mapping[str, float] = field(default_factory=dict)
    awkward: tuple[Mapping[str, float], ...] = ()
    requires: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = {size.name for size in self.sizes}
        for sizes in (self.small, *self.awkward):
            if unknown := set(sizes) - names:
                raise ContractError(f"problem {self.name} has no size {', '.join(sorted(unknown))}")

    @property
    def name(self) -> str:
        """The generator's name, as the command line spells it."""
        return self.make.__name__.replace("_", "-")

    @property
    def title(self) -> str:
        """The first line of the generator's docstring."""
        return first_line(self.make)

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The sizes in the order of the signature."""
        hints = typing.get_type_hints(self.make, include_extras=True)
        sizes: list[Size] = []
        for parameter in inspect.signature(self.make).parameters.values():
            if parameter.name in ("dtype", "rng"):
                continue
            hint = hints.get(parameter.name)
            if typing.get_origin(hint) is not Annotated:
                raise ContractError(f"problem {self.name}: annotate {parameter.name} as Annotated[int, 'help']")
            type_, text = typing.get_args(hint)[:2]
            if type_ not in (int, float) or parameter.default is inspect.Parameter.empty:
                raise ContractError(f"problem {self.name}: {parameter.name} needs a type int or float and a default")
            sizes.append(Size(parameter.name, type_, parameter.default, text))
        return tuple(sizes)

    @property
    def thinned(self) -> dict[str, int]:
        """The sizes that thin the input out (every n-th pixel), each with its value in ``small``."""
        small = ((size, int(self.small.get(size.name, 0))) for size in self.sizes if size.type is int)
        return {size.name: value for size, value in small if value > 2 * size.default}


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
        numba = ("numba",) if self.rung == "compiled" and self.arrays == "numpy" else ()
        arrays = () if self.arrays == "numpy" else (self.arrays,)
        return tuple(dict.fromkeys((*numba, *arrays, *self.requires)))


@dataclass(frozen=True)
class Experiment:
    """One algorithm: its problems, the laws that a right answer obeys, and its implementations in teaching order.

    problems: the first one is the default.
    laws: named errors, ``law(result, *inputs) -> float``; with an oracle, ``law(result, *inputs, truth)``.  An error
        that is not a number (NaN) breaks the law.
    implementations: textbook first, each better than the one before it, the library last.
    oracle: ``oracle(*inputs)``: the answer in higher precision or by a certified method, computed once a ladder.
    picture: ``picture(figure, *inputs)``: draws what the algorithm does on a matplotlib figure.
    figures: further numbers of a result worth a column, ``figure(result, *inputs) -> float`` (evaluations, steps, ...).
        With an oracle, ``figure(result, *inputs, truth)``; one that is not a number (NaN) leaves its place empty.
    remarks: ``remarks(*inputs) -> sentences``: what there is to say about an input as a whole, below the table.
    dtypes: supported element types, the first one is the default.
    training: how it is trained for real (``exp_core.training``); None if there is nothing to train.
    """

    _: KW_ONLY
    problems: tuple[Problem, ...]
    laws: Mapping[str, Callable[..., float]]
    implementations: tuple[Implementation, ...]
    picture: Callable[..., None]
    oracle: Callable[..., object] | None = None
    figures: Mapping[str, Callable[..., float]] = field(default_factory=dict)
    remarks: Callable[..., Iterable[str]] | None = None
    dtypes: tuple[str, ...] = ("float64", "float32")
    training: Training | None = None

    def __post_init__(self) -> None:
        if not (self.problems and self.laws and self.implementations and self.dtypes):
            raise ContractError("an experiment needs at least one problem, law, implementation and dtype")
        for what, names in (
            ("problems", [problem.name for problem in self.problems]),
            ("implementations", [implementation.name for implementation in self.implementations]),
        ):
            if twice := {name for name in names if names.count(name) > 1}:
                raise ContractError(f"two {what} are called {', '.join(sorted(twice))}")
        problems = {problem.name for problem in self.problems}
        for implementation in self.implementations:
            if isinstance(implementation.bound, Mapping):
                if set(implementation.bound) != set(self.laws):
                    raise ContractError(
                        f"{implementation.name}: its bounds must be for the laws {', '.join(self.laws)}"
                    )
            elif len(self.laws) > 1:
                raise ContractError(f"{implementation.name}: with several laws, bound maps each law to its bound")
            if unknown := set(implementation.unstable) - problems:
                raise ContractError(f"{implementation.name}: unstable on an unknown problem {', '.join(unknown)}")

    def problem(self, name: str) -> Problem:
        """The problem of that name.  Raises KeyError."""
        return {problem.name: problem for problem in self.problems}[name]

    def bounds(self, implementation: Implementation, inputs: Inputs) -> dict[str, float]:
        """The bound of each law for one implementation on these inputs."""
        bound = implementation.bound
        each = bound if isinstance(bound, Mapping) else dict.fromkeys(self.laws, bound)
        return {law: float(each[law](*inputs)) for law in self.laws}

    def widest_bounds(self, problem: str, inputs: Inputs) -> dict[str, float]:
        """What a stranger's result must stay under: for each law the widest bound of those that theory trusts here."""
        steady = [i for i in self.implementations if problem not in i.unstable] or self.implementations
        each = [self.bounds(implementation, inputs) for implementation in steady]
        return {law: max(bounds[law] for bounds in each) for law in self.laws}

    def errors(self, result: object, inputs: Inputs, truth: object = None) -> dict[str, float]:
        """The error of a result by each law; ``truth`` is the oracle's answer."""
        arguments = inputs if self.oracle is None else (*inputs, truth)
        return {name: float(law(result, *arguments)) for name, law in self.laws.items()}


def first_line(function: Callable[..., object]) -> str:
    """The first line of a docstring without its full stop; empty if there is none."""
    return (inspect.getdoc(function) or "").partition("\n")[0].rstrip(".")
