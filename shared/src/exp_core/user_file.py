"""``FILE.py:FUNCTION`` as it is given: read and looked into without running it."""

from __future__ import annotations

import ast
from pathlib import Path

from exp_core.user import UserFunction


def find_user_function(text: str, kernels: tuple[str, ...] = ()) -> UserFunction:
    """``FILE.py:FUNCTION`` as given on the command line.  Raises ValueError with one sentence if it is not there.

    kernels: suffixes of files that --with takes besides.
    """
    file, colon, name = text.rpartition(":")
    if not colon or not file or not name.isidentifier():
        also = "".join(f", or FILE{suffix}" for suffix in kernels)
        raise ValueError(f"--with takes FILE.py:FUNCTION, such as mine.py:my_sum{also}, not {text!r}")
    path = Path(file)
    try:
        body = ast.parse(path.read_bytes(), filename=file).body
    except OSError as error:
        raise ValueError(f"--with cannot read {file}: {error.strerror}") from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"--with cannot read {file} as Python: {error}") from error
    names = _top_level_names(body)
    if name not in names:
        there = f"it defines {', '.join(sorted(names))}" if names else "it defines nothing"
        raise ValueError(f"{file} has no function {name!r}: {there}")
    return UserFunction(path.resolve(), name)


def _top_level_names(body: list[ast.stmt]) -> set[str]:
    """What a module defines or imports by name at its top level."""
    names: set[str] = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {alias.asname or alias.name for alias in node.names}
    return names
