"""The hardware's limits: what this machine can do at best, measured and not quoted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import groupby

from exp_core.experiment import Cost

RATE_OF = {"complex128": "float64", "complex64": "float32"}  # a complex number is computed with its parts


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Bytes a second through working sets of so many bytes (of all threads together); 0.0: not measured.

    A byte counts each time that the program reads or writes it: reading all of the working set, copying one half of it
    onto the other, triad (a = b + s c) on its thirds, or multiplying all of it in place, where every byte is read and
    written.  McCalpin, STREAM (1995), counts in the same way.
    level: the memory that holds the working set: L1, L2, L3 or DRAM.
    """

    working_set: float
    read: float = 0.0
    copy: float = 0.0
    triad: float = 0.0
    level: str = "DRAM"
    in_place: float = 0.0

    @property
    def best(self) -> float:
        """The highest of the four."""
        return max(self.read, self.copy, self.triad, self.in_place)

    def rate(self, writes: bool | None) -> float:
        """The highest of those that are of this kind: whether it writes or only reads, None if nobody has told."""
        if writes is None:
            return self.best
        return (max(self.copy, self.triad, self.in_place) if writes else self.read) or self.best  # 0.0: not measured

    def times(self, factor: float) -> Bandwidth:
        """The same with all rates multiplied."""
        return replace(self, **{name: factor * getattr(self, name) for name in ("read", "copy", "triad", "in_place")})


@dataclass(frozen=True, slots=True)
class Peaks:
    """The best rates with so many threads.

    threads: 0 where they do not count, on a GPU.
    flops: floating-point operations a second by dtype; a fused multiply-add is two.
    bandwidth: by ascending working set.
    method: ``"compiled"`` (loops in registers, Numba), ``"blas"`` where Numba is missing: the best that NumPy shows,
        which may lie below the hardware's limit; ``"mlx"`` on a GPU; ``"nominal"``: its maker's word.
    clock_hz: cycles a second of a core at work; None where it was not measured.
    """

    threads: int
    flops: Mapping[str, float]
    bandwidth: tuple[Bandwidth, ...]
    method: str
    clock_hz: float | None = None

    def __post_init__(self) -> None:
        rates = [*self.flops.values(), *(point.best for point in self.bandwidth)]
        rates += [] if self.clock_hz is None else [self.clock_hz]
        sizes = [point.working_set for point in self.bandwidth]
        if not sizes or sizes != sorted(sizes) or not all(math.isfinite(rate) and rate > 0 for rate in rates):
            raise ValueError("peaks are positive rates, with at least one bandwidth, by ascending working set")

    @property
    def levels(self) -> tuple[Bandwidth, ...]:
        """One point of each level of memory: the middle one, and of main memory the last.

        In the middle the cache before it serves nothing any more, and the cache itself still all.
        """
        points = self.middles
        return (*points[:-1], self.bandwidth[-1])

    @property
    def middles(self) -> tuple[Bandwidth, ...]:
        """The middle point of each level, of main memory too: it takes less time to go through."""
        groups = [list(points) for _, points in groupby(self.bandwidth, key=lambda point: point.level)]
        return tuple(points[len(points) // 2] for points in groups)

    def bandwidth_at(self, working_set: float, writes: bool | None = None) -> float:
        """Bytes a second that nothing of this kind on a working set of so many bytes can exceed (``Bandwidth.rate``).

        The highest rate measured at any larger size, and at the next smaller one: where between two points a cache ends
        nobody knows, so the faster one counts.
        """
        smaller = sum(point.working_set < working_set for point in self.bandwidth)
        return max(point.rate(writes) for point in self.bandwidth[max(smaller - 1, 0) :])

    def flops_of(self, dtype: str) -> float | None:
        """Operations a second in a dtype; None where nobody has measured them."""
        return self.flops.get(RATE_OF.get(dtype, dtype))

    def limit_s(self, cost: Cost, dtype: str, working_set: float) -> float | None:
        """Seconds below which no implementation of that cost can stay: the roofline.

        $\\max(flops / peak, bytes / bandwidth)$; None for work in a dtype that has no peak, and for no work at all.
        Source: Williams, Waterman, Patterson, Roofline, Communications of the ACM 52 (2009), 65-76.
        """
        peak = self.flops_of(dtype)
        if cost.flops > 0 and peak is None:
            return None
        compute_s = cost.flops / peak if peak else 0.0
        memory_s = cost.bytes / self.bandwidth_at(working_set, cost.writes)
        return max(compute_s, memory_s) or None

    def drift(self, now: Peaks) -> dict[str, float]:
        """How many times its known rate each of a few points has now: ``{"float64": 1.0, "DRAM": 0.6}``."""
        before = {point.working_set: point.best for point in self.bandwidth}
        found = {dtype: rate / self.flops[dtype] for dtype, rate in now.flops.items() if dtype in self.flops}
        return found | {
            point.level: point.best / before[point.working_set]
            for point in now.bandwidth
            if point.working_set in before
        }

    def raised(self, drift: Mapping[str, float]) -> Peaks:
        """The same with every rate that has risen since: a limit that was measured on a slow day is none."""
        up = {name: max(factor, 1.0) for name, factor in drift.items()}
        return replace(
            self,
            flops={dtype: up.get(dtype, 1.0) * rate for dtype, rate in self.flops.items()},
            bandwidth=tuple(point.times(up.get(point.level, 1.0)) for point in self.bandwidth),
        )

    def to_dict(self) -> dict[str, object]:
        """Plain dictionaries, lists, strings and numbers, for JSON."""
        return {
            "threads": self.threads,
            "flops": dict(self.flops),
            "bandwidth": [asdict(point) for point in self.bandwidth],
            "method": self.method,
            "clock_hz": self.clock_hz,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> Peaks:
        """The inverse of ``to_dict``.  Raises ValueError, TypeError or KeyError for anything else."""
        threads, flops, points, method = (plain[name] for name in ("threads", "flops", "bandwidth", "method"))
        if not (isinstance(threads, int) and isinstance(flops, dict) and isinstance(points, list)):
            raise TypeError("these are not peaks")
        bandwidth = tuple(
            Bandwidth(size, read, copy, triad, str(p["level"]), float(p.get("in_place", 0.0)))  # older ones have none
            for p in points
            for size, read, copy, triad in [map(float, (p["working_set"], p["read"], p["copy"], p["triad"]))]
        )
        rates, clock = {str(name): float(rate) for name, rate in flops.items()}, plain["clock_hz"]
        return cls(threads, rates, bandwidth, str(method), None if clock is None else float(str(clock)))
