"""The user's function in its own process: whatever it does there is one clear row, and the ladder stands."""

import sys

import numpy as np
import pytest
import toys

from exp_core.ladder import climb
from exp_core.user import find_user_function
from exp_core.wire import decode, encode

MINE = {
    "good": "def f(x): return x * 2",
    "chatty": "import sys\nprint('hello')\ndef f(x):\n    print('x' * 10**5); sys.stderr.write('!'); return x * 2",
    "listing": "def f(x): return [2 * v for v in x]",
    "wrong": "def f(x): return x * 3",
    "float32": "def f(x): return (x * 2).astype('float32')",
    "shape": "def f(x): return x[:3] * 2",
    "text": "def f(x): return 'two'",
    "none": "def f(x): return None",
    "raises": "def f(x): raise ValueError('no')",
    "exits": "import sys\ndef f(x): sys.exit(3)",
    "dies": "import os\ndef f(x): os._exit(7)",
    "aborts": "import os\ndef f(x): os.abort()",
    "hangs": "def f(x):\n    while True: pass",
    "writes": "def f(x):\n    x *= 2\n    return x",
    "hungry": "import numpy as np\ndef f(x): return np.ones(10**13)",
    "no import": "import no_such_module\ndef f(x): return x",
    "no function": "f = 3",
    "changes its mind": "seen = []\ndef f(x):\n    seen.append(1)\n    assert len(seen) < 3, 'later'\n    return 2 * x",
}
FATE = {
    "good": ("ok", ""),
    "chatty": ("ok", ""),
    "listing": ("ok", ""),
    "wrong": ("wrong", "error above its bound in difference"),
    "float32": ("wrong", "the result has dtype float32, not float64"),
    "shape": ("wrong", "the result has shape (3,), not (64,)"),
    "text": ("failed", "it returned a str, not a number"),
    "none": ("failed", "it returned None: is there a `return`?"),
    "raises": ("failed", "ValueError: no"),
    "exits": ("failed", "it called sys.exit"),
    "dies": ("failed", "exit code 7"),
    "aborts": ("failed", "killed by SIGABRT"),
    "hangs": ("failed", "it did not return within 1 s and was stopped; give it more with --budget"),
    "writes": ("failed", "it changed its input"),
    "hungry": ("failed", "out of its memory limit"),
    "no import": ("failed", "ModuleNotFoundError: No module named 'no_such_module'"),
    "no function": ("failed", "TypeError: f is not a function"),
    "changes its mind": ("failed", "AssertionError: later"),
}


@pytest.mark.parametrize("name", MINE)
def test_every_fate_is_one_row(tmp_path, name):
    file = tmp_path / "mine.py"
    file.write_text(MINE[name])
    user = find_user_function(f"{file}:f")
    user.call_limit_s = 1.0
    result = climb(toys.request("doubled", "library", user=user))
    status, reason = FATE[name]
    rows = {row.name: row for row in result.rows}
    assert rows["mine.py:f"].status == status, rows["mine.py:f"].reason
    assert reason in rows["mine.py:f"].reason
    assert rows["mine.py:f"].rung == "yours"
    assert (rows["mine.py:f"].median_s is not None) == (status == "ok")
    assert rows["doubled"].median_s, "the rest of the ladder stands"
    assert user.process is None, "no process is left behind"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("mine.py", "takes FILE.py:FUNCTION"),
        (":f", "takes FILE.py:FUNCTION"),
        ("mine.py:not a name", "takes FILE.py:FUNCTION"),
        ("nowhere.py:f", "cannot read nowhere.py"),
        (".:f", "cannot read"),
        ("{broken}:f", "as Python"),
        ("{binary}:f", "as Python"),
        ("{good}:g", "has no function 'g': it defines f"),
        ("{empty}:g", "it defines nothing"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path, text, complaint):
    files = {"good": b"def f(x): return x", "broken": b"def f(:", "empty": b"", "binary": b"\x00\xff\x00"}
    for name, content in files.items():
        (tmp_path / f"{name}.py").write_bytes(content)
    with pytest.raises(ValueError, match=r"^[^\n]+$") as refusal:
        find_user_function(text.format(**{name: tmp_path / f"{name}.py" for name in files}))
    assert complaint in str(refusal.value)


@pytest.mark.parametrize(
    "result",
    [
        np.arange(6.0).reshape(2, 3),
        (np.eye(2), np.arange(3)),
        (np.eye(2), (np.float32(1.5), np.array([], dtype="int32"))),
        np.complex64(1 + 2j),
        7,
    ],
)
def test_results_travel_unchanged(result):
    def same(a, b):
        if isinstance(a, tuple):
            return len(a) == len(b) and all(map(same, a, b))
        return np.asarray(a).dtype == np.asarray(b).dtype and np.array_equal(a, b)

    assert same(result, decode(encode(result)))


def test_nothing_is_unpickled():
    with pytest.raises(TypeError, match="not a number"):
        encode(np.array([print], dtype=object))


def test_the_user_may_import_a_neighbour(tmp_path, monkeypatch):
    (tmp_path / "neighbour.py").write_text("def twice(x): return 2 * x")
    (tmp_path / "mine.py").write_text("from neighbour import twice")
    monkeypatch.setattr(sys, "path", list(sys.path))
    result = climb(toys.request("library", user=find_user_function(f"{tmp_path / 'mine.py'}:twice")))
    assert result.rows[-1].status == "ok"
