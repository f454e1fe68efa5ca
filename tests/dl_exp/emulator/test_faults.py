"""Every kind of fault is caught, and the report names the lines; what is right passes in test_language."""

from __future__ import annotations

import contextlib
import threading

import numpy as np
import pytest
from emulated import run_body
from kernel_checks import needs_a_compiler

from dl_exp.emulator import KernelFault
from dl_exp.emulator.launch import SCHEDULES, patience
from dl_exp.kernel import Launch

pytestmark = needs_a_compiler
X = {"x": np.arange(64, dtype=np.float32)}

METAL = """uint i = thread_position_in_threadgroup.x;
threadgroup float tile[64];
tile[i] = x[i];
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] = tile[63 - i];
threadgroup_barrier(mem_flags::mem_threadgroup);
tile[i] = 2 * x[i];
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] += tile[63 - i];
"""
CUDA = """unsigned i = threadIdx.x;
__shared__ float tile[64];
tile[i] = x[i];
__syncthreads();
y[i] = tile[63 - i];
__syncthreads();
tile[i] = 2 * x[i];
__syncthreads();
y[i] += tile[63 - i];
"""
BODIES = {"metal": METAL, "cuda": CUDA}
BARRIERS = {"metal": "threadgroup_barrier(mem_flags::mem_threadgroup);", "cuda": "__syncthreads();"}
both = pytest.mark.parametrize("language", ["metal", "cuda"])


def without_line(body, number):
    lines = body.splitlines()
    lines[number - 1] = ";"
    return "\n".join(lines)


def fault(language, body, inputs=X, grid=64, group=64, **more):
    with pytest.raises(KernelFault) as caught:
        run_body(language, body, inputs, grid=grid, group=group, **more)
    return str(caught.value)


@both
def test_with_all_its_barriers_it_is_right(language):
    y = run_body(language, BODIES[language], X, grid=64, group=64)
    np.testing.assert_array_equal(y, 3 * X["x"][::-1])


@both
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("line", "named"), [(4, (3, 5)), (6, (5, 7)), (8, (7, 9))])
def test_a_missing_barrier_is_seen_under_every_schedule(language, schedule, line, named):
    """A write before the read, a write after it (the second barrier), and both lines are quoted."""
    said = fault(language, without_line(BODIES[language], line), schedules=(schedule,))
    assert "missing barrier" in said
    lines = BODIES[language].splitlines()
    for number in named:
        assert f"line {number} " in said and lines[number - 1] in said


@both
def test_a_barrier_in_a_branch(language):
    """It orders nothing; and where it stands between two lines that need one, all three are quoted."""
    said = fault(language, BODIES[language].replace(BARRIERS[language], f"if (i < 40) {BARRIERS[language]}", 1))
    assert "missing barrier" in said and "no barrier that all threads take stands between them: " in said
    assert [line.split(" | ")[0].strip() for line in said.splitlines()[1:]] == ["3", "4", "5", "6"]
    alone = f"unsigned i = POS;\nif (i < 40) {BARRIERS[language]}\nelse {BARRIERS[language]}\ny[i] = 0;"
    alone = alone.replace("POS", {"metal": "thread_position_in_threadgroup.x", "cuda": "threadIdx.x"}[language])
    assert "divergent barrier: threads of one group are at line 2 and at line 3" in fault(language, alone)


def test_threads_that_return_before_a_barrier():
    """Metal wants everybody; CUDA does not wait for those that are gone."""
    metal = "uint i = thread_position_in_grid.x;\ny[i] = 1;\nif (i > 9) return;\nBARRIER".replace(
        "BARRIER", BARRIERS["metal"]
    )
    assert "10 threads at the barrier of line 4, and 54 threads have returned" in fault("metal", metal)
    assert (run_body("cuda", "unsigned i = threadIdx.x; y[i] = 1; if (i > 9) return; __syncthreads();", X) == 1).all()


def test_a_barrier_that_orders_other_memory():
    """mem_none and mem_device do not order threadgroup memory; and mem_threadgroup does not order device memory."""
    for flag in ("mem_none", "mem_device"):
        assert "missing barrier" in fault("metal", METAL.replace("mem_threadgroup", flag, 1))
    exchange = "uint i = thread_position_in_grid.x;\ny[i] = x[i];\nthreadgroup_barrier(FLAGS);\nfloat v = y[63 - i];\n"
    exchange += "threadgroup_barrier(FLAGS);\ny[i] = v;"
    assert "missing barrier" in fault("metal", exchange.replace("FLAGS", "mem_flags::mem_threadgroup"))
    y = run_body("metal", exchange.replace("FLAGS", "mem_flags::mem_device"), X, grid=64, group=64)
    np.testing.assert_array_equal(y, X["x"][::-1])


