"""Stream: STREAM's definitions, the room that is written into, threads, strides and sabotage."""

import numpy as np
import pytest
from assembly import host_width, vector_width

from exp_core.machine import streams
from maths_exp.hardware import stream

OURS = [implementation.function for implementation in stream.EXPERIMENT.implementations]
KERNELS = (stream.copy, stream.scale, stream.add, stream.triad)


@pytest.fixture(autouse=True)
def numba():
    pytest.importorskip("numba", reason="half of the rungs are compiled")


def made(make, n, dtype="float64"):
    return make(n, dtype=dtype, rng=np.random.default_rng(n))


@pytest.mark.parametrize("function", OURS, ids=lambda f: f.__name__)
def test_it_writes_into_the_vector_that_is_there_and_nowhere_else(function):
    """Ends of blocks and of the parts of threads; the neighbours of the vector stay as they are."""
    for make in KERNELS:
        for n in (1, stream.PARTS - 1, stream.PARTS + 1, 1003):
            operation, b, c, s = inputs = made(make, n)
            room = np.full(n + 2, -1.0)
            result = function(operation, room[1:-1], b, c, s)
            assert np.shares_memory(result, room)
            assert stream.misplaced(result, *inputs) == 0
            assert room[0] == room[-1] == -1


def test_blocks_have_edges():
    for n in (stream.BLOCK - 1, stream.BLOCK, stream.BLOCK + 1):
        inputs = made(stream.triad, n, "float32")
        assert stream.misplaced(stream.numpy_blocks(*stream.with_room(*inputs)), *inputs) == 0


@pytest.mark.parametrize("make", KERNELS, ids=lambda f: f.__name__)
def test_the_four_are_those_of_stream(make):
    """McCalpin's table: bytes and operations for each number in double precision."""
    n = 100
    inputs = made(make, n)
    cost = stream.cost()(*inputs)
    expected = {"copy": (16, 0), "scale": (16, 1), "add": (24, 1), "triad": (24, 2)}[make.__name__]
    assert (cost.bytes / n, cost.flops / n) == expected
    assert streams.NAMES[inputs[0]] == make.__name__


@pytest.mark.parametrize(("dtype", "stride", "moved"), [("float64", 1, 8), ("float64", 4, 32), ("float64", 16, 64)])
def test_a_number_alone_in_its_line_costs_the_line(dtype, stride, moved):
    inputs = stream.strided(50, stride, dtype=dtype, rng=np.random.default_rng(0))
    assert stream.cost()(*inputs).bytes == 3 * moved * 50
    assert (stream.needs_whole_lines(*inputs) is None) == (stride == 1)
    room = stream.with_room(*inputs)[1]
    assert room.strides == inputs[1].strides


def test_sabotage_is_caught():
    """A number that was not written, one that was written twice over, another operation, another type."""
    operation, _, c, _ = inputs = made(stream.triad, 200)
    good = stream.numpy_out(*stream.with_room(*inputs))
    assert stream.misplaced(good, *inputs) == 0
    bad = good.copy()
    bad[77] += 3
    assert stream.misplaced(bad, *inputs) == 1
    bad[77] = np.nan
    assert stream.misplaced(bad, *inputs) == 1
    assert stream.misplaced(good + c, *inputs) == np.count_nonzero(c)
    assert stream.misplaced(good.astype(np.float32), *inputs) == good.size
    assert operation == streams.TRIAD


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["scale", "add", "triad"])
def test_the_loops_are_made_of_vectors(name, dtype):
    numba = pytest.importorskip("numba")
    number = numba.from_dtype(np.dtype(dtype))
    arrays = streams.ARRAYS[streams.NAMES.index(name)] * (number[::1],)
    signature = arrays if name == "add" else (*arrays, number)
    assert vector_width(getattr(streams, name), signature) >= host_width()
