"""What an algorithm must do, whoever does it."""

from __future__ import annotations

from dataclasses import dataclass

from exp_core.experiment.words import ContractError


@dataclass(frozen=True, slots=True)
class Cost:
    """What an algorithm must do, counted on paper.

    flops: floating-point operations (a fused multiply-add counts 2; comparisons and signs count nothing).
    bytes: traffic that no cache can save: each input read once, each result written once, per pass not fused.
    memory: bytes of working storage at the peak, beyond the inputs; the ladder refuses what does not fit.
    written: those of the bytes that are written.  Memory that is only read delivers less than one that is written to
        meanwhile, so that who says 0 has a lower limit; None: not told, and then whatever is fastest is the limit.
    again: bytes that its passes come back to, where those are fewer than all that there is: a cache that holds them
        delivers them; None: all of the input, the storage and the result.
    """

    flops: float = 0.0
    bytes: float = 0.0
    memory: float = 0.0
    written: float | None = None
    again: float | None = None

    def __post_init__(self) -> None:
        if min(self.flops, self.bytes, self.memory, self.written or 0.0, self.again or 0.0) < 0:
            raise ContractError(f"a cost cannot be negative: {self}")
        if self.written is not None and self.written > self.bytes:
            raise ContractError(f"more bytes are written than move at all: {self}")

    @property
    def writes(self) -> bool | None:
        """Whether it writes as well as reads; None if it does not tell."""
        return None if self.written is None else self.written > 0

    def __add__(self, other: Cost) -> Cost:
        """One after the other: work and traffic add up, the storage of the larger one suffices."""
        moving = [cost for cost in (self, other) if cost.bytes]
        known, again = [cost.written for cost in moving], [cost.again for cost in moving]
        return Cost(
            self.flops + other.flops,
            self.bytes + other.bytes,
            max(self.memory, other.memory),
            None if None in known else sum(part for part in known if part),
            None if None in again else max((part for part in again if part), default=None),
        )

    def __rmul__(self, times: float) -> Cost:
        """Repeated: work and traffic add up, the storage is used again."""
        written = None if self.written is None else times * self.written
        return Cost(times * self.flops, times * self.bytes, self.memory, written, self.again)
