"""What the emulator says of a kernel that is wrong."""

from __future__ import annotations

import re

LINE = re.compile(r"(header )?line (\d+)")


class KernelFault(RuntimeError):
    """A kernel that is wrong on every GPU, even where it happens to work; one sentence, then the lines it speaks of."""


class EmulatorMissing(RuntimeError):
    """The emulator lacks a C++ compiler; one sentence with the remedy."""


def quoted(sentence: str, body: str, header: str) -> str:
    """The sentence, and below it every line of the body or header that it names."""
    said: list[str] = []
    for where, number in LINE.findall(sentence):
        lines = (header if where else body).splitlines()
        if 0 < int(number) <= len(lines):
            said.append(f"{where}{number:>5} | {lines[int(number) - 1]}")
    return "\n".join([sentence, *dict.fromkeys(said)])
