"""The command line's --emulate, and --with my_kernel.metal."""

from __future__ import annotations

import json

import pytest
from kernel_checks import needs_a_compiler

from dl_exp.__main__ import main
from dl_exp.kernels._softmax_kernel import CUDA, METAL
from exp_core import Skip

pytestmark = needs_a_compiler


def ladder(capsys, *arguments):
    """The exit code, the rows by name and device, and standard error."""
    with pytest.raises(SystemExit) as done:
        run(*arguments, "--no-store", "--budget", "0.2", "--json", "-")
    said = capsys.readouterr()
    rows = json.loads(said.out)["implementations"] if said.out else []
    return done.value.code, {(row["name"], row["device"]): row for row in rows}, said.err


def run(*arguments):
    import sys

    before, sys.argv = sys.argv, ["dl_exp", *arguments]
    try:
        main()
    finally:
        sys.argv = before


def test_emulated_rows_are_right_and_not_timed(capsys):
    code, rows, _ = ladder(capsys, "softmax", "--metal", "--cuda", "--emulate", "--only", "kernel,library")
    assert code == 0
    for device in ("metal", "cuda"):
        row = rows["kernel", device]
        assert row["emulated"] and row["status"] == "ok" and row["reason"] == "emulated: right, not timed"
        assert row["median_s"] is None and row["error"] <= row["bound"]
    assert rows["library", "cpu"]["median_s"] > 0


def test_without_a_gpu_the_row_says_what_helps(capsys):
    code, rows, _ = ladder(capsys, "softmax", "--cpu", "--rows", "4", "--n", "8", "--only", "kernel")
    row = rows["kernel", "cpu"]
    assert code == 0 and row["status"] == "skipped"
    assert row["reason"] == "is written for metal and cuda; --metal --emulate or --cuda --emulate checks it here"


def test_an_own_body_is_checked_beside_ours(capsys, tmp_path):
    for suffix, device, body in ((".metal", "metal", METAL), (".cu", "cuda", CUDA)):
        good, wrong = tmp_path / f"good{suffix}", tmp_path / f"wrong{suffix}"
        good.write_text(body)
        wrong.write_text(body.replace("/ total", "/ (2 * total)"))
        arguments = ("softmax", f"--{device}", "--emulate", "--rung", "kernel", "--with")
        code, rows, _ = ladder(capsys, *arguments, str(good))
        assert code == 0 and rows[good.name, device]["status"] == rows["kernel", device]["status"] == "ok"
        code, rows, _ = ladder(capsys, *arguments, str(wrong))
        assert code == 1 and rows[wrong.name, device]["status"] == "wrong" and rows["kernel", device]["status"] == "ok"


def test_an_own_body_that_is_faulty_is_told_its_line(capsys, tmp_path):
    body = tmp_path / "mine.metal"
    body.write_text(METAL.replace("threadgroup_barrier(mem_flags::mem_threadgroup);\nm =", "\nm ="))
    code, rows, _ = ladder(capsys, "softmax", "--metal", "--emulate", "--rung", "kernel", "--with", str(body))
    row = rows["mine.metal", "metal"]
    assert code == 1 and row["status"] == "failed"
    sentence, *lines = row["reason"].splitlines()
    assert sentence.startswith("softmax (metal): missing barrier: line 18")
    assert lines[0].endswith("18 | if (lane == 0) part[simdgroup] = m;") and len(lines) == 2


def test_the_table_quotes_the_lines_below_the_sentence(capsys, tmp_path):
    body = tmp_path / "mine.cu"
    body.write_text("\n\np[0] = <b>x[0];\n")
    with pytest.raises(SystemExit) as done:
        run("softmax", "--cuda", "--emulate", "--rung", "kernel", "--no-store", "--budget", "0.2", "--with", str(body))
    assert done.value.code == 1
    said = capsys.readouterr().out
    assert "mine.cu: softmax (cuda): it does not compile: line 3: expected" in said
    assert "\n       3 | p[0] = <b>x[0];\n" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--emulate",), "--emulate needs a device to emulate: --metal or --cuda"),
        (("--cpu", "--emulate"), "--emulate needs a device to emulate"),
        (("--metal", "--emulate", "--sweep", "n=8:16:x2"), "--emulate times nothing"),
        (("--metal", "--emulate", "--with", "no_such.metal"), "--with cannot read no_such.metal: No such file"),
        (
            ("--metal", "--emulate", "--with", "mine.txt"),
            "--with takes FILE.py:FUNCTION, such as mine.py:my_sum, or FILE.metal",
        ),
        (("--metal", "--emulate", "--processes", "2", "--with", "a.metal"), "leave --processes out"),
    ],
)
def test_what_is_refused(capsys, arguments, sentence):
    code, _, said = ladder(capsys, "softmax", *arguments)
    assert code == 2 and sentence in said


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "mine.metal is empty: write what stands between"), (b"\xff\xfe\x00", "mine.metal: it is no text in UTF-8")],
)
def test_a_file_that_holds_no_body(capsys, tmp_path, content, sentence):
    (tmp_path / "mine.metal").write_bytes(content)
    code, _, said = ladder(capsys, "softmax", "--metal", "--emulate", "--with", str(tmp_path / "mine.metal"))
    assert code == 2 and sentence in said


def test_a_name_that_no_kernel_has(capsys, tmp_path):
    (tmp_path / "mine.cu").write_text(CUDA)
    code, _, said = ladder(capsys, "softmax", "--cuda", "--emulate", "--with", f"{tmp_path}/mine.cu:soft")
    assert code == 2 and "no cuda kernel of this experiment is called 'soft'; there are softmax" in said


def test_without_a_compiler_the_row_says_how_to_get_one(capsys, monkeypatch):
    from dl_exp.emulator import compiler

    compiler.compiler.cache_clear()
    compiler.machine.cache_clear()
    compiler._version.cache_clear()
    monkeypatch.setattr(compiler.shutil, "which", lambda name: None)
    monkeypatch.setattr(compiler.platform, "system", lambda: "Linux")
    try:
        code, rows, _ = ladder(capsys, "softmax", "--metal", "--emulate", "--only", "kernel")
    finally:
        compiler.compiler.cache_clear()
    assert code == 0
    assert rows["kernel", "metal"]["reason"] == (
        "the emulator needs a C++ compiler, and there is none here; apt install g++"
    )


def test_without_libclang_the_row_says_what_was_not_looked_at(capsys, monkeypatch):
    from dl_exp.emulator import address_spaces

    monkeypatch.setattr(address_spaces, "absent", lambda: Skip("address spaces were not looked at", "get libclang"))
    code, rows, _ = ladder(capsys, "softmax", "--metal", "--cuda", "--emulate", "--only", "kernel")
    said = "emulated: right, not timed"
    assert code == 0 and rows["kernel", "cuda"]["reason"] == said
    assert rows["kernel", "metal"]["reason"] == f"{said}; address spaces were not looked at; get libclang"
