"""What is not there: compilers, extras, cores, memory, the right time.  All else works, and what lacks is said."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from pathlib import Path

import pytest
from bad_day.program import LADDER, TRAIN, one_sentence, run, shell

from exp_core.history.run import stamp

ROOT = Path(__file__).parent.parent.parent
HIDING = """
import importlib.abc, os, sys
hidden = os.environ["HIDDEN"].split(",")
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name.partition(".")[0] in hidden else find(name, package)
sys.meta_path.insert(0, Finder())
"""
MODULES = {
    "scikit-learn": "sklearn",
    "scikit-image": "skimage",
    "pillow": "PIL",
    "scipy-openblas32": "scipy_openblas32",
}


def extras() -> list[str]:
    """The modules of every optional dependency of the three packages, from their own pyproject files."""
    found: dict[str, None] = {}
    for package in ("shared", "maths_exp", "dl_exp"):
        project = tomllib.loads((ROOT / package / "pyproject.toml").read_text())["project"]
        for requirements in project.get("optional-dependencies", {}).values():
            for requirement in requirements:
                name = re.split(r"[\s\[<>=;~!]", requirement)[0]
                if name.replace("-", "_") not in ("exp_core", "maths_exp", "dl_exp"):
                    found[MODULES.get(name, name.replace("-", "_"))] = None
    return list(found)


@pytest.fixture(scope="module")
def hiding(tmp_path_factory, swift):
    """A folder whose sitecustomize hides the modules that HIDDEN names."""
    folder = tmp_path_factory.mktemp("hiding")
    (folder / "sitecustomize.py").write_text(HIDING + (swift / "sitecustomize.py").read_text())
    return folder


def test_the_extras_are_found():
    assert {"numba", "matplotlib", "safetensors", "dask", "sklearn"} <= set(extras())


@pytest.mark.parametrize("module", extras())
def test_without_an_extra_every_experiment_can_be_asked_and_run(module, hiding, tmp_path):
    """A process asks for each experiment's command, and then climbs a ladder, or says what draws its picture."""
    script = (
        "import sys, click\n"
        "from exp_core.cli import main\n"
        "from exp_core.cli.app import Application\n"
        "for package in ('maths_exp', 'dl_exp'):\n"
        "    application = Application(package, (), '')\n"
        "    for name in application.catalogue.entries:\n"
        "        application.get_command(click.Context(application), name)\n"
    )
    picture = ["--plot", str(tmp_path / "x.png")] if module in ("matplotlib", "PIL") else []
    script += f"main('maths_exp', args={[*LADDER[1:], '--no-store', *picture]})\n"
    (tmp_path / "all.py").write_text(script)
    done = shell(f"$PY {tmp_path / 'all.py'}", custom=hiding, HIDDEN=module)
    assert "Traceback" not in done.out + done.err, done
    if picture:
        assert done.code == 3
        assert one_sentence(done.err), done.err
        assert f"needs {module}; pip install" in done.err
    else:
        assert done.code == 0, done
        assert "numpy_sum" in done.out


@pytest.mark.parametrize("module", ["safetensors", "sklearn", "mlx", "dask", "distributed"])
def test_without_an_extra_the_one_command_that_brings_it_is_named(module, hiding):
    words, command = {
        "safetensors": (TRAIN, "'dl-exp[training]'"),
        "sklearn": (("dl_exp", "mlp", "--steps", "1"), "'dl-exp[data]'"),
        "mlx": (("dl_exp", "softmax", "--rung", "library"), "dl-exp"),
        "dask": (("maths_exp", "kmeans", "--rung", "distributed"), "'maths-exp[distributed]'"),
        "distributed": (
            ("maths_exp", "summation", "--sweep", "n=8:16:x2", "--cluster", "local"),
            "'maths-exp[distributed]'",
        ),
    }[module]
    done = run(*words, custom=hiding, HIDDEN=module)
    assert done.code == 3, done
    assert one_sentence(done.err), done.err
    assert f"needs {module}" in done.err
    assert f"; pip install {command}\n" in done.err


