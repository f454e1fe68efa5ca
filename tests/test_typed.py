"""Types from a user's point of view: what an editor and mypy see of the packages, held by ``assert_type``."""

import subprocess
import sys
from pathlib import Path

import pytest

USER = """
from typing import assert_type

import dl_exp
import exp_core
import maths_exp
from exp_core.api.history import History
from exp_core.experiment import Experiment
from exp_core.results import Result, Row
from exp_core.scaling import Sweep
from exp_core.training.trained import Trained


def mine(x: object) -> float:
    return 0.0


r = maths_exp.run("qr", rows=512, dtype="float32", only=("tsqr", "lapack"), with_={"mine": mine}, budget=2)
assert_type(r, Result)
assert_type(r["tsqr"], Row)
assert_type([row.median_s for row in r], list[float | None])
assert_type(r.to_dict(), dict[str, object])
r.figure("roofline")
assert_type(maths_exp.sweep("fft", n=range(64, 128), tolerance=1e-3), Sweep)
assert_type(dl_exp.run("softmax", device="metal", emulate=True, with_="mine.metal"), Result)
assert_type(dl_exp.train("gpt", steps=10, data="words.txt", layers=2), Trained)
assert_type(dl_exp.trained("gpt").sample("so"), str)
assert_type(maths_exp.explain("qr").experiment, Experiment)
assert_type(maths_exp.history("qr"), History)
assert_type(maths_exp.history("qr")[-1].result, Result)
assert_type([entry.title for entry in maths_exp.experiments().values()], list[str])
try:
    maths_exp.run("qrr")
except maths_exp.Refused as refusal:
    assert_type(refusal, exp_core.Refused)
except maths_exp.Interrupted as stop:
    assert_type(stop.partial, Result | Sweep | Trained)
"""

WRONG = {
    'maths_exp.run("qr", rows="512")': "arg-type",
    'maths_exp.run("qr", budget="2")': "arg-type",
    'maths_exp.run("qr", with_=3)': "arg-type",
    'maths_exp.train("qr")': "attr-defined",
    'maths_exp.run(3)': "arg-type",
    'maths_exp.run("qr").figure("colourful")': "arg-type",
    'maths_exp.runs("qr")': "attr-defined",
}  # fmt: skip


def mypy(tmp_path: Path, text: str) -> str:
    """What mypy, strict, says of a user's file; the packages are those that are installed, with their markers."""
    pytest.importorskip("mypy", reason="types are checked with mypy")
    file = tmp_path / "user.py"
    file.write_text(text)
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\nwarn_return_any = False\n")
    root = Path(__file__).parent.parent
    sources = ":".join(str(root / part / "src") for part in ("shared", "maths_exp", "dl_exp"))
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--follow-imports", "silent", str(file)]
    environment = {"MYPYPATH": sources, "PATH": "", "MYPY_CACHE_DIR": str(root / ".mypy_cache" / "user")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.slow
def test_what_a_user_writes_has_the_types_that_it_says(tmp_path):
    assert "Success" in mypy(tmp_path, USER)


@pytest.mark.slow
def test_what_a_user_mistypes_is_seen(tmp_path):
    said = mypy(tmp_path, "import maths_exp\n" + "\n".join(WRONG) + "\n")
    for number, (line, code) in enumerate(WRONG.items(), 2):
        seen = [told for told in said.splitlines() if f"user.py:{number}: error" in told]
        assert any(f"[{code}]" in told for told in seen), (line, said)


def test_the_markers_are_there():
    """The short sibling: PEP 561's markers, and every public name annotated."""
    import inspect

    import dl_exp
    import maths_exp

    for package in (maths_exp, dl_exp):
        assert (Path(package.__file__).parent / "py.typed").exists()
        for name in package.__all__:
            found = getattr(package, name)
            if inspect.isclass(found):
                continue
            signature = inspect.signature(found)
            assert signature.return_annotation is not inspect.Signature.empty
            assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())
