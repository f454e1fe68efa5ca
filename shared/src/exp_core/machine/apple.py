"""What Apple says of its GPUs: nominal figures, used only where nothing can be measured, and labelled as such.

Source    float32: for the M1 family and the M2, Apple's press releases of 10 November 2020, 18 October 2021, 8 March
          2022 and 6 June 2022.  For the larger M2: cores x 128 lanes x 2 operations x 1.398 GHz, P. Turner,
          metal-benchmarks (2022).  M3 and M4: Hugging Face, tasks/src/hardware.ts (2024), and twice the Max for the
          Ultra.  M5: Apple has published none.  Bandwidth: Apple's technical specifications.  All with the most cores.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Nominal:
    """float32 operations a second, None where the maker says nothing; bytes a second to memory."""

    flops: float | None
    bytes: float


# chip          TFLOP/s  GB/s
TABLE = {
    "M1":       (2.6,    68.25),
    "M1 Pro":   (5.2,    200),
    "M1 Max":   (10.4,   400),
    "M1 Ultra": (21.0,   800),
    "M2":       (3.6,    100),
    "M2 Pro":   (6.8,    200),
    "M2 Max":   (13.6,   400),
    "M2 Ultra": (27.2,   800),
    "M3":       (4.1,    100),
    "M3 Pro":   (7.4,    150),
    "M3 Max":   (14.2,   400),
    "M3 Ultra": (28.4,   819),
    "M4":       (4.6,    120),
    "M4 Pro":   (9.2,    273),
    "M4 Max":   (18.4,   546),
    "M5":       (None,   153),
    "M5 Pro":   (None,   307),
    "M5 Max":   (None,   614),
}  # fmt: skip


def nominal(title: str) -> Nominal | None:
    """The figures of the chip that a device's or a processor's name names: ``"Apple M4 Max"``; None for any other."""
    match = re.search(r"\bM\d+(?: (?:Pro|Max|Ultra))?\b", title) if "Apple" in title else None
    row = TABLE.get(match[0]) if match else None
    if row is None:
        return None
    tera, giga = row
    return Nominal(None if tera is None else 1e12 * tera, 1e9 * giga)
