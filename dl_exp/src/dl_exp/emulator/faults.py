"""What the emulator says of a kernel that is wrong."""

from __future__ import annotations

import re

from exp_core.diagnosis import Diagnosis

LINE = re.compile(r"(header )?line (\d+)")


class KernelFault(Diagnosis):
    """A kernel that is wrong on every GPU, even where it happens to work; one sentence, then the lines it speaks of."""


class EmulatorMissing(Diagnosis):
    """The emulator lacks a C++ compiler that works; one sentence with the remedy."""


def quoted(sentence: str, body: str, header: str) -> str:
    """The sentence, and below it every line of the header or the body that it names, in their order."""
    lines = {"header ": header.splitlines(), "": body.splitlines()}
    named = sorted({(not where, int(number), where) for where, number in LINE.findall(sentence)})
    said = [
        f"{where}{number:>5} | {lines[where][number - 1]}"
        for _, number, where in named
        if 0 < number <= len(lines[where])
    ]
    return "\n".join([sentence, *said])
