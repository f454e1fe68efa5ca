"""A copy of OpenBLAS that passes for the BLAS that MLX was built with, made once and kept in the user's cache folder.

scipy-openblas32, kept by those of NumPy and SciPy, holds OpenBLAS with kernels for every processor.  The copy is the
same library under other names (``blas_names``); a fresh process tries it before anybody may load it (``blas_proof``).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from exp_core.alone import alone
from exp_core.folders import cache_folder
from exp_core.machine.blas_names import INSTALL, NoCopyError, reference_blas, write_renamed
from exp_core.machine.libraries import versions
from exp_core.machine.processor import read_processor
from exp_core.machine.threads import thread_environment
from exp_core.timing import epoch

SCHEMA = 1
REFUSAL_HOLDS_S = 24 * 3600
PROOF_S = 60.0
LEFT_S = 3600.0


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that was tried: MLX's matrix products with it are right, and so many times faster, thread by thread.

    version: of scipy-openblas32.  size, checksum (CRC-32): of the file as it was written.
    """

    path: Path
    version: str
    size: int
    checksum: int
    faster: float

    @property
    def whole(self) -> bool:
        """Whether the file is still what was written: a damaged library kills the process that loads it."""
        try:
            return self.path.stat().st_size == self.size and zlib.crc32(self.path.read_bytes()) == self.checksum
        except OSError:
            return False


def openblas_copy() -> Copy:
    """The copy for the MLX and the OpenBLAS that are installed, made if need be (a second).  Raises NoCopyError.

    Several processes may ask at once: one makes it, the others wait.
    """
    openblas, mlx = _installed("scipy_openblas32", "lib/libscipy_openblas*.so"), _installed("mlx", "lib/libmlx.so")
    path = copy_path(openblas, mlx)
    found = known(path)
    if found is None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with alone(path.parent / "libopenblas.lock"):
                found = known(path) or make(path, openblas, mlx)
        except OSError as error:
            raise NoCopyError(
                f"a copy of OpenBLAS cannot be kept in {path.parent} ({error.strerror})",
                "XDG_CACHE_HOME names another folder",
            ) from error
    return found


def copy_path(openblas: Path, mlx: Path) -> Path:
    """Where the copy is kept: a file of its own for each pair of libraries, and each processor it was tried on."""
    installed = {name: version for name, version in versions(("mlx", "scipy-openblas32")).items() if name != "python"}
    sizes = [openblas.stat().st_size, mlx.stat().st_size]
    key = json.dumps([SCHEMA, installed, sizes, read_processor().model])
    name = f"libopenblas-{hashlib.sha256(key.encode()).hexdigest()[:16]}.so"  # threadpoolctl looks for libopenblas
    return cache_folder() / name


def known(path: Path) -> Copy | None:
    """The copy at that place if it is whole; None if it has to be made.  Raises NoCopyError if it was tried in vain."""
    record = path.with_suffix(".json")
    try:
        document: object = json.loads(record.read_text())
        if not isinstance(document, Mapping):
            return None
        if "refused" in document:
            if not 0 <= epoch() - float(document["at"]) < REFUSAL_HOLDS_S:
                return None
            raise NoCopyError(str(document["refused"]), f"remove {record} to have it tried again")
        copy = Copy(
            path, str(document["version"]), int(document["size"]), int(document["checksum"]), float(document["faster"])
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return copy if copy.whole else None


def make(path: Path, openblas: Path, mlx: Path) -> Copy:
    """Write the copy and let a fresh process try it; only one that passes gets the name.

    Raises NoCopyError, and OSError where the folder cannot be written.
    """
    reference = reference_blas(mlx)
    _sweep(path.parent)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=path.stem) as folder:
        fresh = Path(folder) / path.name
        write_renamed(openblas, reference, fresh)
        content = fresh.read_bytes()
        try:
            faster = prove(fresh, reference)
        except NoCopyError as error:
            _write(path.with_suffix(".json"), json.dumps({"refused": error.skip.reason, "at": epoch()}).encode())
            raise
        version = versions(("scipy-openblas32",))["scipy-openblas32"] or ""
        copy = Copy(path, version, len(content), zlib.crc32(content), faster)
        with fresh.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(fresh, path)
    record = {name: value for name, value in asdict(copy).items() if name != "path"}
    _write(path.with_suffix(".json"), json.dumps(record).encode())
    return copy


def prove(copy: Path, reference: Path) -> float:
    """How many times faster MLX multiplies with the copy, as a fresh process finds.  Raises NoCopyError."""
    from exp_core.user import fate

    environment = os.environ | thread_environment(1)
    environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    command = [sys.executable, "-m", "exp_core.machine.blas_proof", str(copy), str(reference)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROOF_S, env=environment)
    except subprocess.TimeoutExpired as error:
        raise NoCopyError(f"MLX with OpenBLAS did not answer within {PROOF_S:.0f} s") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise NoCopyError(f"MLX with OpenBLAS failed when it was tried ({last or fate(done.returncode)})")
    answer = json.loads(done.stdout)
    if answer["refused"]:
        raise NoCopyError(str(answer["refused"]))
    return float(answer["faster"])


def _installed(package: str, file: str) -> Path:
    """A file of an installed package that is not imported.  Raises NoCopyError."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for found in sorted(Path(folder).glob(file)):
            return found
    raise NoCopyError(f"{package.replace('_', '-')} has no {Path(file).name} here", INSTALL)


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed have left half done."""
    for left in folder.glob("libopenblas-*/"):
        if epoch() - left.stat().st_mtime > LEFT_S:
            shutil.rmtree(left, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    """Beside the place and then there in one step."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(temporary, path)
