"""Which versions are installed, and which BLAS is in use."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "mlx")


@dataclass(frozen=True, slots=True)
class Blas:
    """A BLAS library that is loaded; kernel: the processor that its code was made for; None: it does not say."""

    name: str
    version: str | None
    kernel: str | None
    threads: int | None


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str | None]:
    """Versions of Python and of packages, without importing them; None: not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def blas_in_use() -> tuple[Blas, ...]:
    """The BLAS libraries that this process has loaded, NumPy's first.

    Apple's Accelerate, which threadpoolctl does not see, is taken from NumPy's own description of its build.
    """
    import numpy as np
    import threadpoolctl

    loaded: list[Mapping[str, object]] = [p for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"]
    if loaded:
        return tuple(
            Blas(
                str(p["internal_api"]),
                _text(p.get("version")),
                _text(p.get("architecture")),
                _int(p.get("num_threads")),
            )
            for p in sorted(loaded, key=lambda p: "numpy" not in str(p.get("filepath")))
        )
    config: object = np.show_config(mode="dicts")
    dependencies = config.get("Build Dependencies", {}) if isinstance(config, dict) else {}
    blas = dependencies.get("blas", {})
    return (Blas(str(blas.get("name", "unknown")), _text(blas.get("version")), None, None),)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _int(value: object) -> int | None:
    return value if isinstance(value, int) else None
