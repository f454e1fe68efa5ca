"""``mlx.launch -n 2 python -m dl_exp mlp --steps N``: by processes that live and die together."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from launching import starting_port

pytest.importorskip("mlx.core", reason="processes are launched by MLX")
pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
pytest.importorskip("safetensors", reason="checkpoints are safetensors files")

LAUNCH = Path(sys.executable).with_name("mlx.launch")
PATIENCE_S = 120
ENTRY = "import sys; from dl_exp.__main__ import main; main()"


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def environment(data):
    known = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "EXP_CORE_DATA": str(data)}
    return os.environ | known


def start(data, *words, ranks=2, program=ENTRY):
    """mlx.launch, with the command line of dl_exp on each rank."""
    if not LAUNCH.exists():
        pytest.skip("mlx.launch is not installed beside this Python")
    ring = ["-n", str(ranks), "--backend", "ring", "--starting-port", str(starting_port())]
    command = [LAUNCH, *ring, sys.executable, "-c", program]
    return subprocess.Popen(
        [*command, *words], env=environment(data), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def alone(data, *words):
    return subprocess.run(
        [sys.executable, "-c", ENTRY, *words], env=environment(data), stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


def ended(process):
    """(exit code, standard output, standard error)."""
    try:
        out, err = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out, err


def ours(err):
    """What our processes say.  mlx.launch's own warnings are not ours; it writes them in pieces, and ours may come
    between.
    """
    said = re.sub(r"\x1b\[\d*m|\[WARN\]|Node with rank \d+ (?:was killed|exited with code -?\d+)", "", err)
    return [line.strip() for line in said.splitlines() if line.strip()]


def weights(data):
    from safetensors.numpy import load_file

    return load_file(data / "training" / "mlp" / "latest.safetensors")["weights"]


def rank_process(launcher, rank):
    """The process of one rank."""
    for child in psutil.Process(launcher.pid).children(recursive=True):
        if child.environ().get("MLX_RANK") == str(rank) and child.status() != psutil.STATUS_ZOMBIE:
            return child
    raise AssertionError(f"no rank {rank}")


def wait_for_checkpoint(data, launcher):
    latest = data / "training" / "mlp" / "latest.safetensors"
    for _ in range(10 * PATIENCE_S):
        if latest.exists():
            return
        assert launcher.poll() is None, launcher.communicate()
        time.sleep(0.1)
    raise AssertionError("no checkpoint was written")


@pytest.mark.parametrize(("ranks", "batch"), [(2, 64), pytest.param(3, 65, marks=pytest.mark.slow)])
def test_several_processes_come_to_the_weights_of_one(data, ranks, batch, tmp_path):
    """Held against the same bounds as any implementation of these steps; 65 examples are uneven parts."""
    from dl_exp.foundations import mlp

    steps = 3
    options = ("mlp", "--steps", str(steps), "--batch", str(batch), "--seed", "5")
    code, out, err = ended(start(data, *options, ranks=ranks))
    assert code == 0, err
    assert out.count("held-out accuracy:") == 1, "one process speaks"

    training = mlp.TRAINING
    examples = training.data[0].read()
    shape = training.model(examples)
    begin = training.start(shape, np.random.default_rng(5))["weights"]
    inputs = begin, *training.batches(shape, examples, 5, range(steps), batch), shape
    experiment = mlp.EXPERIMENT
    log = (data / "training" / "mlp" / "log.csv").read_text().splitlines()[1:]
    result = np.array([float(line.split(",")[1]) for line in log]), weights(data)
    bounds = experiment.bounds(experiment.implementations[0], inputs)
    errors = experiment.errors(result, inputs, experiment.oracle(*inputs))
    assert all(errors[law] <= bounds[law] for law in bounds), (errors, bounds)
    spoilt = result[0], result[1] * (1 + 64 * bounds["final weights"])
    assert experiment.errors(spoilt, inputs, experiment.oracle(*inputs))["final weights"] > bounds["final weights"]


@pytest.mark.parametrize("rank", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_a_rank_that_dies_ends_all_and_training_goes_on_from_the_checkpoint(data, rank):
    launcher = start(data, "mlp", "--steps", "1000000", "--save-every", "20")
    wait_for_checkpoint(data, launcher)
    others = psutil.Process(launcher.pid).children(recursive=True)
    rank_process(launcher, rank).send_signal(signal.SIGKILL)
    code, _, err = ended(launcher)
    assert code != 0
    sentences = ours(err)
    assert len(sentences) == 1, err
    assert "another process of this run has died" in sentences[0]
    assert "--resume goes on from the checkpoint of step" in sentences[0]
    psutil.wait_procs(others, timeout=30)
    assert not any(other.is_running() and other.status() != psutil.STATUS_ZOMBIE for other in others)

    step = int(sentences[0].partition("checkpoint of step ")[2].split()[0])
    more = str(step + 40)
    code, _, err = ended(start(data, "mlp", "--steps", more, "--resume"))
    assert code == 0, err
    interrupted = weights(data)
    code, _, err = ended(start(data / "at-once", "mlp", "--steps", more))
    assert code == 0, err
    assert np.array_equal(interrupted, weights(data / "at-once")), "it did not go on along the same curve"


@pytest.mark.slow
def test_a_process_alone_goes_on_where_two_have_stopped(data):
    code, _, err = ended(start(data, "mlp", "--steps", "10"))
    assert code == 0, err
    done = alone(data, "mlp", "--steps", "20", "--resume")
    assert done.returncode == 0, done.stderr


FAILS = """
import os, sys
from dl_exp.foundations import _mlp_training as training
evaluate = training.TRAINING.evaluate
def failing(*all):
    if os.environ["MLX_RANK"] == "1":
        raise OSError("the disk of rank 1 is gone")
    return evaluate(*all)
