"""No room, nowhere to write, somewhere that is not ours: the measurements stand, and no file is left half written."""

from __future__ import annotations

import json
import os
import shutil
import sys

import pytest
from bad_day.program import LADDER, TRAIN, also, one_sentence, run, shell

OUTPUTS = ("json", "csv", "markdown")


def limited(size: int):
    """No file of the process may grow beyond so many bytes: what a quota does."""

    def before() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return before


needs_limits = pytest.mark.skipif(os.name != "posix", reason="limits on files are a Unix thing")


@needs_limits
@pytest.mark.parametrize("output", ["json", *also("csv", "markdown")])
def test_a_disk_that_is_full_as_a_document_is_written(output, tmp_path, swift):
    """The table is on the screen; what the file held before is there still, and no part of the new one."""
    file = tmp_path / "out"
    file.write_text("before")
    done = run(*LADDER, "--no-store", f"--{output}", str(file), custom=swift, before=limited(100))
    assert done.code == 2
    assert "numpy_sum" in done.out
    assert one_sentence(done.err), done.err
    assert "could not be written" in done.err
    assert [child.name for child in tmp_path.iterdir()] == ["out"]
    assert file.read_text() == "before"


@needs_limits
def test_without_the_atomic_rename_a_full_disk_destroys_the_file(tmp_path, swift):
    """The check above sees what is taken away."""
    careless = "from exp_core.report import export\nexport.write = lambda path, text: path.write_text(text)\n"
    (tmp_path / "sitecustomize.py").write_text((swift / "sitecustomize.py").read_text() + careless)
    file = tmp_path / "out"
    file.write_text("before")
    run(*LADDER, "--no-store", "--json", str(file), custom=tmp_path, before=limited(100))
    assert file.read_text() != "before"


@needs_limits
def test_a_disk_that_is_full_as_a_picture_is_written(tmp_path, swift):
    pytest.importorskip("matplotlib")
    file = tmp_path / "out.png"
    file.write_bytes(b"before")
    done = run(*LADDER, "--no-store", "--plot", str(file), custom=swift, before=limited(1000))
    assert done.code == 2, done
    assert "numpy_sum" in done.out
    assert "could not be written" in done.err
    assert [child.name for child in tmp_path.iterdir()] == ["out.png"]
    assert file.read_bytes() == b"before"


@needs_limits
def test_a_disk_that_is_full_for_the_history_and_for_compiled_code(tmp_path, swift):
    """Every right row is there; that nothing could be stored is one sentence, and the exit code is that of the run."""
    words = ("maths_exp", "summation", "--n", "100", "--only", "naive,naive_compiled", "--budget", "2")
    done = run(*words, custom=swift, before=limited(2000), NUMBA_CACHE_DIR=str(tmp_path / "compiled"),
               EXP_CORE_DATA=str(tmp_path / "data"))  # fmt: skip
    assert done.code == 0, done
    assert done.out.count("✓") == 2, done
    assert len(done.err.splitlines()) == 1, done
    assert "Traceback" not in done.err


@needs_limits
def test_a_disk_that_is_full_for_a_checkpoint(tmp_path):
    """The run says how far it is safe, and what was saved before is there still."""
    pytest.importorskip("safetensors")
    first = run(*TRAIN, EXP_CORE_DATA=str(tmp_path))
    assert first.code == 0, first
    before = {path: path.read_bytes() for path in (tmp_path / "training").rglob("*.safetensors")}
    assert before
    done = run(*TRAIN[:-1], "80", "--resume", EXP_CORE_DATA=str(tmp_path), before=limited(600))
    assert done.code == 2, done
    assert "could not be written" in done.err
    assert "Traceback" not in done.err
    assert {path: path.read_bytes() for path in before} == before
    assert not list((tmp_path / "training").rglob("*.tmp"))
    again = run(*TRAIN[:-1], "80", "--resume", EXP_CORE_DATA=str(tmp_path))
    assert again.code == 0, again
    assert "step 80/80" in again.out


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", ["list", "summation --explain", "history --json -"])
def test_standard_output_on_a_full_disk(command):
    done = shell(f"$PY -m maths_exp {command} > /dev/full")
    assert done.code == 2
    assert done.err == "maths_exp: standard output could not be written: No space left on device\n"


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("unshare"), reason="mounts file systems in memory")
def test_a_disk_that_is_really_full(tmp_path, swift):
    """A tmpfs of 64 KiB as home, cache, history and output folder at once."""
    script = f"""
    mount -t tmpfs -o size=64k none {tmp_path} || exit 77
    cd {tmp_path}; head -c 60k /dev/zero > ballast
    export HOME=$PWD EXP_CORE_DATA=$PWD/data XDG_CACHE_HOME=$PWD/cache NUMBA_CACHE_DIR=$PWD/numba
    $PY -m maths_exp {" ".join(LADDER[1:])} --json out.json --csv out.csv; echo code $?
    rm ballast; ls -A | grep -c '[.]part$'; exit 0
    """
    done = shell(f"unshare -rm bash -c '{script}'", custom=swift)
    if done.code in (1, 77):
        pytest.skip("this kernel lends no mount namespace")
    assert "numpy_sum" in done.out
    assert done.out.splitlines()[-2:] == ["code 2", "0"]
    assert "Traceback" not in done.err
    assert "No space left on device" in done.err


