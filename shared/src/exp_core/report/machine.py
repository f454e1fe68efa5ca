"""What the machine is and can do at best, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from exp_core.report.terminal import print_facts

if TYPE_CHECKING:
    from exp_core.machine import DeviceName, Limits, Machine, Peaks

HOW = {
    "compiled": "measured",
    "blas": "measured through NumPy: the hardware may do more",
    "mlx": "measured through MLX",
    "nominal": "its maker's figures, not measured",
}


def print_machine(
    machine: Machine, limits: Mapping[str, Limits], devices: Mapping[DeviceName, Peaks], out: Console
) -> None:
    """The facts, the peaks by number of threads and by device, and what slows the machine."""
    print_facts(machine.facts(), out)
    for name, limit in limits.items():
        print_peaks(f"At best, {name}", limit.peaks, out)
    for name, peaks in devices.items():
        print_peaks(f"At best, on {name}", peaks, out)
    for warning in (*machine.warnings, *dict.fromkeys(note for limit in limits.values() for note in limit.notes)):
        out.print(f"! {warning}", style="yellow", soft_wrap=True)


def print_peaks(title: str, peaks: Peaks, out: Console) -> None:
    """Arithmetic by dtype, and memory by level."""
    out.print(f"\n{title} ({HOW[peaks.method]})", style="bold", soft_wrap=True)
    clock = peaks.clock_hz
    rows = [("clock", f"{clock / 1e9:.3g} GHz")] if clock else []
    for dtype, rate in peaks.flops.items():
        a_cycle = f", {rate / clock / peaks.threads:.3g} a cycle" if clock else ""
        rows.append((dtype, f"{rate / 1e9:.4g} GFLOP/s{a_cycle}"))
    print_facts(rows, out)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", title_justify="left")
    table.add_column("GB/s")
    operations = ("read", "copy", "triad", "in_place")
    for name in ("size", *operations):
        table.add_column(name.replace("_", " "), justify="right")
    for level in peaks.levels:
        rates = (getattr(level, name) for name in operations)
        size = _short(level.working_set) if level.working_set else "–"
        table.add_row(level.level, size, *(f"{rate / 1e9:.3g}" if rate else "–" for rate in rates))
    out.print(table)


def _short(size: float) -> str:
    """Bytes with one binary unit and no fraction: ``"22 KiB"``."""
    return f"{size / 2**20:.0f} MiB" if size >= 2**20 else f"{size / 2**10:.0f} KiB"
