"""dl_exp in Python: ``import dl_exp; dl_exp.run("softmax", rows=512)``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from exp_core.api import How, Package
from exp_core.api.how import DType, Names
from exp_core.api.train import HowToTrain
from exp_core.own import Own
from exp_core.results import Result
from exp_core.scaling import Sweep
from exp_core.training.trained import Trained

PACKAGE = Package("dl_exp", devices=("metal", "cuda", "cpu"), emulator="dl_exp.emulator")

experiments = PACKAGE.experiments
explain = PACKAGE.explain
history = PACKAGE.history
machine = PACKAGE.machine


def run(
    name: str,
    *,
    problem: str | None = None,
    dtype: DType = None,
    only: Names = None,
    rung: Names = None,
    with_: Own | str | Path | None = None,
    seed: int = 0,
    budget: float = 10.0,
    threads: int | None = None,
    processes: int = 1,
    cold: bool = False,
    cluster: str | None = None,
    store: bool = True,
    progress: bool = True,
    device: Names = None,
    emulate: bool = False,
    **sizes: float,
) -> Result:
    """Climb one ladder: every implementation on the same input, checked against its bound, then timed.

        dl_exp.run("softmax")
        dl_exp.run("attention", length=128, only=("fused", "kernel"), with_=mine)

    name: an experiment; ``experiments()`` lists them.
    problem, dtype: the input's kind and element type; by default the experiment's first.
    only, rung: only these implementations, only of these rungs: a name, names separated by commas, or several.
    with_: your own function, called with the problem's arrays (MLX's, where ours take them); or ``{"mine": f, ...}``.
        It runs in this process: what it prints meanwhile goes nowhere, Ctrl-C stops it, and a crash takes the process
        along.  ``"FILE.py:FUNCTION"`` runs in a process of its own, with limits of time and memory; ``"FILE.metal"``
        or ``"FILE.cu"`` is a kernel's body, in the place of ours.
    seed: of the input.     budget: seconds for all of it.     threads: for everybody; by default all cores.
    processes: so many fresh processes share the timing.     cold: time with cold caches as well.
    cluster: where ``distributed`` implementations run: ``"local"`` or the address of a Dask scheduler.
    store: keep the result in the history.     progress: a bar, if a terminal or a notebook is there to show it.
    device: ``"cpu"``, ``"metal"`` or ``"cuda"``, or several; by default the CPU beside MLX's best.
    emulate: with a GPU as the device: check its kernels on an emulated one, at small sizes and without timing them.
    sizes: those of the problem, such as ``rows=512``; the others have their defaults.

    Raises Refused before any work is done, in one sentence, for what makes no sense, and Missing for what is not here;
    Interrupted, whose ``partial`` holds what is known, at Ctrl-C.  An implementation that fails is a row, no exception.
    """
    how = How(
        problem, dtype, only, rung, with_, seed, budget, threads, processes, cold, cluster, store, progress,
        device, emulate,
    )  # fmt: skip
    return PACKAGE.run(name, sizes, how)


def sweep(
    name: str,
    *,
    problem: str | None = None,
    dtype: DType = None,
    only: Names = None,
    rung: Names = None,
    with_: Own | str | Path | None = None,
    seed: int = 0,
    budget: float = 10.0,
    threads: int | None = None,
    processes: int = 1,
    cold: bool = False,
    cluster: str | None = None,
    store: bool = True,
    progress: bool = True,
    device: Names = None,
    **sizes: float | Iterable[float],
) -> Sweep:
    """Climb the ladder at many sizes, and fit laws of growth: those sizes vary that are given several values.

        dl_exp.sweep("attention", length=[64, 128, 256])

    The budget is for all points together; the other arguments are those of ``run``, and so is what is raised.
    """
    how = How(
        problem, dtype, only, rung, with_, seed, budget, threads, processes, cold, cluster, store, progress, device
    )  # fmt: skip
    return PACKAGE.sweep(name, sizes, how)


def train(
    name: str,
    *,
    steps: int | None = None,
    resume: bool = False,
    data: str | Path | None = None,
    batch: int | None = None,
    seed: int | None = None,
    checkpoint: str | Path | None = None,
    save_every: int | None = None,
    only: Names = None,
    rung: Names = None,
    threads: int | None = None,
    device: Names = None,
    progress: bool = True,
    **sizes: float,
) -> Trained:
    """Train for real: many steps, checkpoints on the way, and the published figure to reach.

        r = dl_exp.train("gpt", steps=2000, data="tinyshakespeare")
        r.figure(); r.to_pandas(); print(r.sample("ROMEO:"))
        dl_exp.train("gpt", steps=4000, resume=True)

    name: an experiment that trains: autograd, mlp, cnn, gpt, diffusion.
    steps: by default as many as the published figure takes; with ``resume``, those of the run that goes on.
    resume: go on from the last checkpoint; else an earlier run is moved aside, and nothing of it is lost.
    data: the name of a data set, which ``explain(name)`` lists, or where the experiment takes one, a file.
    batch: examples a step.     seed: of the first weights, and of the order of the data.
    checkpoint: the folder of checkpoints and log, by default the user's own; or a checkpoint to go on from.
    save_every: steps between two checkpoints; by default there is one every half minute, and one at the end.
    only, rung, threads, device: the engine that makes the steps, and on what; by default the fastest.
    progress: a bar, if a terminal or a notebook is there to show it.
    sizes: those of the model, such as ``layers=4``; the others have their defaults.

    Raises Refused, in one sentence, for what makes no sense and for a checkpoint that cannot be read or written,
    Missing for what is not here, ArithmeticError where the loss is no number any more; what was saved stays.  Ctrl-C
    saves, and raises Interrupted, whose ``partial`` is the run so far.  A script that ``mlx.launch`` starts shares each
    batch among its processes; the first of them writes, and RuntimeError says that another one has died.
    """
    how = HowToTrain(
        steps, resume, data, batch, seed, checkpoint, save_every, only, rung, threads, device, progress
    )  # fmt: skip
    return PACKAGE.train(name, sizes, how)


def trained(name: str, *, checkpoint: str | Path | None = None) -> Trained:
    """What a training run has left behind, from its last checkpoint or from the one that is named; nothing is trained.

        dl_exp.trained("gpt").sample("ROMEO:")

    Raises Refused where there is no checkpoint, or one of something else, and Missing for what is not here.
    """
    return PACKAGE.trained(name, HowToTrain(checkpoint=checkpoint))
