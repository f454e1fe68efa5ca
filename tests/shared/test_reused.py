"""Memory that is used again: only when nobody can see it, only a few, and not where it is short."""

import gc
import sys
import threading

import numpy as np
import pytest

from exp_core import reused
from exp_core.memory import peak_memory

SIZE = 1000
NBYTES = SIZE * 8


@pytest.fixture(autouse=True)
def anything_is_large(monkeypatch):
    monkeypatch.setattr(reused, "LARGE", NBYTES)
    reused.forget()
    yield
    reused.forget()


def address(array):
    return array.ctypes.data


@pytest.mark.parametrize("shape", [(), (0,), (1,), (7, 11), (SIZE,), (3, 0, 2), (40, 50)])
@pytest.mark.parametrize("dtype", ["float32", "float64", np.uint8, np.complex128])
def test_it_is_an_array_like_any_other(shape, dtype):
    array = reused.empty(shape, dtype)
    assert array.shape == shape and array.dtype == np.dtype(dtype)
    assert array.flags.c_contiguous and array.flags.writeable
    assert array.size == 0 or address(array) % reused.LINE == 0
    array[...] = 3
    assert (array == 3).all()


def test_the_same_memory_comes_again_when_the_array_is_gone():
    first = reused.empty((SIZE,), "float64")
    before = address(first)
    del first
    again = reused.empty((SIZE // 2, 2), "float64")
    assert address(again) == before
    assert address(reused.empty((SIZE,), "float64")) != before


@pytest.mark.parametrize("view", [lambda a: a[3:], lambda a: a.reshape(10, -1).T[2:][:, 1], memoryview, np.asarray])
def test_who_holds_a_view_keeps_the_memory(view):
    array = reused.empty((SIZE,), "float64")
    array[:] = 1
    held = view(array)
    del array
    gc.collect()
    for _ in range(3):
        reused.empty((SIZE,), "float64")[:] = 2
    assert (np.asarray(held) == 1).all()


def test_what_is_small_or_of_another_size_is_not_mixed_up():
    small = reused.empty((SIZE - 1,), "float64")
    del small
    assert not reused._WAITING
    both = [reused.empty((SIZE + extra,), "float64") for extra in range(2)]
    del both
    assert len(reused._WAITING) == 2
    assert reused.empty((SIZE + 1,), "float64").nbytes == NBYTES + 8
    assert len(reused._WAITING) == 2


def test_only_a_few_wait():
    many = [reused.empty((SIZE,), "float64") for _ in range(reused.KEPT + 3)]
    del many
    assert len(reused._WAITING) == reused.KEPT


def test_where_memory_is_short_none_waits(monkeypatch):
    monkeypatch.setattr(reused, "available_memory", lambda: NBYTES / reused.SHARE - 1)
    reused.empty((SIZE,), "float64")
    assert not reused._WAITING


def test_who_cannot_have_memory_gets_what_waits(monkeypatch):
    reused.empty((SIZE,), "float64")
    assert reused._WAITING
    real = np.empty

    def full(*arguments):
        if reused._WAITING:
            raise MemoryError
        return real(*arguments)

    monkeypatch.setattr(np, "empty", full)
    assert reused.empty((2 * SIZE,), "float64").size == 2 * SIZE
    monkeypatch.setattr(np, "empty", lambda *arguments: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(MemoryError):
        reused.empty((3 * SIZE,), "float64")


def test_threads_never_share_an_array():
    torn = []

    def work(mark):
        for _ in range(300):
            array = reused.empty((SIZE,), "float64")
            array[:] = mark
            if not (array == mark).all():
                torn.append(mark)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not torn


def test_the_memory_of_a_call_is_counted_though_it_waited():
    def call():
        reused.empty((10**6,), "float64")[:] = 1

    call()
    assert peak_memory(call).bytes == pytest.approx(8e6, rel=0.1)
