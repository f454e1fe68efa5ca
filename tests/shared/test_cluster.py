"""``--cluster``: distributed implementations on workers, one of which is killed, or has less memory than is needed."""

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from exp_core.catalogue import read_catalogue
from exp_core.cli.app import Application
from exp_core.cluster import Cluster, connect, connected, disconnect
from exp_core.contestants import Contestant
from exp_core.ladder import climb
from exp_core.nests import as_numpy
from exp_core.request import Request

dask = pytest.importorskip("dask", reason="a cluster is Dask's")
distributed = pytest.importorskip("distributed", reason="a cluster is Dask's")

LIMIT = 2e9  # bytes that all workers may use together
ROWS, COLUMNS = 2**14 * 2388, 32  # 10 GB of float64


def request(name, *only, **sizes):
    entry = read_catalogue("maths_exp").entries[name]
    experiment = entry.load()
    chosen = tuple(Contestant(i) for i in experiment.implementations if i.name in only)
    problem = experiment.problems[0]
    return Request(entry, experiment, problem, sizes, "float64", chosen, budget_s=1.0, threads=2)


def call(name, only, **sizes):
    asked = request(name, only, **sizes)
    return asked.contestants[0].ready(asked.inputs())


@pytest.fixture
def client():
    client = connect("local", 2)
    yield client
    disconnect(client)


def test_a_ladder_on_a_cluster(tmp_path):
    """Distributed rows have the workers' threads and are right; everybody else is where he was."""
    asked = request("qr", "tsqr_dask", "lapack", rows=100, cols=4)  # so small that it needs no forecast
    with connected("local", 2) as cluster:
        assert cluster == Cluster("local", 2)
        assert distributed.get_client().run(os.getpid).keys()  # it is what Dask will use
        result = climb(replace(asked, cluster=cluster))
    rows = {row.name: row for row in result.rows}
    assert {row.status for row in result.rows} == {"ok"}
    assert rows["tsqr_dask"].median_s > 0
    assert result.cluster == "distributed on local, 2 threads"
    with pytest.raises(ValueError, match="No global client"):
        distributed.get_client()


@pytest.mark.parametrize(
    ("name", "only", "sizes"),
    [("qr", "tsqr_dask", {"rows": 4000, "cols": 8}), ("kmeans", "lloyd_dask", {"n": 4000, "d": 4, "k": 5})],
)
def test_a_worker_killed_in_the_middle_loses_nothing(client, name, only, sizes):
    """The blocks of the dead are made again: the same answer as on threads, to the last bit."""
    here = as_numpy(call(name, only, **sizes)())
    again = call(name, only, **sizes)  # the blocks lie on the workers now
    again()
    os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
    for one, other in zip(as_numpy(again()), here, strict=True):
        assert np.array_equal(one, other)


def run(*args):
    return CliRunner().invoke(Application("maths_exp", ()), args, standalone_mode=False)


def test_the_command_line():
    sizes, how = ("--rows", "100", "--cols", "4"), ("--budget", "0.5", "--json", "-")
    done = run("qr", *sizes, "--only", "tsqr_dask", "--cluster", "local", *how)
    document = json.loads(done.stdout)
    assert document["cluster"].startswith("distributed on local")
    assert document["implementations"][0]["status"] == "ok"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("fft",), "nothing of fft is distributed here"),
        (("qr", "--only", "lapack"), "nothing of qr is distributed here"),
        (("qr", "--cluster", "tcp://127.0.0.1:9"), "no worker that answers"),
    ],
)
def test_what_cannot_be_is_one_sentence(monkeypatch, args, sentence):
    monkeypatch.setattr("exp_core.cluster.WAIT_S", 0.5)
    done = run(*(args if "--cluster" in args else (*args, "--cluster", "local")))
    assert sentence in str(done.exception)


@pytest.mark.slow
def test_ten_gigabytes_through_two(tmp_path):
    """A tall matrix that no worker can hold, made block by block: R^T R must be A^T A, which is known in blocks too."""
    import dask.array

    from exp_core.tensor import gamma
    from maths_exp.linear_algebra.qr import tsqr_dask

    A = dask.array.random.default_rng(1).standard_normal((ROWS, COLUMNS), chunks=(ROWS // 597, -1))
    assert A.nbytes > 10e9
    with (
        dask.config.set({"temporary-directory": str(tmp_path)}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit=LIMIT / 2, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
    ):
        gram = (A.T @ A).compute()
        R = tsqr_dask(A)[1].compute()
    assert np.array_equal(R, np.triu(R))
    # each product and each sum of one column's length; the tree of triangles adds less (Higham 2002, theorem 19.4)
    bound = 4 * COLUMNS * gamma(ROWS, gram) * np.sqrt(np.outer(np.diag(gram), np.diag(gram)))
    assert (abs(R.T @ R - gram) <= bound).all()
    assert not (abs((R + 1e-6 * abs(R).max()).T @ R - gram) <= bound).all()
