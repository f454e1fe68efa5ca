"""This machine, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exp_core.machine import (
    DeviceName,
    Limits,
    Machine,
    Peaks,
    describe,
    device_peaks,
    devices,
    limits,
    peaks,
    usable_cores,
)


@dataclass(frozen=True, repr=False)
class MachineView:
    """What this machine is, and what it can do at best.

    limits: by number of threads: measured peaks (``limits[1].peaks.flops``), and how the machine has drifted since.
    devices: the peaks of each GPU.
    """

    machine: Machine
    limits: Mapping[int, Limits]
    devices: Mapping[DeviceName, Peaks]

    def to_dict(self) -> dict[str, object]:
        """All of it, as ``machine --json`` writes it."""
        return self.machine.to_dict() | {
            "peaks": {str(threads): limit.peaks.to_dict() for threads, limit in self.limits.items()},
            "drift": {str(threads): dict(limit.drift) for threads, limit in self.limits.items()},
            "device_peaks": {name: measured.to_dict() for name, measured in self.devices.items()},
        }

    def __repr__(self) -> str:
        from exp_core.report.console import as_text
        from exp_core.report.machine import print_machine

        return as_text(lambda out: print_machine(self.machine, self.titled, self.devices, out))

    @property
    def titled(self) -> Mapping[str, Limits]:
        """The limits under the words that a table has for them."""
        return {f"with {n} thread{'s' if n > 1 else ''}": limit for n, limit in self.limits.items()}


def view(*, refresh: bool = False) -> MachineView:
    """Look at the machine; what was measured before is not measured again, unless it is to be refreshed."""
    counts = sorted({1, usable_cores()})
    if refresh:
        for threads in counts:
            peaks(threads, refresh=True)
    found = {threads: limits(threads) for threads in counts}
    on_devices: dict[DeviceName, Peaks] = {
        device.name: measured
        for device in devices()
        if device.name != "cpu" and (measured := device_peaks(device.name, refresh=refresh))
    }
    return MachineView(describe(found[1].peaks.clock_hz), found, on_devices)
