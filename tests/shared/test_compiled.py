"""Numba put off to the first call: lazily, with our stand-ins resolved, and a disk cache that is never stale."""

import ctypes
import importlib
import os
import pickle
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from exp_core.compiled import REORDER, Compiled, address_of, njit, prange

pytest.importorskip("numba", reason="compiled functions need numba")

from exp_core import disk_cache


@njit
def half(x):
    """Half."""
    return x / 2


@njit(parallel=True, fastmath=REORDER)
def sum_of(function, x):
    """Passed functions, called functions and parallel loops."""
    s = 0.0
    for i in prange(x.size):
        s += function(half(x[i]))
    return s


@njit
def square(x):
    """Square."""
    return x * x


def test_functions_call_each_other_and_take_each_other():
    x = np.arange(100.0)
    assert sum_of(square, x) == pytest.approx(((x / 2) ** 2).sum())
    assert isinstance(half, Compiled)
    assert half.__name__ == "half"
    assert half.__doc__ == "Half."


def test_division_by_zero_follows_numpy():
    @njit
    def ratio(a, b):
        return a / b

    assert ratio(1.0, 0.0) == np.inf


def test_prange_is_range_in_plain_python():
    assert list(prange(2, 5)) == [2, 3, 4]
    assert sum_of.py_func(lambda v: v, np.arange(4.0)) == 3.0


def test_a_compiled_function_can_be_pickled():
    assert pickle.loads(pickle.dumps(half)) is half


def test_a_closure_calls_compiled_functions_and_loops_in_parallel():
    times, loop = square, prange

    @njit(parallel=True)
    def total(x):
        s = 0.0
        for i in loop(x.size):
            s += times(x[i])
        return s

    assert total(np.arange(4.0)) == 14.0


def test_machine_code_can_be_called_from_c():
    numba = pytest.importorskip("numba")
    begin = address_of(square, numba.float64)
    assert ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(begin)(3.0) == 9.0
    assert address_of(square, numba.float64) == begin
    assert address_of(square, numba.float32) != begin


def test_importing_does_not_import_numba():
    script = "import sys, exp_core.compiled as c; c.njit(lambda x: x); print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def run(folder, function):
    """Call a function of a module in a fresh process; what it returned and how often the cache served it."""
    script = f"import outer; print(outer.{function}(2.0), sum(outer.{function}.dispatcher.stats.cache_hits.values()))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_disk_cache_serves_and_is_never_stale(tmp_path):
    """A second process finds it; one that edits a file that the function calls into must not."""
    module = "from exp_core.compiled import njit\n@njit\ndef inner(x): return x + {}\n"
    (tmp_path / "inner.py").write_text(module.format(1))
    outer = """
        from exp_core.compiled import njit
        from inner import inner
        @njit
        def middle(x): return inner(x)
        @njit
        def outer(x): return 10 * middle(x)
    """
    (tmp_path / "outer.py").write_text(textwrap.dedent(outer))
    assert run(tmp_path, "outer") == ["30.0", "0"]
    assert run(tmp_path, "outer") == ["30.0", "1"]
    (tmp_path / "inner.py").write_text(module.format(100))
    assert run(tmp_path, "outer") == ["1020.0", "0"]


@pytest.mark.parametrize("how", ["from inner import SIZE\n", "import inner\n"])
def test_a_constant_of_another_file_is_compiled_in_too(tmp_path, how):
    (tmp_path / "inner.py").write_text("SIZE = 1\n")
    size = "inner.SIZE" if how.startswith("import") else "SIZE"
    (tmp_path / "outer.py").write_text(
        f"from exp_core.compiled import njit\n{how}@njit\ndef outer(x): return x + {size}\n"
    )
    assert run(tmp_path, "outer") == ["3.0", "0"]
    assert run(tmp_path, "outer") == ["3.0", "1"]
    (tmp_path / "inner.py").write_text("SIZE = 2\n")
    assert run(tmp_path, "outer") == ["4.0", "0"]


CLOSURE = """
from exp_core.compiled import njit
@njit
def one(x): return x + {}
@njit
def two(x): return x * 2
def made(function, size):
    @njit
    def outer(x): return function(x) + size
    outer.py_func.__qualname__ = "outer_of_" + function.__name__
    return outer
outer, other = made(one, {}), made(two, 0)
other(2.0)
"""


def test_a_closure_comes_from_the_disk_while_what_it_closes_over_is_the_same(tmp_path):
    """A function is another object in every process; it and a value are told apart by what they are."""
    for function, size, found in ((1, 10, "13.0"), (5, 10, "17.0"), (5, 20, "27.0")):
        (tmp_path / "outer.py").write_text(CLOSURE.format(function, size))
        assert run(tmp_path, "outer") == [found, "0"]
        assert run(tmp_path, "outer") == [found, "1"]


LAMBDAS = """
from exp_core.compiled import njit
def made(function):
    function = njit(function)
    @njit
    def outer(x): return function(x)
    return outer
outer, other, third = made(lambda x: x + 1), made(lambda x: x + 2), made(lambda x: abs(x) + 1)
print(outer(-3.0), other(-3.0), third(-3.0), end=" ")
"""


def test_functions_of_one_name_in_one_file_are_told_apart(tmp_path):
    (tmp_path / "outer.py").write_text(LAMBDAS)
    for _ in range(2):
        assert run(tmp_path, "outer")[:3] == ["-2.0", "-1.0", "4.0"]


