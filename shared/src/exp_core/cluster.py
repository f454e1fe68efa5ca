"""A Dask cluster, for sweeps and for ``distributed`` implementations: connected to, or started here, and left again."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, cast

WAIT_S = 30.0  # for a first worker
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where it is, and how many threads its workers have together."""

    address: str
    threads: int

    def __str__(self) -> str:
        return f"distributed on {self.address}, {self.threads} threads"


class Future(Protocol):
    """What is used of Dask's future."""

    status: str

    def result(self) -> Mapping[str, object]: ...

    def cancel(self) -> None: ...


class Closing(Protocol):
    """What is used of a local cluster."""

    def close(self) -> None: ...


class Client(Protocol):
    """What is used of Dask's client."""

    cluster: Closing | None

    def submit(
        self, function: Callable[[Mapping[str, object]], Mapping[str, object]], task: object, **how: object
    ) -> Future: ...

    def scheduler_info(self, n_workers: int) -> Mapping[str, Mapping[str, Mapping[str, object]]]: ...

    def wait_for_workers(self, n_workers: int, timeout: float) -> None: ...

    def close(self) -> None: ...


class ClusterError(Exception):
    """The cluster cannot be used; one sentence with the remedy."""


def connect(address: str, workers: int = 1) -> Client:
    """A client of the cluster at this address, or of so many one-thread processes on this machine for ``local``.

    Until ``disconnect`` whatever is computed with Dask in this process is computed there.  Raises ClusterError.
    """
    distributed = importlib.import_module("distributed")
    try:
        if address == LOCAL:
            cluster = distributed.LocalCluster(  # no memory limit: the ladder keeps to what is free
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=0,
                dashboard_address=None,
                silence_logs=50,
            )
            client: Client = distributed.Client(cluster)
        else:
            client = distributed.Client(address, timeout=WAIT_S)
        client.wait_for_workers(1, timeout=WAIT_S)
    except (OSError, RuntimeError, TimeoutError, ValueError) as error:
        raise ClusterError(f"--cluster {address} has no worker that answers: {error or 'timed out'}") from error
    return client


def disconnect(client: Client) -> None:
    """Leave the cluster, and end it if it is ours."""
    cluster = client.cluster
    client.close()
    if cluster is not None:
        cluster.close()


@contextmanager
def connected(address: str, workers: int) -> Iterator[Cluster]:
    """Inside, Dask's work is done on that cluster, or on one of so many workers here.  Raises ClusterError."""
    client = connect(address, workers)
    try:
        known = client.scheduler_info(n_workers=-1)["workers"].values()
        yield Cluster(address, sum(cast("int", worker["nthreads"]) for worker in known))
    finally:
        disconnect(client)


class Blocks(Protocol):
    """What is used of a dask.array."""

    def persist(self) -> Blocks: ...


def in_blocks(array: object, rows: int) -> Blocks:
    """An array as a dask.array in blocks of so many rows that lie where they are used: on threads here, or on workers.

    To be called while arguments are prepared: moving data is no part of the work.  The scheduler keeps what it takes to
    make each block again, so that a worker that dies takes nothing with it.
    """
    import dask.array

    cut: Callable[..., Blocks] = dask.array.from_array
    blocks = cut(array, chunks=(rows, -1))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sending large graph", UserWarning)  # it is the data, and meant to be sent
        return blocks.persist()
