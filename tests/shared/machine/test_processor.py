from __future__ import annotations

import platform

import pytest

from exp_core.machine.processor import (
    APPLE_CACHES,
    _from_sysctl,
    read_frequency,
    read_processor,
    throttle_count,
)

X86 = """processor\t: 0
model name\t: Zippy 9000
cpu MHz\t\t: 2596.150
flags\t\t: sse2 avx avx2

processor\t: 1
model name\t: other
"""


@pytest.fixture
def linux(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Linux")


def tree(root, cpuinfo, caches=(), **files):
    (root / "proc").mkdir()
    (root / "proc/cpuinfo").write_text(cpuinfo)
    cpu = root / "sys/devices/system/cpu/cpu0"
    for number, (level, kind, size) in enumerate(caches):
        folder = cpu / f"cache/index{number}"
        folder.mkdir(parents=True)
        for name, text in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(f"{text}\n")
    for name, text in files.items():
        (cpu / "cpufreq").mkdir(parents=True, exist_ok=True)
        (cpu / "cpufreq" / name).write_text(f"{text}\n")
    return root


def test_a_processor_is_read_from_files(tmp_path, linux):
    caches = [(1, "Data", "48K"), (1, "Instruction", "32K"), (2, "Unified", "2048K"), (3, "Unified", "36M")]
    processor = read_processor(tree(tmp_path, X86, caches))
    assert processor.model == "Zippy 9000"
    assert processor.simd == "AVX2"
    assert (processor.l1d_bytes, processor.l2_bytes, processor.l3_bytes) == (48 * 2**10, 2 * 2**20, 36 * 2**20)


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("flags : fpu sse2 avx avx2 avx512f", "AVX-512"),
        ("flags : fpu sse2", "SSE2"),
        ("Features : fp asimd sve", "SVE"),
        ("Features : fp asimd", "NEON"),
        ("nothing : here", ""),
    ],
)
def test_the_best_vector_instructions_are_named(tmp_path, linux, line, level):
    assert read_processor(tree(tmp_path, line)).simd == level


def test_what_cannot_be_read_is_none(tmp_path, linux):
    processor = read_processor(tmp_path)
    assert (processor.l1d_bytes, processor.l2_bytes, processor.l3_bytes) == (None, None, None)
    frequency = read_frequency(tmp_path)
    assert (frequency.now_hz, frequency.most_hz, frequency.governor) == (None, None, None)
    assert throttle_count(tmp_path) == 0


def test_the_clock_comes_from_cpufreq_and_otherwise_from_cpuinfo(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    exact = tree(tmp_path / "a", X86, scaling_cur_freq=3000000, cpuinfo_max_freq=4500000, scaling_governor="powersave")
    frequency = read_frequency(exact)
    assert (frequency.now_hz, frequency.most_hz, frequency.governor) == (3.0e9, 4.5e9, "powersave")
    assert read_frequency(tree(tmp_path / "b", X86)).now_hz == pytest.approx(2.59615e9)


def test_an_apple_processor_is_read_from_sysctl(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    facts = {
        "machdep.cpu.brand_string": "Apple M4",
        "hw.perflevel0.l1dcachesize": "131072",
        "hw.l1dcachesize": "65536",
        "hw.perflevel0.l2cachesize": "16777216",
    }
    processor = _from_sysctl(facts)
    assert (processor.model, processor.simd) == ("Apple M4", "NEON")
    assert (processor.l1d_bytes, processor.l2_bytes, processor.l3_bytes) == (131072, 16777216, None)
    assert set(APPLE_CACHES) == {"l1d", "l2", "l3"}
