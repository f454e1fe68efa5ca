"""The peak of one call: whoever allocates, whatever was there before, and whatever is freed in between."""

import ctypes
import gc
import mmap
import sys
from pathlib import Path

import numpy as np
import pytest

from exp_core.memory import collected_once, mlx_peak, peak_memory, resident_peak, traced_peak

MB = 10**6
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="pages are counted on Linux alone")


def native(block, blocks):
    """Blocks of bytes from the C library, all written to, all alive together, all freed in the end."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    held = [ctypes.c_void_p(libc.malloc(ctypes.c_size_t(block))) for _ in range(blocks)]
    for pointer in held:
        ctypes.memset(pointer, 1, block)
    for pointer in held:
        libc.free(pointer)


def given_back():
    """Without it, it depends on what lies behind a freed block whether the C library keeps its pages."""
    ctypes.CDLL(None).malloc_trim(0)


CALLS = {
    "NumPy": (lambda: np.ones(MB), 8 * MB),
    "freed in between": (lambda: [np.ones(MB).sum() for _ in range(5)], 8 * MB),
    "the larger one freed first": (lambda: (np.ones(2 * MB).sum(), np.ones(MB)), 16 * MB),
    "Python": (lambda: bytearray(8 * MB), 8 * MB),
    "no page touched": (lambda: np.empty(MB), 8 * MB),
    "tiny": (lambda: np.ones(1000), 8000),
}
NATIVE = {
    "native": (lambda: native(8 * MB, 1), 8 * MB),
    "native, in blocks that the C library keeps": (lambda: native(2**16, 128), 2**23),
    "native and NumPy": (lambda: (native(8 * MB, 1), given_back(), np.ones(MB // 2)), 8 * MB),
    "NumPy and native together": (lambda: [np.ones(MB), native(8 * MB, 1)], 16 * MB),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_peak_of_a_call_is_what_it_allocates(name):
    call, expected = CALLS[name]
    call()
    assert peak_memory(call).bytes == pytest.approx(expected, rel=0.1)


@needs_linux
@pytest.mark.parametrize("name", NATIVE)
def test_native_memory_is_seen(name):
    call, expected = NATIVE[name]
    call()
    found = peak_memory(call)
    assert found.seen == "all"
    assert found.bytes == pytest.approx(expected, rel=0.1)
    assert traced_peak(call) < 0.7 * expected, "else this test would hold without a look at the pages"


@pytest.mark.parametrize("alive", [True, False])
def test_what_the_set_up_has_allocated_does_not_count(alive):
    """The trap: the set-up allocates 80 MB, the call 8."""
    blocks = [np.ones(2**13) for _ in range(10 * MB // 2**13)]  # of 64 kB: the C library keeps them when they are freed
    if not alive:
        blocks.clear()

    def call():
        return [np.full(2**13, 3.0) for _ in range(MB // 2**13)]

    call()
    found = peak_memory(call).bytes
    assert found == pytest.approx(8 * MB, rel=0.1)


@needs_linux
def test_pages_are_seen_though_an_earlier_call_has_freed_them():
    """Without giving the freed ones back, the second call would need none."""
    for _ in range(3):
        assert resident_peak(lambda: native(2**16, 128)) == pytest.approx(2**23, rel=0.1)


@needs_linux
def test_pages_of_code_that_are_read_again_do_not_count():
    """A system short of memory drops them, as ``MADV_DONTNEED`` does here."""
    largest = max(Path(np.__file__).parent.rglob("*.so"), key=lambda path: path.stat().st_size)
    with largest.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as code:
        assert len(code) > MB, "else this test would hold though they counted"

        def call():
            return np.ones(MB), sum(code[:: mmap.PAGESIZE])

        call()
        code.madvise(mmap.MADV_DONTNEED)
        assert resident_peak(call) == pytest.approx(8 * MB, rel=0.1)


def test_where_pages_are_not_counted_it_says_whose_memory_it_has_seen(monkeypatch):
    monkeypatch.setattr("exp_core.memory.resident_peak", lambda call: None)
    assert peak_memory(lambda: np.ones(MB)).seen == "Python and NumPy"


def test_a_record_that_cannot_be_reset_is_not_believed(tmp_path):
    (tmp_path / "status").write_text("VmHWM:\t  900000 kB\nVmRSS:\t  100 kB\nRssFile:\t  50 kB\n")
    assert resident_peak(lambda: None, tmp_path) is None
    (tmp_path / "status").write_text("Name: odd\n")
    assert resident_peak(lambda: None, tmp_path) is None
    assert resident_peak(lambda: None, tmp_path / "absent") is None


def test_mlx_has_its_own_record():
    mx = pytest.importorskip("mlx.core")
    kept = mx.ones((10, MB))
    mx.eval(kept)

    def call():
        result = mx.ones((2 * MB,)) * 2
        mx.eval(result)
        return result

    call()
    found = mlx_peak(call)
    assert (found.seen, found.bytes) == ("MLX", pytest.approx(8 * MB, rel=0.1))


def test_what_was_there_before_is_not_looked_through_again():
    """A ladder's process holds hundreds of thousands of objects, and each look at all of them takes 0.1 s."""
    held = [[] for _ in range(1000)]
    with collected_once():
        assert gc.get_freeze_count() > len(held)
        circle = []
        circle.append(circle)
        del circle
        assert gc.collect() >= 1, "what is left behind meanwhile is still collected"
    assert gc.get_freeze_count() == 0
    with pytest.raises(KeyError), collected_once():
        raise KeyError
    assert gc.get_freeze_count() == 0
