"""``--with my_kernel.metal`` and ``--with my_kernel.cu``: a reader's body in the place of the experiment's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dl_exp.kernel import Kernel, Language, instead_of
from exp_core import Experiment, Implementation

LANGUAGE_OF: dict[str, Language] = {".metal": "metal", ".cu": "cuda"}


def own_kernel(experiment: Experiment, text: str) -> Implementation:
    """An implementation that runs the body in ``FILE`` or ``FILE:KERNEL`` wherever the experiment runs its own.

    Inputs, outputs, template and grid are those of the kernel that it replaces.  Raises ValueError in one sentence.
    """
    name = text.partition(":")[0]
    path = Path(name)
    language = LANGUAGE_OF[path.suffix]
    try:
        body = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"--with cannot read {name}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ValueError(f"--with cannot read {name}: it is no text in UTF-8") from None
    if not body.strip():
        raise ValueError(f"--with {name} is empty: write what stands between the braces of the kernel")
    implementation, kernel = stood_in_for(experiment, text)
    yours = replace(kernel, **{language: body})

    def run(*arguments: object) -> object:
        """Your own body."""
        with instead_of(kernel, yours):
            return implementation.function(*arguments)

    run.__name__ = run.__qualname__ = path.name
    return replace(implementation, function=run, devices=(language,), unstable={})


def stood_in_for(experiment: Experiment, text: str) -> tuple[Implementation, Kernel]:
    """The kernel that ``FILE`` or ``FILE:KERNEL`` stands in for.  Raises ValueError in one sentence."""
    name, _, wanted = text.partition(":")
    language = LANGUAGE_OF[Path(name).suffix]
    found = kernels_of(experiment, language)
    if not found:
        raise ValueError(f"this experiment has no {language} kernel that {name} could stand in for")
    if wanted and wanted not in found:
        raise ValueError(f"no {language} kernel of this experiment is called {wanted!r}; there are {', '.join(found)}")
    if not wanted and len(found) > 1:
        raise ValueError(f"several kernels could be meant: {name}:NAME, where NAME is {' or '.join(found)}")
    return found[wanted or next(iter(found))]


def kernels_of(experiment: Experiment, language: Language) -> dict[str, tuple[Implementation, Kernel]]:
    """The kernels that implementations call, by name: those that their module knows."""
    found: dict[str, tuple[Implementation, Kernel]] = {}
    for implementation in experiment.implementations:
        if language not in implementation.devices:
            continue
        for value in implementation.function.__globals__.values():
            if isinstance(value, Kernel) and value.body(language):
                found.setdefault(value.name, (implementation, value))
    return found
