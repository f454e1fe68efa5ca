"""The ring on real processes: sums, the same bits everywhere, and what happens when a rank dies."""

import os
import signal

import numpy as np
import pytest

pytest.importorskip("mlx.core", reason="ranks compute with MLX")

from dl_exp.distributed import _data_parallel_picture as drawn
from dl_exp.distributed import _data_parallel_ranks as pool
from dl_exp.distributed._data_parallel_ring import mlx_average, mlx_sum, ring_sum
from dl_exp.distributed.data_parallel import EXPERIMENT, loops, one_process, ring_written_out
from exp_core.tensor import gamma


@pytest.fixture(autouse=True, scope="module")
def no_ranks_afterwards():
    yield
    pool.close_ranks()


def problem(name="clusters", **sizes):
    chosen = {"inputs": 6, "hidden": 5, "classes": 3, "batch": 5, "updates": 2, "ranks": 2} | sizes
    return EXPERIMENT.problem(name).make(**chosen, dtype="float32", rng=np.random.default_rng(1))


def ring_in_threads(arrays):
    """``ring_all_reduce`` as it is, on ranks that are threads here: their messages go through queues."""
    import queue
    import threading
    from types import SimpleNamespace

    from dl_exp.distributed import _data_parallel_ring as ring

    ranks = len(arrays)
    links = [queue.Queue() for _ in range(ranks)]  # links[i]: from rank i to its right
    sent = [0] * ranks

    def exchange(piece, group):
        links[group.number].put(np.array(piece))
        sent[group.number] += piece.size
        return mx.array(links[(group.number - 1) % ranks].get(timeout=30))

    import mlx.core as mx

    results = [None] * ranks

    def work(rank):
        group = SimpleNamespace(number=rank, size=lambda: ranks, rank=lambda: rank)
        results[rank] = np.array(ring.ring_all_reduce(mx.array(arrays[rank]), group))

    before, ring.exchange = ring.exchange, exchange
    try:
        threads = [threading.Thread(target=work, args=(rank,)) for rank in range(ranks)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        ring.exchange = before
    return results, sent


@pytest.mark.parametrize("ranks", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("n", [1, 2, 7, 64, 1001])
def test_the_ring_sums(ranks, n):
    """Within the bound of such a sum; the same bits on all ranks; 2(R - 1)/R of the array sent by each."""
    rng = np.random.default_rng(n)
    arrays = rng.standard_normal((ranks, n)).astype(np.float32)
    results, sent = ring_in_threads(arrays)
    assert all(np.array_equal(result, results[0]) for result in results)
    exact, size = arrays.astype(float).sum(axis=0), np.abs(arrays.astype(float)).sum(axis=0)
    assert np.all(np.abs(results[0] - exact) <= gamma(ranks - 1, "float32") * size)
    assert sent == [2 * (ranks - 1) * -(-n // ranks)] * ranks


def test_the_ring_hands_on_what_is_not_a_number():
    arrays = np.array([[1, np.nan, np.inf, 1e-45], [2, 1, -np.inf, 1e-45]], np.float32)
    results, _ = ring_in_threads(arrays)
    assert results[0][0] == 3
    assert np.isnan(results[0][1:3]).all()
    assert results[0].tobytes() == results[1].tobytes()


@pytest.mark.parametrize("average", [ring_sum, mlx_sum, mlx_average])
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_ranks_come_to_the_weights_of_one_process(average, ranks):
    """With 5 examples the parts are uneven; a rank that took them for equal breaks the laws."""
    inputs = problem(ranks=ranks)
    truth = EXPERIMENT.oracle(*inputs)
    bounds = EXPERIMENT.bounds(EXPERIMENT.implementations[0], inputs)
    (run,) = pool.loaded(*inputs)
    errors = EXPERIMENT.errors(run.train(average), inputs, truth)
    assert all(errors[law] <= bounds[law] for law in bounds), errors


def test_equal_weights_for_uneven_parts_break_the_laws():
    weights, x, labels, shape, ranks = problem(batch=5)
    truth = EXPERIMENT.oracle(weights, x, labels, shape, ranks)
    bounds = EXPERIMENT.bounds(EXPERIMENT.implementations[0], (weights, x, labels, shape, ranks))
    from dl_exp.distributed.data_parallel import RATE, loss_and_gradient

    w = weights.copy()
    for images, targets in zip(x, labels, strict=True):
        parts = [loss_and_gradient(w, images[r::2], targets[r::2], shape)[1] for r in range(2)]
        w -= RATE * (parts[0] + parts[1]) / 2
    errors = EXPERIMENT.errors((truth[0], w), (weights, x, labels, shape, ranks), truth)
    assert errors["final weights"] > bounds["final weights"]


@pytest.mark.parametrize("ranks", [1, 2, 3, 5])
def test_the_loops_do_what_one_process_does(ranks):
    inputs = problem(ranks=ranks)
    assert loops(*inputs)[1] == pytest.approx(one_process(*inputs)[1], abs=1e-5)


def test_a_rank_that_dies_ends_all_with_one_sentence_and_the_next_run_has_new_ones():
    inputs = problem(batch=6)
    (run,) = pool.loaded(*inputs)
    processes = list(run.ranks.processes)
    os.kill(processes[1].pid, signal.SIGKILL)
    processes[1].wait()
    with pytest.raises(pool.RankError, match=r"^rank 1 of 2 has died \(killed by SIGKILL.*\): all ranks are ended$"):
        ring_written_out(run)
    assert all(process.poll() is not None for process in processes)
    (again,) = pool.loaded(*inputs)
    assert np.array_equal(ring_written_out(again)[1], ring_written_out(again)[1])
    with pytest.raises(pool.RankError):
        ring_written_out(run)


def test_a_rank_that_stops_in_the_middle_is_not_waited_for_for_ever(monkeypatch):
    (run,) = pool.loaded(*problem(batch=6))
    monkeypatch.setattr(pool, "PATIENCE_S", 1.0)  # not before: on a busy machine, starting takes longer
    os.kill(run.ranks.processes[0].pid, signal.SIGSTOP)
    with pytest.raises(pool.RankError, match=r"said nothing for 1 s: all ranks are ended"):
        ring_written_out(run)


def test_a_rank_without_examples_is_refused():
    with pytest.raises(ValueError, match="3 ranks cannot share 2 examples: choose --ranks 2 or a larger --batch"):
        problem(batch=2, ranks=3)


@pytest.mark.parametrize("ranks", [1, 2, 4, 7])
def test_the_picture_counts_every_share_once(ranks):
    hops = list(drawn.around(ranks))
    assert len(hops) == 2 * ranks - 1
    assert np.array_equal(hops[0], np.ones((ranks, ranks)))
    assert np.array_equal(hops[-1], np.full((ranks, ranks), ranks))
    complete = hops[ranks - 1] == ranks
    assert np.array_equal(complete.sum(axis=0), np.ones(ranks)), "one rank has each piece of the sum"


def test_a_sweep_over_ranks(tmp_path, monkeypatch):
    """One and two ranks from one command, as the docstring says: a point for each, and both right."""
    import dl_exp

    monkeypatch.setenv("EXP_CORE_DATA", str(tmp_path))
    sizes = {"inputs": 6, "hidden": 5, "classes": 3, "batch": 6, "updates": 2}
    found = dl_exp.sweep("data_parallel", ranks=[1, 2], **sizes, budget=0.5, store=False, progress=False)
    assert found.axes == {"ranks": (1, 2)}
    assert [result.sizes["ranks"] for result in found.results] == [1, 2]
    assert all(row.status in ("ok", "skipped") for result in found.results for row in result.rows)
    assert all(any(row.status == "ok" for row in result.rows) for result in found.results)
