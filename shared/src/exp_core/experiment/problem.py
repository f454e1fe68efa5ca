"""What is to be solved: a generator of inputs, and the sizes that its signature names."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated

from exp_core.experiment.words import ContractError, Inputs, Kind, first_line


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
    small: sizes at which even the textbook's loop takes milliseconds: the contract's tests run there.
    awkward: further sizes that must work: one, a prime, not a multiple of any block.
    requires: modules that the generator imports.
    thins: sizes that thin the input out (every n-th pixel): trials grow them, up to ``small``, where they halve others.
    fixed: whole numbers that do not say how much there is to do, such as the bits of a code: trials leave them alone.
    load: ``load(*sizes, dtype, rng)``, like ``make``: brings what an input needs whatever its size, and what takes its
        time this once, such as a model that is trained and then kept.  Called before anything is made or foretold; it
        tells how far it is (``exp_core.waiting.tell``), and ends with what that raises: Refused, if there is no time.
    """

    make: Callable[..., Inputs]
    _: KW_ONLY
    kind: Kind = "ordinary"
    small: Mapping[str, float] = field(default_factory=dict)
    awkward: tuple[Mapping[str, float], ...] = ()
    requires: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    thins: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    load: Callable[..., object] | None = None

    def __post_init__(self) -> None:
        defaults = {size.name: size.default for size in self.sizes}
        for sizes in (self.small, *self.awkward, self.thins, self.fixed):
            if unknown := set(sizes) - set(defaults):
                raise ContractError(f"problem {self.name} has no size {', '.join(sorted(unknown))}")
        for name in self.thins:
            if self.small.get(name, 0) <= defaults[name]:
                raise ContractError(f"problem {self.name}: small must say how far {name} thins the input out")
        if self.load and set(inspect.signature(self.load).parameters) != set(inspect.signature(self.make).parameters):
            raise ContractError(f"problem {self.name}: load must take the same arguments as make")

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
        """The sizes that thin the input out, each with its value in ``small``."""
        return {name: int(self.small[name]) for name in self.thins}
