"""The user's function in its own process: whatever it does there is one clear row, and the ladder stands."""

import sys

import numpy as np
import pytest
import toys

from exp_core.ladder import climb
from exp_core.leftovers import descendants
from exp_core.user_file import find_user_function
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
    "segfault": "import ctypes\ndef f(x): return ctypes.string_at(0)",
    "no bottom": "def f(x): return f(x)",
    "prints in C": "import ctypes\nC = ctypes.CDLL(None)\ndef f(x): C.puts(b'from C'); C.fflush(None); return 2 * x",
    "prints a lot": "import sys\ndef f(x):\n    sys.stdout.write('spam ' * 10**6); return 2 * x",
    "huge": "import numpy as np\ndef f(x): return np.broadcast_to(x, (10**9, x.size))",
    "matrix": "import numpy as np\ndef f(x): return np.matrix(2 * x)",
    "masked": "import numpy as np\ndef f(x): return np.ma.array(2 * x)",
    "view": "def f(x): return x[:]",
    "half a view": "def f(x): return 2 * x, x",
    "ragged": "def f(x): return [[1.0], [1.0, 2.0]]",
    "objects": "import numpy as np\ndef f(x): return np.array([print])",
    "strings": "import numpy as np\ndef f(x): return np.array(['two'])",
    "escapes": "def f(x): raise ValueError('\\x1b[2J\\x1b]0;owned\\x07 red')",
    "long-winded": "def f(x): raise ValueError('x' * 10**7)",
    "unspeakable": "class E(Exception):\n    def __str__(self): raise RuntimeError\ndef f(x): raise E",
    "nameless": "def f(x): raise type('\\x1b[31m', (BaseException,), {})('no')",
    "forks": "import os, time\ndef f(x):\n    if os.fork() == 0: time.sleep(600)\n    return 2 * x",
    "returns twice": "import os\ndef f(x):\n    os.fork(); return 2 * x",
    "escapee": """
import subprocess, sys
def f(x):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    return 2 * x
""",
    "closes all": "import os\ndef f(x):\n    os.closerange(3, 64); return 2 * x",
    "writes to all": """
import contextlib, os
def f(x):
    for fd in range(3, 32):
        with contextlib.suppress(OSError): os.write(fd, b"{ what?\\n")
    return 2 * x
""",
    "interrupts": "def f(x): raise KeyboardInterrupt",
    "stops itself": "import os, signal\ndef f(x):\n    os.kill(os.getpid(), signal.SIGSTOP); return 2 * x",
    "ignores signals": """
import signal
for s in (2, 15): signal.signal(s, signal.SIG_IGN)
def f(x):
    while True: pass
""",
    "hangs in C": "import ctypes\ndef f(x): ctypes.PyDLL(None).sleep(600)",
    "promises": "def f(x): return (2 * v for v in x)",
    "shadows": "import random\nassert random.__file__ != __file__\ndef f(x): return 2 * x",
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
    "segfault": ("failed", "killed by SIGSEGV: a read or write outside of an array, or a recursion without end"),
    "no bottom": ("failed", "RecursionError: maximum recursion depth exceeded"),
    "prints in C": ("ok", "'from C' first"),
    "prints a lot": ("ok", "first"),
    "huge": ("failed", "out of its memory limit"),
    "matrix": ("failed", "it returned a numpy.matrix, not a plain array: np.asarray(...) makes one of it"),
    "masked": ("failed", "it returned a numpy.MaskedArray, not a plain array"),
    "view": ("wrong", "it returned a view of its input: who changes the one changes the other; return a copy"),
    "half a view": ("wrong", "it returned a tuple of 2 ("),
    "ragged": ("failed", "it returned a list whose parts have different lengths, not an array"),
    "objects": ("failed", "it returned an array of object, not a number"),
    "strings": ("failed", "it returned an array of <U3, not a number"),
    "escapes": ("failed", "ValueError:  [2J ]0;owned  red (line 1: "),
    "long-winded": ("failed", "xxx ..."),
    "unspeakable": ("failed", "E: its message cannot be read"),
    "nameless": ("failed", " [31m: no"),
    "forks": ("ok", ""),
    "returns twice": ("ok", ""),
    "escapee": ("ok", ""),
    "closes all": ("failed", "its process ended in the middle of the work (exit code 1)"),
    "writes to all": ("failed", "it wrote into the channel that its results take"),
    "interrupts": ("failed", "KeyboardInterrupt: no message"),
    "stops itself": ("failed", "it did not return within 1 s and was stopped"),
    "ignores signals": ("failed", "it did not return within 1 s and was stopped"),
    "hangs in C": ("failed", "it did not return within 1 s and was stopped"),
    "promises": ("failed", "it returned a generator"),
    "shadows": ("ok", ""),
    "changes its mind": ("failed", "AssertionError: later"),
}


@pytest.mark.parametrize("name", MINE)
def test_every_fate_is_one_row(tmp_path, name):
    file = tmp_path / "mine.py"
    file.write_text(MINE[name])
    user = find_user_function(f"{file}:f")
    status, reason = FATE[name]
    user.call_limit_s = 1.0 if "did not return" in reason else 30.0  # enough on the busiest machine
    result = climb(toys.request("doubled", "library", user=user, budget_s=0.5 if status == "ok" else 0.1))
    rows = {row.name: row for row in result.rows}
    mine = rows["mine.py:f"]
    assert mine.status == status, mine.reason
    assert reason in mine.reason
    assert mine.reason.isprintable()
    assert len(mine.reason) < 500
    assert mine.rung == "yours"
    assert (mine.median_s is not None) == (status == "ok")
    assert rows["doubled"].median_s, "the rest of the ladder stands"
    assert user.process is None
    assert not list(descendants(user.token)), "no process is left behind"


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
