"""From C++ to a program, once: what was compiled before is kept in the user's cache folder."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from dl_exp.emulator.faults import EmulatorMissing, KernelFault
from exp_core.folders import cache_folder

COMPILERS = ("g++", "clang++", "c++")
FLAGS = ("-std=c++17", "-O1", "-w", "-fno-strict-aliasing", "-ffp-contract=off")
INCLUDE = Path(__file__).with_name("include")
ERROR = re.compile(r"^(body|header):(\d+):\d+: (?:fatal )?error: (.*)$", re.MULTILINE)
FIRST_HEADER_LINE = 1_000_000
LIMIT_S = 120


@functools.cache
def compiler() -> str:
    """The path of a C++ compiler: $CXX, or the first that is here.  Raises EmulatorMissing."""
    for name in (os.environ.get("CXX", ""), *COMPILERS):
        if name and (path := shutil.which(name)):
            return path
    remedy = "xcode-select --install" if platform.system() == "Darwin" else "apt install g++"
    raise EmulatorMissing(f"the emulator needs a C++ compiler, and there is none here: {remedy}")


def compiled(source: str) -> Path:
    """The program of this source.  Raises KernelFault for what the compiler refuses, EmulatorMissing without one."""
    digest = hashlib.sha256("\n".join([source, _version(), *FLAGS, _shim()]).encode()).hexdigest()[:24]
    place = folder() / f"{digest}.exe"
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as workplace:
        written, made = Path(workplace, "kernel.cpp"), Path(workplace, "kernel")
        written.write_text(source, encoding="utf-8")
        command = [compiler(), *FLAGS, "-I", str(INCLUDE), str(written), *map(str, _machine()), "-o", str(made)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT_S, check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            raise KernelFault(_sentence(done.stderr))
        os.replace(made, place)  # in one step: whoever looks sees all of it or nothing
    return place


@functools.cache
def _machine() -> tuple[Path, ...]:
    """The parts of the program that are the same for every kernel, as object files."""
    sources = sorted(INCLUDE.glob("*.cpp"))
    digest = hashlib.sha256("\n".join([_version(), *FLAGS, _shim()]).encode()).hexdigest()[:24]
    places = tuple(folder() / f"{source.stem}-{digest}.o" for source in sources)
    for source, place in zip(sources, places, strict=True):
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            made = place.with_suffix(f".{os.getpid()}")
            command = [compiler(), *FLAGS, "-I", str(INCLUDE), "-c", str(source), "-o", str(made)]
            subprocess.run(command, check=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL)
            os.replace(made, place)
    return places


def _sentence(said: str) -> str:
    """The compiler's first complaint about the body or the header."""
    found = ERROR.search(said)
    if not found:
        return f"it does not compile: {next((l for l in said.splitlines() if 'error' in l), said[:300])}"
    where, number, words = found.groups()
    line = f"header line {int(number) - FIRST_HEADER_LINE}" if where == "header" else f"line {number}"
    return f"it does not compile: {line}: {_plain(words)}"


def _plain(words: str) -> str:
    """The body's own words for the shim's types."""
    words = re.sub(r"(?:gpu::)?Pointer<[^<>]*?, ?(?:gpu::)?any_memory>", "pointer", words)
    words = re.sub(r"(?:gpu::)?Pointer<[^<>]*?, ?(?:gpu::)?(\w+)_memory>", r"pointer to \1 memory", words)
    words = re.sub(r"read-only location .*", "read-only memory", words)
    return words.replace("gpu::Half", "half").replace("gpu::Bfloat", "bfloat")


@functools.cache
def _version() -> str:
    return subprocess.run([compiler(), "--version"], capture_output=True, text=True, check=False).stdout


@functools.cache
def _shim() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(INCLUDE.iterdir()))


def folder() -> Path:
    """Where compiled programs are kept."""
    return cache_folder() / "emulator"
