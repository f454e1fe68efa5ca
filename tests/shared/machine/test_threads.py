from __future__ import annotations

import sys

import numpy as np
import pytest
import threadpoolctl

from exp_core.machine import thread_environment, thread_limit, usable_cores, verify_threads


def pools():
    np.ones((2, 2)) @ np.ones((2, 2))  # NumPy's BLAS is loaded
    if "numba" in sys.modules:
        sys.modules["numba"].get_num_threads()  # and so is Numba's OpenMP
    return [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]


def test_all_pools_have_the_limit_inside_and_what_they_had_outside():
    before = pools()
    with thread_limit(1):
        assert set(pools()) <= {1}
        assert verify_threads(1) == []
    assert pools() == before


def test_numba_is_limited_too():
    numba = pytest.importorskip("numba")
    before = numba.get_num_threads()
    with thread_limit(1):
        assert numba.get_num_threads() == 1
    assert numba.get_num_threads() == before
    with thread_limit(10_000):  # more than Numba has
        assert numba.get_num_threads() == numba.config.NUMBA_NUM_THREADS
        assert any("numba" in sentence for sentence in verify_threads(10_000))


def test_limits_nest_and_survive_an_error():
    before = pools()
    with pytest.raises(KeyError), thread_limit(usable_cores()), thread_limit(1):
        raise KeyError
    assert pools() == before


def test_a_pool_that_appears_later_is_caught_by_applying_again():
    before = pools()
    with thread_limit(1) as limit:
        threadpoolctl.threadpool_limits(2)  # stands for a library that was loaded just now
        if not before:
            pytest.skip("no pool that threadpoolctl can see")
        assert verify_threads(1)
        limit.apply()
        assert verify_threads(1) == []
    assert pools() == before


def test_a_limit_below_one_is_refused():
    with pytest.raises(ValueError, match="0 threads"), thread_limit(0):
        pass


def test_a_child_process_gets_the_limit_by_its_environment():
    environment = thread_environment(3)
    assert environment["OPENBLAS_NUM_THREADS"] == environment["NUMBA_NUM_THREADS"] == "3"


def test_mlx_leaves_a_note(monkeypatch):
    with thread_limit(1) as limit:
        monkeypatch.delitem(sys.modules, "mlx.core", raising=False)
        assert limit.notes == []
        monkeypatch.setitem(sys.modules, "mlx.core", object())
        assert "MLX" in limit.notes[0]