def test_older_code_is_never_found_under_a_new_index(tmp_path):
    """Stopped between the two files that are saved, or read in between: the names of old and new code differ."""
    source = "from exp_core.compiled import njit\n@njit\ndef outer(x): return x + {}\n"

    def code():
        return {path.name: path.read_bytes() for path in (tmp_path / "__pycache__").glob("*.nbc")}

    (tmp_path / "outer.py").write_text(source.format(1))
    run(tmp_path, "outer")
    old = code()
    (tmp_path / "outer.py").write_text(source.format(2))
    assert run(tmp_path, "outer") == ["4.0", "0"]
    assert len(old) == len(code()) == 1, "what older sources have left is swept away"
    assert not old.keys() & code().keys()


def saved_at_once(kind, folder):
    """What is found for two signatures that two processes save, each having read the index before the other wrote."""
    files = [kind(str(folder), "f", "stamp") for _ in range(2)]
    for file in files:
        file._load_index = dict  # nothing is there yet
    keys = [((name,), "cpu", "code") for name in ("float32", "float64")]
    for file, key in zip(files, keys, strict=True):
        file.save(key, f"machine code for {key[0][0]}")
    reader = kind(str(folder), "f", "stamp")
    return [reader.load(key) for key in keys]


def test_two_signatures_saved_at_once_are_not_confused(tmp_path):
    """The later index has one of the two, with its own code; Numba's own file confuses them if the data come late."""
    from exp_core.disk_cache import CacheFile

    assert saved_at_once(CacheFile, tmp_path) == [None, "machine code for float64"]


def test_the_confusion_is_real_in_numbas_own_file(tmp_path):
    """Both take number 1.  The second index stands, the first code: float64's arguments go into float32's code."""
    from numba.core.caching import IndexDataCacheFile

    class Late(IndexDataCacheFile):
        """Whoever begins first writes its code last."""

        late: list = []  # noqa: RUF012  (shared by both on purpose)

        def _save_data(self, name, data):
            self.late.append((name, data))

    saved_at_once(Late, tmp_path)
    for name, data in reversed(Late.late):
        IndexDataCacheFile._save_data(Late(str(tmp_path), "f", "stamp"), name, data)
    found = IndexDataCacheFile(str(tmp_path), "f", "stamp").load((("float64",), "cpu", "code"))
    assert found == "machine code for float32"


PARALLEL = """
from exp_core.compiled import njit, prange

@njit(parallel=True)
def inner(x):
    for i in prange(x.size):
        x[i] += 1.0

@njit
def outer(x):
    inner(x)
    return x.sum()
"""


def needs_of_the_caller(folder, *, fixed):
    """How much must happen before each runs: ``inner`` compiled, ``outer`` compiled over it from the disk, and read."""
    (folder / "over_threads.py").write_text(PARALLEL)
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        if not fixed:
            patch.delattr(disk_cache.Code, "rebuild")
        for name in ("inner", "outer", "outer"):  # each as in a new process
            sys.modules.pop("over_threads", None)
            function = getattr(importlib.import_module("over_threads"), name)
            function(np.zeros(3))
            (made,) = function.dispatcher.overloads.values()
            found.append(len(made.reload_init))
        sys.modules.pop("over_threads")
    return found


def test_what_is_compiled_over_a_parallel_function_from_the_disk_starts_its_threads(tmp_path):
    inner, compiled, read = needs_of_the_caller(tmp_path, fixed=True)
    assert inner and compiled and read


def test_numba_forgets_it(tmp_path):
    assert needs_of_the_caller(tmp_path, fixed=False)[1:] == [0, 0]


def test_a_function_as_argument_leaves_nothing_behind(tmp_path):
    """Another process would not find it: Numba would keep one more copy for each."""
    (tmp_path / "outer.py").write_text(
        "from exp_core.compiled import njit\n@njit\ndef square(x): return x * x\n"
        "@njit\ndef of(f, x): return f(x)\ndef outer(x): return of(square, x)\nouter.dispatcher = of.dispatcher\n"
    )
    for _ in range(2):
        assert run(tmp_path, "outer")[0] == "4.0"
    assert not list((tmp_path / "__pycache__").glob("outer.of*.nbc"))


def test_processes_that_compile_at_once_do_not_disturb_each_other(tmp_path):
    """Four begin together with an empty cache: all are right, and whoever comes later is served."""
    (tmp_path / "outer.py").write_text("from exp_core.compiled import njit\n@njit\ndef outer(x): return 3 * x\n")
    with ThreadPoolExecutor(4) as pool:
        answers = [done[0] for done in pool.map(lambda _: run(tmp_path, "outer"), range(4))]
    assert answers == 4 * ["6.0"]
    assert run(tmp_path, "outer") == ["6.0", "1"]


def test_who_wants_to_know_is_told_of_compiling_and_not_of_the_cache(tmp_path):
    (tmp_path / "outer.py").write_text("from exp_core.compiled import njit\n@njit\ndef outer(x): return 3 * x\n")
    hear = "lambda doing, done: print(doing)"
    script = f"import outer, exp_core.waiting as w\nwith w.told_of_waiting({hear}): outer.outer(2.0)\nouter.outer(1j)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
    command = [sys.executable, "-c", script]
    said = [subprocess.run(command, env=environment, capture_output=True, text=True, check=True) for _ in range(2)]
    assert [done.stdout for done in said] == ["compiling outer, this once\n", ""]


def test_a_function_without_a_file_compiles_without_a_cache():
    space = {"njit": njit}
    exec("@njit\ndef typed_in(x): return x + 1", space)
    assert space["typed_in"](1) == 2


def test_the_disk_cache_can_be_declined():
    @njit(cache=False)
    def third(x):
        return x / 3

    assert third(6.0) == 2.0
