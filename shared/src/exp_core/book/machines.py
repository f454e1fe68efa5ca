"""The page of the machines that measured something: what they are, and what they can do at best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from exp_core.book.measured import Measured
from exp_core.book.tables import Cell, Table
from exp_core.machine import Peaks
from exp_core.machine.description import bytes_text
from exp_core.report.machine import HOW
from exp_core.report.units import speed


def machine(measured: Measured, machines: Sequence[str]) -> dict[str, object]:
    """Every machine that measured something, as it was when it did so last."""
    tables = list[Table]()
    newest = {h.machine: h.id for headers in measured.headers.values() for h in headers}
    newest = {name: max(h.id for hs in measured.headers.values() for h in hs if h.machine == name) for name in newest}
    for name in sorted(machines, key=lambda each: -newest[each]):
        run = measured.run(newest[name])
        tables += machine_tables(name, run.result.machine) if run else ()
    if not tables:
        tables = [Table("No machine has measured anything yet", words="python -m maths_exp machine looks at this one.")]
    return {
        "title": "The machine that measured it",
        "subtitle": "What it is, and what it can do at best: measured, not quoted.",
        "figures": [],
        "tables": tables,
    }


def machine_tables(name: str, document: Mapping[str, object]) -> Iterator[Table]:
    """What a machine is, its arithmetic and its memory."""
    facts = tuple((Cell(key), Cell(value)) for key, value in facts_of(document))
    yield Table(f"Machine {name}", (("what", ""), ("is", "")), facts)
    limits = document.get("limits")
    if not isinstance(limits, Mapping) or not isinstance(limits.get("peaks"), Mapping):
        return
    peaks = Peaks.from_dict(limits["peaks"])
    threads = f"{peaks.threads} thread{'s' if peaks.threads > 1 else ''}"
    clock = f" at {peaks.clock_hz / 1e9:.3g} GHz" if peaks.clock_hz else ""
    rates = tuple((Cell(d), Cell(speed(rate, "flop/s"), rate)) for d, rate in peaks.flops.items())
    how = HOW.get(peaks.method, peaks.method)
    yield Table(f"Arithmetic, {threads}{clock} ({how})", (("dtype", ""), ("at best", "n")), rates)
    operations = ("read", "copy", "triad", "in place")
    columns = (("memory", ""), ("working set", "n"), *((name, "n") for name in operations))
    levels = tuple(
        (
            Cell(level.level),
            Cell(bytes_text(level.working_set)),
            *(gigabytes(r) for r in (level.read, level.copy, level.triad, level.in_place)),
        )
        for level in peaks.levels
    )
    yield Table(f"Memory, {threads}", columns, levels)


def gigabytes(rate: float) -> Cell:
    """A bandwidth."""
    return Cell(speed(rate, "B/s") if rate else "–", rate)


def facts_of(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """What is known of a stored machine, in words; whatever another version has stored differently is left out."""
    processor = document.get("processor")
    if isinstance(processor, Mapping):
        yield "processor", ", ".join(str(processor[k]) for k in ("model", "architecture", "simd") if processor.get(k))
        sizes = (("L1", "l1d_bytes"), ("L2", "l2_bytes"), ("L3", "l3_bytes"))
        caches = [f"{name} {bytes_text(float(processor[key]))}" for name, key in sizes if processor.get(key)]
        yield "caches", ", ".join(caches)
        yield "cores", f"{document.get('usable_cores', '?')} usable of {processor.get('logical_cores', '?')}"
    yield "system", f"{document.get('system', '')} {document.get('release', '')}".strip()
    if isinstance(memory := document.get("memory_bytes"), (int, float)):
        yield "memory", bytes_text(float(memory))
    if isinstance(versions := document.get("versions"), Mapping):
        yield "versions", ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    if isinstance(libraries := document.get("blas"), list):
        named = (" ".join(str(b.get(k) or "") for k in ("name", "version", "kernel")) for b in libraries)
        yield "BLAS", "; ".join(named)
    if document.get("mlx_blas"):
        yield "MLX’s BLAS", str(document["mlx_blas"])
    if isinstance(found := document.get("devices"), list):
        yield "devices", "; ".join(f"{device.get('name')}: {device.get('title')}" for device in found)