object.__setattr__(training.TRAINING, "evaluate", failing)
from dl_exp.__main__ import main
main()
"""


@pytest.mark.slow
def test_a_rank_that_breaks_ends_all(data):
    code, _, err = ended(start(data, "mlp", "--steps", "2000", program=FAILS))
    assert code != 0
    assert any("another process of this run has died" in line for line in ours(err)), err


def test_a_mistake_is_told_once(data):
    code, _, err = ended(start(data, "mlp", "--steps", "10", "--only", "threads_engine"))
    assert code != 0
    assert len(ours(err)) == 1, err
    assert "several processes cannot share a batch there" in err
    code, _, err = ended(start(data, "mlp", "--steps", "10", "--batch", "1"))
    assert code != 0
    assert len(ours(err)) == 1, err
    assert "2 processes cannot share 1 examples" in err


def test_the_ring_tells_how_many_are_here(tmp_path, monkeypatch):
    from exp_core.training.group import neighbours

    hosts = tmp_path / "hosts.json"
    hosts.write_text(json.dumps([["10.0.0.1:5000"], ["10.0.0.1:5001"], ["10.0.0.2:5000"]]))
    monkeypatch.setenv("MLX_HOSTFILE", str(hosts))
    assert [neighbours(rank) for rank in range(3)] == [2, 2, 1]
    monkeypatch.delenv("MLX_HOSTFILE")
    assert neighbours(0) == 1


def test_two_runs_that_meet_by_chance_are_told_so(tmp_path):
    """Two launchers, one rank of each, one ring: what happens when two runs begin at once on the same ports.

    Sabotage shows itself: without the look at who has started them, both would train together.
    """
    hosts, script = tmp_path / "hosts.json", tmp_path / "mlx.launch"
    hosts.write_text(json.dumps([[f"127.0.0.1:{starting_port() + rank}"] for rank in range(2)]))
    script.write_text("import subprocess, sys\nsubprocess.run([sys.executable, '-c', sys.argv[1]])\n")
    child = "from exp_core.training import group\ntry: print(group.join())\nexcept group.GroupError as e: print(e)"
    met = [
        subprocess.Popen([sys.executable, script, child], stdout=subprocess.PIPE, text=True, env=its_rank)
        for its_rank in (os.environ | {"MLX_RANK": str(rank), "MLX_HOSTFILE": str(hosts)} for rank in range(2))
    ]
    said = [process.communicate(timeout=PATIENCE_S)[0] for process in met]
    assert all("give each of the two its own --starting-port" in each for each in said), said
