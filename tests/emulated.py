"""A body of one language, run on arrays: what the emulator's own tests are made of."""

from __future__ import annotations

import numpy as np

from dl_exp.emulator import run
from dl_exp.kernel import Kernel, Launch


def run_body(
    language, body, inputs=None, *, grid=32, group=32, shape=None, dtype="float32", schedules=None, header="", **more
):
    """The single output ``y`` of a body that reads the named inputs."""
    inputs = inputs or {}
    template = more.pop("template", {})
    init_value = more.pop("init_value", None)
    bodies = {"metal": body if language == "metal" else "", "cuda": body if language == "cuda" else ""}
    kernel = Kernel("probe", inputs=tuple(inputs), outputs=("y",), **bodies, header=header, **more)
    grid, group = (three if isinstance(three, tuple) else (three, 1, 1) for three in (grid, group))
    shape = (int(np.prod(grid)),) if shape is None else shape
    launch = Launch(template, grid, group, (shape,), (dtype,), init_value)
    (y,) = run(kernel, language, list(inputs.values()), launch, schedules)
    return y
