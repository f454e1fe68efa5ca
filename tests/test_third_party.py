"""A third party's package, installed: listed, run, explained, practised and held to the contract."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from exp_core.contract import checks

SOURCE = Path(__file__).parent / "third_party" / "acme_numerics" / "src"
METADATA = "Metadata-Version: 2.1\nName: acme-numerics\nVersion: 0.1.0\n"
ENTRY_POINT = "[exp_core.experiments]\nmaths_exp.acme_numerics = acme_numerics\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder as pip leaves it: the package, and its metadata with the entry point."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "acme_numerics").symlink_to(SOURCE / "acme_numerics")
    info = folder / "acme_numerics-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINT)
    return folder


def run(site, *args, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "maths_exp", *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": str(site), "PYTHONIOENCODING": "utf-8"},
        check=False,
        timeout=120,
        cwd=cwd,
    )


def test_the_entry_point_is_the_one_of_its_pyproject():
    import tomllib

    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text())["project"]
    assert project["entry-points"] == {"exp_core.experiments": {"maths_exp.acme_numerics": "acme_numerics"}}
    assert "maths_exp.acme_numerics = acme_numerics" in ENTRY_POINT


def test_it_is_listed_beside_ours(site):
    listed = run(site, "list").stdout
    assert "Sums that acme needs" in listed
    assert "  dot " in listed
    assert "  qr " in listed


def test_it_is_run_explained_and_shown(site):
    done = run(site, "dot", "--n", "500", "--budget", "0.5", "--no-store")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("✓") == 3
    assert "Multiply and add" in run(site, "dot", "--explain").stdout
    assert "def loop_compiled" in run(site, "dot", "--source", "loop_compiled").stdout


def test_it_is_practised(site, tmp_path):
    (tmp_path / "mine.py").write_text("def dot(x, y): return (x * y).sum(dtype='float32')")
    done = run(site, "practise", "dot", "--with", "mine.py", "--budget", "2", cwd=tmp_path)
    assert done.returncode == 1
    assert "it breaks error" in done.stdout


def test_a_name_that_ours_has_is_a_sentence(site, tmp_path):
    other = tmp_path / "other"
    (other / "acme_numerics" / "sums").mkdir(parents=True)
    for path in ("__init__.py", "sums/__init__.py"):
        (other / "acme_numerics" / path).write_text('"""Sums."""')
    (other / "acme_numerics" / "sums" / "qr.py").write_text('"""QR: again."""')
    info = other / "acme_numerics-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRY_POINT)
    done = run(other, "list")
    assert done.returncode == 2
    assert "two experiments are called 'qr'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def contract(site):
    sys.path.insert(0, str(site))
    yield checks("acme_numerics", everywhere=True)
    sys.path.remove(str(site))
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_numerics"]:
        del sys.modules[name]


def test_it_holds_the_contract(contract):
    assert len(contract) > 50
    for check in contract:
        if not check.missing():
            check()


def test_no_such_package_is_a_sentence():
    with pytest.raises(ValueError, match="neither a package with experiments nor an experiment"):
        checks("no_such_package")
