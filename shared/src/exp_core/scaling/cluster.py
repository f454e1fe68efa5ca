"""The points of a sweep spread over a Dask cluster.

One point at a time on each host, whatever number of workers it has: neighbours share caches and memory even where they
share no core, and would be in each other's timings.  A point whose worker dies is measured again, elsewhere or by the
worker that takes its place; one that has cost three workers is given up, with the reason.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from exp_core.cluster import Client, ClusterError, Future
from exp_core.request import Plain, Request, describe_request
from exp_core.results import Result
from exp_core.scaling.result import Point
from exp_core.scaling.run import State, Watch
from exp_core.scaling.task import measure_task
from exp_core.timing.clock import SYSTEM, Deadline

ATTEMPTS = 3
WAIT_S = 30.0  # for the next worker where the last has died
POLL_S = 0.5


class OnCluster:
    """Measures points on the cluster of a client: one at a time on every host."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.running: dict[str, tuple[Future, int, str]] = {}  # by host: the answer to come, its place, the worker

    def __call__(self, todo: Sequence[Request], note: Callable[[int, Point], None], watch: Watch) -> None:
        """Hand out the points, the largest first so that none of those is left alone at the end."""
        waiting = list(range(len(todo)))
        attempts = [0] * len(todo)
        total = sum(request.budget_s for request in todo) or 1.0
        done = 0.0
        patience = Deadline(WAIT_S)
        try:
            while waiting or self.running:
                workers = self.workers()
                hosts = {host: address for address, host in workers.items()}
                for host, worker in hosts.items():
                    if waiting and host not in self.running:
                        index = waiting.pop()
                        attempts[index] += 1
                        task = describe_request(todo[index])
                        future = self.client.submit(
                            measure_task, task, workers=[worker], pure=False, retries=0, allow_other_workers=False
                        )
                        self.running[host] = (future, index, worker)
                if hosts:
                    patience = Deadline(WAIT_S)
                elif not patience.left():
                    raise ClusterError("all workers of the cluster are gone: the points finished so far are kept")
                latest = max((index for _, index, _ in self.running.values()), default=len(todo) - 1)
                left = (total - done) / max(len(hosts), 1)
                finished = len(todo) - len(waiting) - len(self.running)
                stage = f"{len(self.running)} hosts at work" if len(self.running) != 1 else "1 host at work"
                sizes = todo[latest].sizes if todo else {}
                watch(State(finished, len(todo), done / total, left, sizes, stage))
                for host, index, outcome in self.finished(workers):
                    if outcome is None and attempts[index] < ATTEMPTS:
                        waiting.append(index)
                        continue
                    note(index, point_of(todo[index], outcome, host))
                    done += todo[index].budget_s
        finally:
            for future, _, _ in self.running.values():
                future.cancel()
            self.running.clear()

    def workers(self) -> dict[str, str]:
        """The host of every worker, by the worker's address."""
        known = self.client.scheduler_info(n_workers=-1)["workers"]
        return {address: str(facts["host"]) for address, facts in sorted(known.items())}

    def finished(self, workers: Mapping[str, str]) -> list[tuple[str, int, Plain | None]]:
        """What has come back: (host, place, answer); no answer where the worker has died."""
        distributed = importlib.import_module("distributed")
        futures = [future for future, _, _ in self.running.values()]
        if futures:
            with contextlib.suppress(TimeoutError):
                distributed.wait(futures, timeout=POLL_S, return_when="FIRST_COMPLETED")
        else:
            SYSTEM.sleep(POLL_S)
        back: list[tuple[str, int, Plain | None]] = []
        for host, (future, index, worker) in list(self.running.items()):
            # a worker that was started again has another address: a point held for the old one would wait for ever
            gone = future.status == "pending" and worker not in workers
            if gone:
                future.cancel()
            if gone or future.status != "pending":
                del self.running[host]
                back.append((host, index, future.result() if future.status == "finished" else None))
        return back


def point_of(request: Request, answer: Plain | None, host: str) -> Point:
    """A worker's answer as a point of the sweep."""
    sizes = dict(request.sizes)
    if answer is None:
        return Point(
            sizes, None, f"{ATTEMPTS} workers died of it: choose smaller sizes, or leave out what kills them", host=host
        )
    if "refused" in answer:
        return Point(sizes, None, str(answer["refused"]), host=host)
    return Point(sizes, Result.from_dict(cast("Plain", answer["result"])), host=host)