def test_no_compiler(tmp_path):
    """PATH without g++ and clang: the emulated rows say so, all others are there."""
    pytest.importorskip("mlx")
    words = ("dl_exp", "softmax", "--metal", "--emulate", "--rows", "2", "--n", "32")
    done = run(*words, PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "cache"), CXX=None, CC=None)
    assert done.code in (0, 3), done
    assert "Traceback" not in done.out + done.err
    assert "compiler" in done.out + done.err
    ladder = run(*LADDER, PATH=str(tmp_path))
    assert ladder.code == 0, ladder


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux alone binds a process to cores")
def test_one_core(swift):
    """Everybody runs with one thread, and more than one is refused."""
    core = min(os.sched_getaffinity(0))
    done = run(*LADDER, custom=swift, before=lambda: os.sched_setaffinity(0, {core}))
    assert done.code == 0, done
    more = run(*LADDER, "--threads", "2", custom=swift, before=lambda: os.sched_setaffinity(0, {core}))
    assert more.code == 2
    assert one_sentence(more.err), more.err
    assert "1 cores" in more.err or "1 core" in more.err


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is enforced by Linux")
@pytest.mark.parametrize(
    "words",
    [LADDER, ("maths_exp", "summation", "--n", "2**26", "--budget", "0.3", "--only", "naive,pairwise,numpy_sum"),
     ("maths_exp", "sorting", "--n", "2**25", "--budget", "0.3", "--rung", "library"), ("maths_exp", "list")],
    ids=["small", "512 MB of input", "256 MB of input", "list"],
)  # fmt: skip
def test_512_mb_of_memory(words, swift):
    """Rows that are skipped or failed with a reason, or one sentence: no traceback, and no kill."""

    def before() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (512 * 2**20, 512 * 2**20))

    done = run(*words, custom=swift, before=before, OPENBLAS_NUM_THREADS="1", EXP_CORE_OPENBLAS="0")
    assert done.code in (0, 1, 2), done
    assert "Traceback" not in done.out + done.err, done
    if done.code == 2:
        assert one_sentence(done.err), done.err


def test_a_clock_that_was_set_back(tmp_path, swift):
    """By an hour between two runs: the second is dated like the first, so that dates and numbers agree."""
    moved = "import time\nreal = time.time\ntime.time = lambda: real() - 3600\n"
    (tmp_path / "sitecustomize.py").write_text((swift / "sitecustomize.py").read_text() + moved)
    data = str(tmp_path / "data")
    first = run(*LADDER, custom=swift, EXP_CORE_DATA=data)
    second = run(*LADDER, custom=tmp_path, EXP_CORE_DATA=data)
    assert (first.code, second.code) == (0, 0), second
    assert "the clock was set back since run #1 was stored: this run is dated like it" in second.err
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(Path(data) / "history.db")) as database:
        dates = [date for (date,) in database.execute("SELECT created_at FROM runs ORDER BY id")]
    assert dates[0] == dates[1]
    assert stamp(0.0) < dates[0]


def test_the_clock_of_measurements_cannot_be_set():
    """``time.perf_counter`` is monotonic and nobody can adjust it; durations never come from the wall clock."""
    import time

    from exp_core.timing.clock import SYSTEM

    assert SYSTEM.now is time.perf_counter
    about = time.get_clock_info("perf_counter")
    assert about.monotonic
    assert not about.adjustable


def test_a_race_by_a_clock_that_goes_back_ends_with_the_right_times():
    """Through the seam of ``timing``: a minute back, once, in the middle; the times come from the samples."""
    from exp_core.timing.fake import FakeClock, FakeSampler
    from exp_core.timing.race import race

    clock = FakeClock()
    log: list[tuple[str, int]] = []

    class SetBack(FakeSampler):
        def sample(self, calls: int) -> float:
            if len(log) == 40:
                clock.time -= 60.0
            assert len(log) < 10**6, "the race does not end"
            return super().sample(calls)

    samplers = {name: SetBack(clock, call_s, name=name, log=log) for name, call_s in (("a", 1e-3), ("b", 2e-3))}
    found = race(samplers, clock=clock, budget_s=2.0, seed=0, progress=lambda part: None, first_calls={}, cold=False)
    assert found.timings["a"].median_s == pytest.approx(1e-3)
    assert found.timings["b"].median_s == pytest.approx(2e-3)