def homeless(**more: str) -> dict[str, str | None]:
    """An environment that names no folder."""
    names = ("EXP_CORE_DATA", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "NUMBA_CACHE_DIR", "MPLCONFIGDIR")
    return {**dict.fromkeys(names), **more}


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("unshare"), reason="the superuser may write anywhere")
def test_a_home_that_is_read_only(tmp_path, swift):
    """Mounted read-only, so that the superuser of a container cannot write there either: two sentences at most."""
    (tmp_path / "home").mkdir()
    script = f"""
    mount -t tmpfs -o ro,size=64k none {tmp_path}/home || exit 77
    $PY -m maths_exp {" ".join(LADDER[1:])} --plot {tmp_path}/x.png; echo code $?
    """
    done = shell(f"unshare -rm bash -c '{script}'", custom=swift, **homeless(HOME=f"{tmp_path}/home"))
    if done.code in (1, 77):
        pytest.skip("this kernel lends no mount namespace")
    assert done.out.splitlines()[-1] == "code 0", done
    assert "numpy_sum" in done.out
    assert "Traceback" not in done.err
    assert "EXP_CORE_DATA" in done.err
    assert (tmp_path / "x.png").stat().st_size > 1000


@pytest.mark.parametrize("home", [None, "relative", *also("/nowhere/at/all", "")])
def test_no_home(home, tmp_path, swift):
    kept = {} if home is not None else {"XDG_DATA_HOME": str(tmp_path)}  # the list of users knows the tester's own home
    done = run(*LADDER, custom=swift, cwd=tmp_path, **homeless(HOME=home, **kept))
    assert done.code == 0, done
    assert "numpy_sum" in done.out
    assert "Traceback" not in done.err
    assert len(done.err.splitlines()) <= 1


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("unshare"), reason="takes another user's number")
def test_no_home_and_no_user(tmp_path, swift):
    """HOME unset, and a number that no line of /etc/passwd knows."""
    script = "unshare -U --map-user=54321 true || exit 77; unshare -U --map-user=54321 $PY -m maths_exp"
    for words in (LADDER[1:], ("history",)):
        done = shell(f"{script} {' '.join(words)}", custom=swift, cwd=tmp_path, **homeless(HOME=None))
        if done.code == 77:
            pytest.skip("this kernel lends no user namespace")
        assert done.code in (0, 2), done
        assert "Traceback" not in done.err
        assert len(done.err.splitlines()) <= 1


def test_a_training_run_set_aside_takes_nothing_of_others_with_it(tmp_path):
    """``--checkpoint .`` twice: the folder stays where it is, with whatever else lies in it."""
    pytest.importorskip("safetensors")
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    for _ in range(2):
        done = run(*TRAIN[:-1], "2", "--checkpoint", ".", cwd=folder, EXP_CORE_DATA=str(tmp_path / "data"))
        assert done.code == 0, done
    assert (folder / "thesis.tex").read_text() == "years of work"
    assert sorted(child.name for child in tmp_path.iterdir()) == ["home", "home-1"]
    assert sorted(child.name for child in (tmp_path / "home-1").iterdir()) == ["latest.safetensors", "log.csv"]


def test_nothing_is_written_outside_the_folders_that_were_named(tmp_path, swift):
    """A whole run with every output: the working folder and its neighbours stay empty."""
    out, work = tmp_path / "out", tmp_path / "work"
    out.mkdir()
    work.mkdir()
    names = [word for kind in OUTPUTS for word in (f"--{kind}", str(out / f"x.{kind}"))]
    done = run(*LADDER, *names, custom=swift, cwd=work, EXP_CORE_DATA=str(tmp_path / "data"))
    assert done.code == 0, done
    assert sorted(child.name for child in out.iterdir()) == sorted(f"x.{kind}" for kind in OUTPUTS)
    assert list(work.iterdir()) == []
    assert sorted(child.name for child in tmp_path.iterdir()) == ["data", "out", "work"]
    json.loads((out / "x.json").read_text())
