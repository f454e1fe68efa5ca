"""The hardware's limits: what this machine can do at best, measured and not quoted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from exp_core.experiment import Cost
from exp_core.machine.description import bytes_text

RATE_OF = {"float64": "float64", "complex128": "float64", "float32": "float32", "complex64": "float32"}


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Bytes a second through working sets of so many bytes (of all threads together); 0.0: not measured.

    Every byte of the working set counts once: reading all of it, copying one half of it onto the other, or triad
    (a = b + s c) on its thirds.  McCalpin, STREAM (1995), counts in the same way.
    """

    working_set: float
    read: float
    copy: float
    triad: float

    @property
    def best(self) -> float:
        """The highest of the three."""
        return max(self.read, self.copy, self.triad)


@dataclass(frozen=True, slots=True)
class Peaks:
    """The best rates with so many threads.

    flops: floating-point operations a second by dtype; a fused multiply-add is two.
    bandwidth: by ascending working set.
    method: ``"compiled"`` (loops in registers, Numba), or ``"blas"`` where Numba is missing: the best that NumPy shows,
        which may lie below the hardware's limit.
    """

    threads: int
    flops: Mapping[str, float]
    bandwidth: tuple[Bandwidth, ...]
    method: str

    def __post_init__(self) -> None:
        rates = [*self.flops.values(), *(point.best for point in self.bandwidth)]
        sizes = [point.working_set for point in self.bandwidth]
        if not sizes or sizes != sorted(sizes) or not all(math.isfinite(rate) and rate > 0 for rate in rates):
            raise ValueError("peaks are positive rates, with at least one bandwidth, by ascending working set")

    def bandwidth_at(self, working_set: float) -> float:
        """Bytes a second that nothing on a working set of so many bytes can exceed.

        The highest rate measured at any larger size, and at the next smaller one: where between two points a cache ends
        nobody knows, so the faster one counts.
        """
        smaller = sum(point.working_set < working_set for point in self.bandwidth)
        return max(point.best for point in self.bandwidth[max(smaller - 1, 0) :])

    def limit_s(self, cost: Cost, dtype: str, working_set: float) -> float | None:
        """Seconds below which no implementation of that cost can stay: the roofline.

        $\\max(flops / peak, bytes / bandwidth)$; None for work in a dtype that has no peak, and for no work at all.
        Source: Williams, Waterman, Patterson, Roofline, Communications of the ACM 52 (2009), 65-76.
        """
        peak = self.flops.get(RATE_OF.get(dtype, ""))
        if cost.flops > 0 and peak is None:
            return None
        compute_s = cost.flops / peak if peak else 0.0
        memory_s = cost.bytes / self.bandwidth_at(working_set)
        return max(compute_s, memory_s) or None

    def to_dict(self) -> dict[str, object]:
        """Plain dictionaries, lists, strings and numbers, for JSON."""
        return {
            "threads": self.threads,
            "flops": dict(self.flops),
            "bandwidth": [asdict(point) for point in self.bandwidth],
            "method": self.method,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> Peaks:
        """The inverse of ``to_dict``.  Raises ValueError, TypeError or KeyError for anything else."""
        threads, flops, points, method = (plain[name] for name in ("threads", "flops", "bandwidth", "method"))
        if not (isinstance(threads, int) and isinstance(flops, dict) and isinstance(points, list)):
            raise TypeError("these are not peaks")
        bandwidth = tuple(Bandwidth(**{name: float(value) for name, value in point.items()}) for point in points)
        return cls(threads, {str(name): float(rate) for name, rate in flops.items()}, bandwidth, str(method))

    def facts(self) -> list[tuple[str, str]]:
        """Names and values to print: the rates, and the bandwidth wherever it has fallen by a quarter."""
        rows = [(f"{dtype} multiply-add", f"{rate / 1e9:.4g} GFLOP/s") for dtype, rate in self.flops.items()]
        shown = math.inf
        for point in self.bandwidth:
            rate = max(later.best for later in self.bandwidth if later.working_set >= point.working_set)
            if rate <= 0.75 * shown:
                shown = rate
                rows.append((f"bandwidth from {bytes_text(point.working_set)}", f"{rate / 1e9:.3g} GB/s"))
        return rows
