from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from exp_core.machine import describe, usable_cores
from exp_core.machine.description import bytes_text, fingerprint


def test_the_machine_fits_into_json():
    machine = describe()
    assert json.loads(json.dumps(machine.to_dict())) == machine.to_dict()
    assert machine.usable_cores == usable_cores() >= 1
    assert machine.memory_bytes >= machine.memory_available_bytes > 0
    assert machine.versions["numpy"]
    assert machine.versions["python"]
    assert machine.blas


def test_facts_are_pairs_of_text_without_holes():
    facts = describe().facts()
    assert all(isinstance(name, str) and isinstance(value, str) and name and value for name, value in facts)
    assert {"system", "processor", "memory", "fingerprint"} <= {name for name, _ in facts}


def test_the_fingerprint_is_the_same_in_another_process_whatever_the_environment():
    code = "from exp_core.machine import describe; print(describe().fingerprint)"
    environment = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)}
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert other.stdout.strip() == describe().fingerprint


def test_another_processor_has_another_fingerprint():
    processor = describe().processor
    assert fingerprint(processor) == describe().fingerprint
    assert fingerprint(replace(processor, model="another")) != fingerprint(processor)


def test_importing_the_machine_imports_nothing_heavy():
    heavy = ("numba", "mlx", "scipy", "matplotlib", "psutil")
    code = f"import sys, exp_core.machine; print([m for m in {heavy} if m in sys.modules])"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (1023, "1023 bytes"), (2**15, "32 KiB"), (3 * 2**30, "3 GiB")]
)
def test_sizes_are_written_with_binary_units(size, text):
    assert bytes_text(size) == text
