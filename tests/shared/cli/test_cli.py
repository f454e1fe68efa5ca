"""The command line as a user meets it: in its own process, with its exit codes and single sentences."""

import contextlib
import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import jsonschema
import pytest

from exp_core.report.export import schema

QUICK = ("summation", "--n", "500", "--only", "naive,kahan,numpy_sum", "--budget", "0.3")


def run(*args, package="maths_exp", stdin=None, **environment):
    """Run the command line; standard output, standard error and exit code."""
    return subprocess.run(
        [sys.executable, "-m", package, *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"} | environment,
        check=False,
        timeout=120,
    )


def test_an_experiment_of_the_other_package_is_found_there():
    done = run("softmax")
    assert done.returncode == 2 and done.stderr == (
        "maths_exp: no experiment is called 'softmax'; python -m dl_exp softmax has it\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [(("practise",), "missing argument 'NAME'; "), (("machine", "x"), "got unexpected extra argument (x); ")],
)
def test_what_is_missing_or_too_much_is_said_with_where_to_look(words, said):
    done = run(*words)
    assert done.returncode == 2
    assert done.stderr == f"maths_exp: {said}python -m maths_exp {words[0]} --help shows what it takes\n"


def test_the_list_names_every_experiment_and_imports_none():
    script = """
import sys
from exp_core.cli import main
try:
    main("maths_exp", args=[])
finally:
    print([name for name in ("numpy", "rich", "scipy", "numba") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Basics" in done.stdout
    assert "  summation" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_bare_list_and_help_agree():
    assert run().stdout == run("list").stdout
    assert "completion" in run("--help").stdout
    assert run("-h").stdout == run("help").stdout == run("--help").stdout


def test_help_shows_the_sizes_of_the_signature():
    text = run("summation", "--help").stdout
    assert "--n NUMBER" in text
    assert "Number of terms.  [default: 1048576]" in " ".join(text.split()).replace(". [", ".  [")
    assert "absorbing (hard)" in text


def test_a_ladder_in_a_pipe_is_plain_and_whole():
    done = run(*QUICK)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
    for name in ("naive", "kahan", "numpy_sum", "× library", "of limit"):
        assert name in done.stdout


@pytest.mark.parametrize("columns", ["40", "60", "100"])
def test_a_narrow_terminal_loses_columns_not_sense(columns):
    """A pseudo-terminal of that width: no line of the table is longer, names and times are whole."""
    pty = pytest.importorskip("pty", reason="pseudo-terminals are a Unix thing")
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": columns, "NO_COLOR": "1", "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "maths_exp", *QUICK]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # Linux says so when the other end is closed
            while chunk := os.read(ours, 65536):
                text += chunk
    os.close(ours)
    assert process.returncode == 0
    heard = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.decode()).replace("\r", "\n").splitlines()
    table = [line for line in heard if line.lstrip().startswith("✓")]
    assert len(table) == 3
    for line in table:
        assert len(line.rstrip()) <= int(columns)
        assert "…" not in line


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["sumation"], 2, "did you mean summation"),
        (["qqqq"], 2, "lists them"),
        (["summation", "--n", "0"], 2, "--n must be at least 1"),
        (["summation", "--n", "-1"], 2, "--n must be at least 1"),
        (["summation", "--n", "1e12"], 2, "choose smaller sizes"),
        (["summation", "--n", "1e30"], 2, "at most 2**62"),
        (["summation", "--n", "9**9**9"], 2, "takes a number"),
        (["summation", "--n", "__import__('os')"], 2, "takes a number"),
        (["summation", "--n", "1.5"], 2, "whole number"),
        (["summation", "--n", "nan"], 2, "takes a number"),
        (["summation", "--n", ""], 2, "takes a number"),
        (["summation", "--dtype", "int7"], 2, "there are float64, float32"),
        (["summation", "--problem", "absorbin"], 2, "did you mean absorbing"),
        (["summation", "--only", "nave"], 2, "did you mean naive"),
        (["summation", "--only", ","], 2, "no implementation"),
        (["summation", "--rung", "kernel"], 2, "leave nothing"),
        (["summation", "--budget", "inf"], 2, "positive number of seconds"),
        (["summation", "--budget", "soon"], 2, "takes seconds"),
        (["summation", "--threads", "0"], 2, "--threads"),
        (["summation", "--threads", "4096"], 2, "cores"),
        (["summation", "--seed", "-1"], 2, "--seed"),
        (["summation", "--with", "nowhere.py:f"], 2, "cannot read nowhere.py"),
        (["summation", "--json", "no/such/folder/x.json"], 2, "cannot be written"),
        (["summation", "--json", "."], 2, "is a folder"),
        (["summation", "--plot", "x.bmp"], 2, "--plot writes png"),
        (["summation", "--source", "nave"], 2, "did you mean naive"),
        (
            ["summation", "--frobnicate"],
            2,
            "no option is called '--frobnicate'; python -m maths_exp summation --help lists",
        ),
        (["summation", "--budgett", "1"], 2, "no option is called '--budgett'; did you mean --budget?"),
        (["completion", "tcsh"], 2, "tcsh"),
    ],
)
def test_bad_input_is_one_sentence_before_any_work(args, code, words):
    done = run(*args)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_json_follows_its_schema(tmp_path):
    file = tmp_path / "out.json"
    assert run(*QUICK, "--json", str(file)).returncode == 0
    document = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.validate(document, schema())
    piped = run(*QUICK, "--json", "-")
    jsonschema.validate(json.loads(piped.stdout), schema())
    assert [row["name"] for row in document["implementations"]] == ["naive", "kahan", "numpy_sum"]
    assert document["sizes"] == {"n": 500}
    assert document["machine"]["system"]


def test_a_document_that_lacks_a_row_s_field_is_refused():
    document = json.loads(run(*QUICK, "--json", "-").stdout)
    del document["implementations"][0]["fraction_of_limit"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema())


def test_csv_and_markdown(tmp_path):
    rows = list(csv.DictReader(io.StringIO(run(*QUICK, "--csv", "-").stdout)))
    assert [row["name"] for row in rows] == ["naive", "kahan", "numpy_sum"]
    assert float(rows[0]["ci95_low"]) <= float(rows[0]["median_s"]) <= float(rows[0]["ci95_high"])
    file = tmp_path / "table.md"
    run(*QUICK, "--markdown", str(file))
    assert "| `kahan` | textbook | cpu | ok |" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_plot_writes_a_picture(tmp_path, suffix):
    pytest.importorskip("matplotlib", reason="--plot needs matplotlib")
    file = tmp_path / f"out.{suffix}"
    done = run(*QUICK, "--plot", str(file))
    assert done.returncode == 0, done.stderr
    assert file.read_bytes().startswith(b"\x89PNG" if suffix == "png" else b"<?xml")


def test_explain_in_a_pipe_is_as_wide_as_columns_says_and_ends_no_line_with_a_blank():
    narrow = run("summation", "--explain", COLUMNS="60").stdout.splitlines()
    body = [line for line in narrow[1:] if "/" not in line]  # the title is one line, and so is the file's path
    assert len(body) > 20 and max(map(len, body)) <= 60
    assert not [line for line in narrow if line != line.rstrip()]


def test_explain_writes_formulas_that_a_terminal_can_show():
    text = run("summation", "--explain").stdout
    assert "x₀ + x₁ + … + xₙ₋₁" in text
    assert "$" not in text
    assert "\\" not in text
    for heading in ("Problem", "Idea", "Look for", "Source", "Ladder"):
        assert heading in text


def test_source_shows_one_function_or_the_file():
    one = run("summation", "--source", "kahan").stdout
    assert "def kahan(x):" in one
    assert "def naive" not in one
    compiled = run("summation", "--source", "compensated_compiled").stdout
    assert "def compensated_compiled(x):" in compiled
    assert "EXPERIMENT = Experiment(" in run("summation", "--source").stdout


def test_the_user_s_own_function_is_one_more_row(tmp_path):
    (tmp_path / "mine.py").write_text("import math\ndef my_sum(x): return math.fsum(x)\ndef bad(x): return 0.0")
    done = run(*QUICK, "--with", f"{tmp_path / 'mine.py'}:my_sum")
    assert done.returncode == 0, done.stderr
    assert "mine.py:my_sum" in done.stdout
    bad = run(*QUICK, "--with", f"{tmp_path / 'mine.py'}:bad")
    assert bad.returncode == 1
    assert "error above its bound" in bad.stdout


def test_ctrl_c_prints_the_partial_table_and_exits_130():
    process = subprocess.Popen(
        [sys.executable, "-m", "maths_exp", "summation", "--only", "naive,pairwise,numpy_sum", "--budget", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(6)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "interrupted: the table holds what was known by then" in out
    assert "numpy_sum" in out
    assert "Traceback" not in err


def test_a_closed_pipe_is_no_accident():
    command = f"{sys.executable} -m maths_exp summation --explain | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines()[0].startswith("Summation")
    assert done.stdout.splitlines()[-1] == "0"


def test_a_full_disk_keeps_the_table():
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    done = run(*QUICK, "--json", "/dev/full")
    assert "naive" in done.stdout
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "command",
    [
        ("softmax",),
        ("softmax", "--cpu"),
        ("softmax", "--rung", "textbook"),
        ("softmax", "--sweep", "n=8:16:x2"),
        ("all",),
    ],
)
def test_a_device_that_is_not_there_is_exit_3(command):
    pytest.importorskip("mlx", reason="devices are MLX's")
    from exp_core.machine import devices

    missing = next(name for name in ("metal", "cuda") if name not in {device.name for device in devices()})
    done = run(*command, f"--{missing}", package="dl_exp")
    assert done.returncode == 3
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert f"no {missing} device: MLX has" in done.stderr and "`pip install" in done.stderr


def test_an_extra_that_is_not_there_is_exit_3(tmp_path):
    """Numba hidden by a module of that name that cannot be found: the compiled rows say how to get it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'numba' else find(name, *a)\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = run("summation", "--only", "naive_compiled", PYTHONPATH=path)
    assert done.returncode == 3, done.stderr
    assert "needs numba; pip install" in done.stderr
    ladder = run("summation", "--n", "500", "--only", "naive,naive_compiled", "--budget", "0.2", PYTHONPATH=path)
    assert ladder.returncode == 0
    assert "naive_compiled: needs numba; pip install" in ladder.stdout


def test_names_come_by_commas_or_in_turns():
    rest = ("--n", "100", "--budget", "0.1", "--json", "-")
    for names in (("--only", "naive,kahan"), ("--only", "naive", "--only", "kahan")):
        document = json.loads(run("summation", *names, *rest).stdout)
        assert [row["name"] for row in document["implementations"]] == ["naive", "kahan"]
    document = json.loads(run("summation", "--rung", "vectorised", *rest).stdout)
    assert {row["rung"] for row in document["implementations"]} == {"vectorised"}


def test_version_and_completion():
    assert "exp_core 0.1.0" in run("--version").stdout
    script = run("completion", "bash").stdout
    assert "_MATHS_EXP_COMPLETE" in script
    done = run(_MATHS_EXP_COMPLETE="bash_complete", COMP_WORDS="maths_exp summ", COMP_CWORD="1")
    assert "plain,summation" in done.stdout


def test_machine_says_what_it_is():
    done = run("machine")
    assert done.returncode == 0, done.stderr
    for word in ("cores", "float64", "GB/s"):
        assert word in done.stdout
    document = json.loads(run("machine", "--json", "-").stdout)
    assert document["peaks"]
