"""The limits of this hour: what was measured before, and a look at how the machine is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exp_core.machine.cache import look, peaks
from exp_core.machine.roofline import Peaks

NOTEWORTHY = 1.25  # a quick look errs by some percent, and by more if somebody else is at work


@dataclass(frozen=True, slots=True)
class Limits:
    """peaks: of each rate the higher one, of then and of now.  drift: now over then, by dtype and level of memory.

    A virtual machine's neighbours take their share of the memory: a drift of 1.6 within minutes was seen.
    """

    peaks: Peaks
    drift: Mapping[str, float]

    @property
    def notes(self) -> list[str]:
        """What has drifted so far that fractions of the limit are not to be trusted, one sentence each."""
        slower = {name: factor for name, factor in self.drift.items() if factor < 1 / NOTEWORTHY}
        faster = {name: factor for name, factor in self.drift.items() if factor > NOTEWORTHY}
        notes = []
        if slower:
            notes.append(f"slower now than when its limits were measured: {_listed(slower)}; fractions are too low")
        if faster:
            notes.append(f"faster now than when its limits were measured: {_listed(faster)}; the limits were raised")
        return notes

    def to_dict(self) -> dict[str, object]:
        """Plain dictionaries, lists, strings and numbers, for JSON."""
        return {"peaks": self.peaks.to_dict(), "drift": dict(self.drift), "notes": self.notes}


def limits(threads: int) -> Limits:
    """Look again at one point of each level of memory and at the arithmetic, unless that was done minutes ago."""
    known = peaks(threads)
    drift = known.drift(look(known))
    return Limits(known.raised(drift), drift)


def limits_measured_anew(before: Limits) -> Limits:
    """Measure everything again, in two seconds: the way to be sure before somebody is called faster than possible."""
    fresh = peaks(before.peaks.threads, refresh=True)
    return Limits(fresh.raised(fresh.drift(before.peaks)), before.drift)


def _listed(drift: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {factor:.2f}×" for name, factor in drift.items())
