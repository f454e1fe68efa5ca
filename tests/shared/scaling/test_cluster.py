"""A sweep on Dask: one point at a time a host, and a killed worker loses nothing."""

import os
import signal

import pytest

from exp_core.catalogue import read_catalogue
from exp_core.cluster import ClusterError, connect, disconnect
from exp_core.contestants import Contestant
from exp_core.request import Request, describe_request, read_request
from exp_core.scaling import sweep
from exp_core.scaling.cluster import OnCluster, point_of

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    client = connect("local")
    yield client
    disconnect(client)


def summation(n=64, budget=0.4):
    entry = read_catalogue("maths_exp").entries["summation"]
    experiment = entry.load()
    chosen = tuple(Contestant(i) for i in experiment.implementations if i.name in ("naive", "numpy_sum"))
    return Request(entry, experiment, experiment.problems[0], {"n": n}, "float64", chosen, budget_s=budget)


def test_a_request_survives_the_journey():
    request = summation()
    again = read_request(describe_request(request))
    assert describe_request(again) == describe_request(request)
    assert again.inputs()[0].tobytes() == request.inputs()[0].tobytes()


def test_points_come_back_although_a_worker_is_killed(client):
    """The first worker is killed as soon as a point is on its way; the nanny starts another, which does that point."""
    killed = []

    def kill_once(state):
        if not killed:
            killed.extend(client.run(os.getpid).values())
            os.kill(killed[0], signal.SIGKILL)

    done = sweep(summation(), {"n": (64, 128, 256)}, measure=OnCluster(client), watch=kill_once, where="local")
    assert killed
    assert [p.sizes["n"] for p in done.points] == [64, 128, 256]
    assert all(p.result and p.host for p in done.points)
    assert {row.status for p in done.points for row in p.result.rows} == {"ok"}


def test_a_point_that_kills_every_worker_is_given_up_with_the_reason():
    point = point_of(summation(), None, "host")
    assert point.result is None
    assert "3 workers died" in point.reason


def test_a_cluster_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr("exp_core.cluster.WAIT_S", 0.5)
    with pytest.raises(ClusterError, match="no worker that answers"):
        connect("tcp://127.0.0.1:9")
