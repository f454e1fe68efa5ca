"""From C++ to a program, once: what was compiled before is kept in the user's cache folder."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from dl_exp.emulator.complaints import complaint
from dl_exp.emulator.faults import EmulatorMissing, KernelFault
from dl_exp.kernel import Language
from exp_core.folders import cache_folder

COMPILERS = ("g++", "clang++", "c++")
FLAGS = ("-std=c++17", "-O1", "-w", "-fno-strict-aliasing", "-ffp-contract=off", "-fno-elide-type")
INCLUDE = Path(__file__).with_name("include")
LIMIT_S = 120


@functools.cache
def compiler() -> str:
    """The path of a C++ compiler: $CXX, or else the first that is here.

    Raises EmulatorMissing, for a CXX that names none too: another one than was asked for would be a silent fallback.
    """
    asked = os.environ.get("CXX", "").strip()
    for name in (asked,) if asked else COMPILERS:
        if path := shutil.which(name):
            return path
    if asked:
        raise EmulatorMissing(
            f"CXX names {asked!r}, and no such program is here: name a C++ compiler in it, or unset it"
        )
    remedy = "xcode-select --install" if platform.system() == "Darwin" else "apt install g++"
    raise EmulatorMissing(f"the emulator needs a C++ compiler, and there is none here: {remedy}")


def compiled(source: str, language: Language) -> Path:
    """The program of this source.  Raises KernelFault for what the compiler refuses, EmulatorMissing without one."""
    digest = hashlib.sha256("\n".join([source, _version(), *FLAGS, _shim()]).encode()).hexdigest()[:24]
    place = folder() / f"{digest}.exe"
    if place.exists():
        return place
    with tempfile.TemporaryDirectory(dir=place.parent) as workplace:
        written, made = Path(workplace, "kernel.cpp"), Path(workplace, "kernel")
        written.write_text(source, encoding="utf-8")
        said = _said(str(written), *map(str, machine()), "-o", str(made))
        if said is not None:
            raise KernelFault(complaint(said, language))
        os.replace(made, place)  # in one step: whoever looks sees all of it or nothing
    return place


@functools.cache
def machine() -> tuple[Path, ...]:
    """The parts of the program that are the same for every kernel, as object files.  Raises EmulatorMissing."""
    sources = sorted(INCLUDE.glob("*.cpp"))
    digest = hashlib.sha256("\n".join([_version(), *FLAGS, _shim()]).encode()).hexdigest()[:24]
    places = tuple(folder() / f"{source.stem}-{digest}.o" for source in sources)
    for source, place in zip(sources, places, strict=True):
        if not place.exists():
            made = place.with_suffix(f".{os.getpid()}")
            if (said := _said("-c", str(source), "-o", str(made))) is not None:
                words = next(filter(str.strip, said.splitlines()), "it does not say why")
                raise EmulatorMissing(
                    f"{compiler()} cannot compile the emulator ({words}): mend it, or name another in CXX"
                )
            os.replace(made, place)
    return places


def _said(*arguments: str) -> str | None:
    """What the compiler has to say against these; None if it makes them.  Raises KernelFault if it never ends."""
    command = [compiler(), *FLAGS, "-I", str(INCLUDE), *arguments]
    english = os.environ | {"LC_ALL": "C"}  # what it says is read here
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
            env=english,
        )
    except subprocess.TimeoutExpired:
        raise KernelFault(f"it does not compile: {compiler()} was still at it after {LIMIT_S} s") from None
    return done.stderr if done.returncode else None


@functools.cache
def _version() -> str:
    return subprocess.run([compiler(), "--version"], capture_output=True, text=True, check=False).stdout


@functools.cache
def _shim() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(INCLUDE.iterdir()))


def folder() -> Path:
    """Where compiled programs are kept: the user's cache folder; where nothing can be written there, until the end."""
    kept = cache_folder() / "emulator"
    return kept if _writable(kept) else Path(_until_the_end().name)


@functools.cache
def _writable(place: Path) -> bool:
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


@functools.cache
def _until_the_end() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="dl_exp_emulator_")