def test_a_simdgroup_is_ordered_by_its_own_barrier():
    body = """uint i = thread_position_in_threadgroup.x, first = i / 32 * 32;
threadgroup float tile[64];
tile[i] = x[i];
simdgroup_barrier(mem_flags::mem_threadgroup);
y[i] = tile[first + 31 - i % 32];
"""
    y = run_body("metal", body, X, grid=64, group=64)
    np.testing.assert_array_equal(y, X["x"].reshape(2, 32)[:, ::-1].ravel())
    assert "missing barrier" in fault("metal", without_line(body, 4))
    assert "missing barrier" in fault("metal", body.replace("first + 31 - i % 32", "63 - i"))  # another simdgroup's


def test_groups_cannot_wait_for_each_other():
    body = "unsigned i = blockIdx.x * 32 + threadIdx.x; y[i] = 1; __syncthreads();\nif (blockIdx.x) y[i - 32] += 1;"
    assert "groups cannot wait for each other" in fault("cuda", body, grid=64, group=32)


@both
def test_two_threads_write_one_place(language):
    position = {"metal": "thread_position_in_grid.x", "cuda": "threadIdx.x"}[language]
    said = fault(language, f"unsigned i = {position};\ny[i / 2] = float(i);", shape=(32,))
    assert "line 2 writes y[0]" in said


@both
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("y[i] = x[i + 1];", "line 2 reaches x[64], and x has 64 elements"),
        ("y[i] = x[int(i) - 1];", "line 2 reaches x[-1]"),
        ("y[2 * i] = 1;", "line 2 reaches y[64]"),
        ("tile[i + 1] = 1; y[i] = tile[i + 1];", "line 2 has the index 64 into tile"),
        ("if (i == 9) square[1][i - 1] = 1; y[i] = 1;", "line 2 has the index 8 into square"),
    ],
)
def test_out_of_range(language, body, said):
    start = {
        "metal": "uint i = thread_position_in_grid.x; threadgroup float tile[64], square[8][8];\n",
        "cuda": "unsigned i = threadIdx.x; __shared__ float tile[64], square[8][8];\n",
    }[language]
    assert said in fault(language, start + body)


@both
def test_an_output_that_is_not_written(language):
    position = {"metal": "thread_position_in_grid.x", "cuda": "threadIdx.x"}[language]
    said = fault(language, f"unsigned i = {position}; if (i != 5 && i != 7) y[i] = 0;")
    assert "nobody writes y[5], y[7], and outputs start" in said
    said = fault(language, f"unsigned i = {position}; if (i % 4) y[i] = 0;")
    assert "nobody writes y[0], y[4], y[8] ... (16 of 64 elements), and" in said
    assert "nobody writes any element of y, and" in fault(language, "// later")
    y = run_body(language, f"unsigned i = {position}; if (i != 5) y[i] = 0;", X, grid=64, group=64, init_value=3)
    assert y[5] == 3 and y.sum() == 3


@both
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int32", "uint8"])
def test_every_type_of_output_can_be_unwritten(language, dtype):
    position = {"metal": "thread_position_in_grid.x", "cuda": "threadIdx.x"}[language]
    assert "nobody writes y[0]" in fault(language, f"unsigned i = {position}; if (i) y[i] = 0;", dtype=dtype)


@both
def test_threadgroup_memory_starts_as_garbage(language):
    body = {
        "metal": "uint i = thread_position_in_grid.x; threadgroup float total;\ny[i] = total;",
        "cuda": "unsigned i = threadIdx.x; __shared__ float total[1];\ny[i] = total[0];",
    }[language]
    assert "reads total[0], which nobody has written" in fault(language, body)


def test_an_atomic_on_garbage():
    body = "atomic_fetch_add_explicit(&y[0], 1.0f, memory_order_relaxed);"
    assert "read before written" in fault("metal", body, shape=(1,), atomic_outputs=True)
    assert run_body("metal", body, shape=(1,), atomic_outputs=True, init_value=0)[0] == 32


@both
def test_a_simd_operation_in_a_branch(language):
    body = {
        "metal": "uint i = thread_position_in_grid.x; float v = 1;\nif (i < 5) v = simd_sum(v);\n"
        "v = simd_max(v); y[i] = v;",
        "cuda": "unsigned i = threadIdx.x; float v = 1;\nif (i < 5) v = __shfl_sync(~0u, v, 0);\n"
        "v = __shfl_sync(~0u, v, 1); y[i] = v;",
    }[language]
    assert "divergent simd operations: lanes of one simdgroup are at line 2 and at line 3" in fault(language, body)


def test_a_mask_that_lies():
    assert "does not name lane 16" in fault(
        "cuda", "y[threadIdx.x] = __shfl_sync(0xFFFFu, 1.0f, 0);", grid=32, group=32
    )
    gone = "unsigned i = threadIdx.x; y[i] = 0; if (i > 7) return;\ny[i] = __shfl_sync(~0u, 1.0f, 0);"
    assert "names lane 8, which has returned" in fault("cuda", gone, grid=32, group=32)


def test_a_lane_that_is_not_there_gives_garbage():
    """A tree over shuffles needs whole simdgroups: with 20 threads its sum is no number."""
    body = (
        "float v = 1; for (int d = 16; d > 0; d /= 2) v += simd_shuffle_down(v, d); y[thread_position_in_grid.x] = v;"
    )
    assert run_body("metal", body, grid=32, group=32)[0] == 32
    assert np.isnan(run_body("metal", body, grid=20, group=20)[0])


