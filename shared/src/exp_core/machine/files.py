"""Reading what the system tells in small files; a file that is not there, or says nothing of use, is None."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path("/")


def read_text(path: Path) -> str | None:
    """The text without blanks around it; None if it cannot be read or is empty."""
    try:
        return path.read_text(errors="replace").strip() or None
    except OSError:
        return None


def read_int(path: Path) -> int | None:
    """The whole number in a file."""
    try:
        return int(read_text(path) or "")
    except ValueError:
        return None


def read_bytes(path: Path) -> int | None:
    """A size such as ``32K`` or ``8M``, in bytes (as the kernel writes the sizes of caches)."""
    text = read_text(path) or ""
    unit = {"K": 2**10, "M": 2**20, "G": 2**30}.get(text[-1:], 1)
    try:
        return int(text.rstrip("KMG")) * unit
    except ValueError:
        return None


def sysctl(*names: str) -> dict[str, str]:
    """What macOS says under these names; names that it does not know are left out, and elsewhere all are."""
    try:
        done = subprocess.run(["/usr/sbin/sysctl", *names], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return {}
    pairs = (line.partition(":") for line in done.stdout.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
