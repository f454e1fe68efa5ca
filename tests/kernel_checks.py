"""What the tests of every hand-written kernel ask of it, in one call each.

@needs_a_compiler
@every_language
def test_barriers(language):
    assert_every_barrier_matters(SOFTMAX, language, lambda: kernel(x))
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from dl_exp.emulator import KernelFault, emulating, unavailable
from dl_exp.kernel import LANGUAGES, Kernel, Language, instead_of

BARRIER = re.compile(
    r"\b(?:threadgroup_barrier|simdgroup_barrier|__syncthreads|__syncwarp)\s*\([^;]*?\)\s*;|\b\w+\.sync\(\)\s*;"
)

needs_a_compiler = pytest.mark.skipif(unavailable() is not None, reason=str(unavailable()))
every_language = pytest.mark.parametrize("language", LANGUAGES)


def barriers(body: str) -> list[re.Match[str]]:
    """Where a body's barriers are."""
    return list(BARRIER.finditer(body))


def without(body: str, found: re.Match[str]) -> str:
    """The body with one barrier less, all lines where they were."""
    gap = "".join(c if c == "\n" else " " for c in found.group().removesuffix(";"))
    return body[: found.start()] + gap + ";" + body[found.end() :]


def assert_every_barrier_matters(kernel: Kernel, language: Language, *runs: Callable[[], object]) -> None:
    """Each run calls the kernel somehow.  All pass as it is; and if any one of its barriers is gone, one is caught.

    Choose sizes at which several simdgroups have work: a barrier that orders nothing is missed by nobody.
    """
    body = kernel.body(language)
    with emulating(language):
        for run in runs:
            run()
        for found in barriers(body):
            faults = 0
            with instead_of(kernel, replace(kernel, **{language: without(body, found)})):
                for run in runs:
                    try:
                        run()
                    except KernelFault:
                        faults += 1
            line = body[: found.start()].count("\n") + 1
            assert faults, f"{kernel.name} ({language}): nobody misses the barrier of line {line}"