def test_pointers_of_other_address_spaces():
    for line, wanted in (
        ("const constant float* p = x;", "const constant float"),
        ("threadgroup float t[4]; device float* p = t;", "device float"),
    ):
        said = fault("metal", f"uint i = thread_position_in_grid.x;\n{line}\ny[i] = p[0];")
        assert "line 2: '" in said and f"cannot become '{wanted}" in said
    few = {"x": np.ones(7, np.float32)}  # fewer than 8 elements are in constant memory
    said = fault("metal", "const device float* p = x; y[thread_position_in_grid.x] = p[0];", few)
    assert "line 1: 'const constant float" in said and "x has fewer than 8 elements, which MLX puts into" in said
    assert run_body("metal", "const constant float* p = x; y[thread_position_in_grid.x] = p[6];", few)[0] == 1


@both
def test_an_input_is_not_written(language):
    assert "line 1" in fault(language, "x[0] = 1; y[0] = 1;")


def test_a_misaligned_vector():
    body = "uint i = thread_position_in_grid.x; float4 v = *(const device float4*)(x + i); y[i] = v.x;"
    assert "misaligned" in fault("metal", body, grid=60, group=60)


@both
def test_compilers_speak_of_the_bodys_lines(language):
    position = {"metal": "thread_position_in_grid.x", "cuda": "threadIdx.x"}[language]
    said = fault(language, f"unsigned i = {position};\n\ny[i] = nonsense(x[i]);")
    assert "does not compile: line 3" in said and "y[i] = nonsense(x[i]);" in said
    assert "gpu::" not in said and ".cpp" not in said
    assert "MLX" not in said
    header = "inline float twice(float v) {\n  return 2 * w;\n}\n"
    said = fault(language, f"unsigned i = {position}; y[i] = twice(x[i]);", header=header)
    assert "header line 2" in said and "return 2 * w;" in said


def test_too_much_threadgroup_memory():
    body = "threadgroup float a[8192], b[1]; uint i = thread_position_in_grid.x; a[i] = b[0] = 0; y[i] = 0;"
    assert "a group has 32768" in fault("metal", body)


def test_an_endless_loop_of_few_threads_is_told_sooner():
    grids = ((32, 1, 1), (64, 100, 3), (2**20, 1, 1))
    launches = [Launch(template={}, grid=grid, threadgroup=(32, 1, 1), shapes=(), dtypes=()) for grid in grids]
    assert [patience(launch) for launch in launches] == [11, 30, 60]


def test_what_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr("dl_exp.emulator.launch.patience", lambda launch: 1)
    said = fault("metal", "uint i = thread_position_in_grid.x; y[i] = 0;\nwhile (x[1] == 1);")
    assert "endless: it still ran after 1 second, last seen at line 2" in said


def test_what_never_ends_since_a_barrier_is_missing():
    """What happened first is told, and within seconds."""
    body = """uint i = thread_position_in_threadgroup.x;
threadgroup float tile[64];
tile[i] = x[i];
float v = simd_max(tile[63 - i]);
while (x[1] == 1);
y[i] = v;"""
    said = fault("metal", body)
    assert "missing barrier: line 3 writes tile[" in said and "which line 4 reads" in said


def test_what_never_ends_does_not_fill_the_memory(monkeypatch):
    """Each look at watched memory is noted; notes are not kept for ever."""
    import psutil

    monkeypatch.setattr("dl_exp.emulator.launch.patience", lambda launch: 2)
    largest = 0
    body = "uint i = thread_position_in_grid.x; threadgroup float t[1];\nif (i == 0) t[0] = 1;\nwhile (t[0] == 1);"

    def watch():
        nonlocal largest
        while not done.wait(0.1):
            for child in psutil.Process().children():
                with contextlib.suppress(psutil.Error):
                    largest = max(largest, child.memory_info().rss)

    done = threading.Event()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert "endless" in fault("metal", body)
    finally:
        done.set()
        watcher.join()
    assert 0 < largest < 100e6  # 64 stacks of 256 KiB, 65,536 notes, and the program: not 40 bytes for every look


def test_a_crash_is_a_sentence():
    said = fault(
        "cuda", "float deep[1 << 18]; for (int i = 0; i < 1 << 18; ++i) deep[i] = i; y[threadIdx.x] = deep[77];"
    )
    assert "crashed" in said


def test_what_a_launch_cannot_be():
    with pytest.raises(ValueError, match="2048 threads"):
        run_body("metal", "y[0] = 0;", grid=2048, group=2048)
    with pytest.raises(ValueError, match="no threads"):
        run_body("metal", "y[0] = 0;", grid=0, shape=(1,))
    with pytest.raises(ValueError, match="no complex64"):
        run_body("metal", "y[0] = 0;", dtype="complex64")
    assert "has no body" in fault("metal", "")
