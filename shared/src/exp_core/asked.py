"""From what was asked for to a request, whoever asks: the command line or Python.

Refused in one sentence, before any work, where it contradicts itself or cannot run here.  The sentences name options as
the command line does; ``exp_core.api`` spells them as arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from exp_core.catalogue import Entry
from exp_core.experiment import Experiment, Implementation, Problem
from exp_core.refusal import Missing, Refused

if TYPE_CHECKING:
    from exp_core.contestants import Contestant
    from exp_core.machine import DeviceName
    from exp_core.request import Request
    from exp_core.results import Result
    from exp_core.run import Progress
    from exp_core.scaling import Shelf, Sweep
    from exp_core.scaling.run import Watch
    from exp_core.user import UserFunction


@dataclass(frozen=True)
class RunOptions:
    """How to run.

    rung: only these; None: all.     threads: for everybody; None: all cores.     devices: none: all that MLX has.
    emulator: the module that emulates GPUs, where the package has one.     emulate: check the devices' kernels there.
    """

    rung: tuple[str, ...] | None = None
    seed: int = 0
    budget: float = 10.0
    threads: int | None = None
    devices: tuple[DeviceName, ...] = ()
    processes: int = 1
    cold: bool = False
    store: bool = True
    emulator: str = ""
    emulate: bool = False


def make_request(
    entry: Entry,
    experiment: Experiment,
    problem: Problem,
    sizes: Mapping[str, float],
    dtype: str,
    run: RunOptions,
    only: tuple[str, ...] | None = None,
    user: UserFunction | None = None,
    own: tuple[Implementation, ...] = (),
) -> Request:
    """The request that the options describe; ``own``: the asker's functions, which are always among those to run.

    Raises Missing or Refused before any work is done.
    """
    from exp_core.machine import usable_cores
    from exp_core.request import Request

    cores = usable_cores()
    if run.threads is not None and run.threads > cores:
        raise Refused(f"--threads {run.threads} is more than the {cores} cores that can be used here")
    if own and run.processes > 1:
        raise Refused("your function is timed in this process, where it is: leave out --processes, or name its file")
    return Request(
        entry=entry,
        experiment=experiment,
        problem=problem,
        sizes=sizes,
        dtype=dtype,
        contestants=choose_contestants(entry, experiment, problem, run, only, own, alone=user is None),
        seed=run.seed,
        budget_s=run.budget,
        threads=run.threads or cores,
        user=user,
        processes=run.processes,
        cold=run.cold,
    )


def choose_contestants(
    entry: Entry,
    experiment: Experiment,
    problem: Problem,
    run: RunOptions,
    only: tuple[str, ...] | None,
    own: tuple[Implementation, ...] = (),
    *,
    alone: bool = True,
) -> tuple[Contestant, ...]:
    """Those asked for, on the devices asked for, the asker's own last.  Raises Missing if none of them could run."""
    from exp_core.contestants import Contestant
    from exp_core.installed import missing_modules

    if absent := missing_modules(entry.package, problem.requires):
        raise Missing(f"the problem {problem.name} {absent}")
    wanted = [
        implementation
        for implementation in experiment.implementations
        if (only is None or implementation.name in only) and (run.rung is None or implementation.rung in run.rung)
    ]
    if not wanted and not own and alone:
        raise Refused(f"--only and --rung leave nothing of {entry.name} to run")
    real = (run.devices or any(i.arrays == "mlx" for i in (*wanted, *own))) and not run.emulate
    devices = devices_of(run) if real else ("cpu",)
    contestants: list[Contestant] = []
    for implementation in wanted:
        if written_for := implementation.devices:
            asked = run.devices if run.emulate else devices
            there = [name for name in asked if name in written_for]
            stand_in = run.emulator if run.emulate or not there else ""
            contestants += [Contestant(implementation, name, stand_in) for name in there]
            if not there:
                contestants.append(Contestant(implementation, emulator=stand_in))
        elif implementation.arrays == "mlx":
            contestants += [Contestant(implementation, name) for name in devices]
        else:
            contestants.append(Contestant(implementation))
    absences = [missing_modules(entry.package, contestant.implementation.modules) for contestant in contestants]
    if absences and all(absences) and not own:
        raise Missing(f"{wanted[0].name} {absences[0]}")
    for implementation in own:
        where = devices if implementation.arrays == "mlx" else ("cpu",)
        contestants += [Contestant(implementation, name, yours=True) for name in where]
    return tuple(contestants)


def devices_of(run: RunOptions) -> tuple[DeviceName, ...]:
    """The devices asked for, or all that MLX has.  Raises Missing if one that was asked for is not there."""
    from exp_core.contestants import chosen_devices
    from exp_core.machine import DeviceMissing

    try:
        return chosen_devices(run.devices)
    except DeviceMissing as error:
        raise Missing(str(error)) from error


def chosen_sizes(problem: Problem, given: Mapping[str, float], *, small: bool = False) -> dict[str, float]:
    """The sizes given, and the defaults of the others (small: those of tests).

    Raises Refused for a size of another problem.
    """
    sizes = {size.name: size.default for size in problem.sizes}
    there = ", ".join(f"--{name}" for name in sizes)
    for name in given:
        if name not in sizes:
            raise Refused(f"the problem {problem.name} has no --{name}; it has {there or 'no sizes'}")
    return sizes | (dict(problem.small) if small else {}) | dict(given)


def climb_on_cluster(request: Request, address: str, progress: Progress) -> Result:
    """Climb, the ``distributed`` implementations on a Dask cluster.  Raises Missing where it cannot be reached."""
    from exp_core.cluster import ClusterError, connected
    from exp_core.ladder import climb

    if all(contestant.rung != "distributed" for contestant in request.contestants):
        raise Refused(f"nothing of {request.entry.name} is distributed here: --cluster helps a --sweep only")
    if request.processes > 1:
        raise Refused("--cluster has workers of its own: leave out --processes")
    _need_dask(request)
    try:
        with connected(address, request.threads) as cluster:
            return climb(replace(request, cluster=cluster), progress)
    except ClusterError as error:
        raise Missing(str(error)) from error


def sweep_as_asked(
    request: Request,
    axes: Mapping[str, Sequence[float]],
    address: str | None,
    shelf: Shelf | None,
    watch: Watch,
) -> Sweep:
    """Climb at every point, here or spread over a Dask cluster.  Raises Missing and Refused before any work is done."""
    from exp_core.scaling import sweep

    if address is None:
        return sweep(request, axes, shelf=shelf, watch=watch)
    from exp_core.cluster import LOCAL, ClusterError, connect, disconnect
    from exp_core.scaling.cluster import OnCluster

    if request.has_own:
        raise Refused("your function is in this process, and the cluster's have others: leave out --cluster")
    if request.user and address != LOCAL:
        raise Refused("--with names a file of this machine, which the cluster's may not have: leave one")
    _need_dask(request)
    try:
        client = connect(address)
    except ClusterError as error:
        raise Missing(str(error)) from error
    try:
        return sweep(request, axes, shelf=shelf, watch=watch, measure=OnCluster(client), where=address)
    finally:
        disconnect(client)


def _need_dask(request: Request) -> None:
    from exp_core.installed import missing_modules

    if absent := missing_modules(request.entry.package, ("dask", "distributed")):
        raise Missing(f"--cluster {absent}")
