"""Which names a statement takes from its module: as Python's own compiler has it."""

from __future__ import annotations

import ast
import dis
import types
from pathlib import Path

import pytest

import exp_core
from exp_core.history.module import Module
from exp_core.history.scopes import taken_by_statement

FOLDER = Path(exp_core.__file__).parent


def loaded(code: types.CodeType) -> set[str]:
    """The names that compiled code looks up in its module."""
    found = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for constant in code.co_consts:
        found |= loaded(constant) if isinstance(constant, types.CodeType) else set()
    return found - {"__name__", "__annotations__"}


def taken(text: str) -> set[str]:
    (statement,) = ast.parse(text).body
    return taken_by_statement(statement)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(rule):\n    return rule.rate", set()),
        ("def f(a, /, b, *c, d, **e):\n    return a, b, c, d, e", set()),
        ("def f(a=default, *, b: kind = other) -> result:\n    return a", {"default", "kind", "other", "result"}),
        ("@decorated(by)\ndef f():\n    pass", {"decorated", "by"}),
        ("def f(x):\n    for row in x:\n        row = row\n    return row", set()),
        ("def f(x):\n    with x as (a, b):\n        return a + b + c", {"c"}),
        ("def f():\n    try:\n        pass\n    except Broken as error:\n        return error", {"Broken"}),
        ("def f():\n    def g(w):\n        return w + free + held\n    held = 1\n    return g", {"free"}),
        ("def f():\n    global count\n    count = count + 1", {"count"}),
        ("def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    return g", set()),
        ("def f(x):\n    return [g(q) for q in x if h(q)]", {"g", "h"}),
        ("E = [rule(r) for r in rules for s in r]", {"rule", "rules"}),
        ("E = {k: v for k, v in k.items()}", {"k"}),  # the first source is looked up outside
        ("E = lambda rule, n=many: rule + n + more", {"many", "more"}),
        ("def f(x):\n    match x:\n        case [first, *rest]:\n            return first, rest, other", {"other"}),
        ("def f(x):\n    match x:\n        case {'a': a, **rest} as whole:\n            return a, rest, whole", set()),
        ("class C(Base, metaclass=Meta):\n    at = 1\n    def m(self):\n        return at", {"Base", "Meta", "at"}),
        ("class C:\n    at = 1\n    twice = at + at", set()),
        ("def f(x):\n    import numpy as np\n    return np.sum(x)", {"np"}),  # it leads to another module
        ("table[k] = value", {"table", "k", "value"}),
    ],
)
def test_names_of_the_module_and_no_others(text, expected):
    assert taken(text) == expected


@pytest.mark.parametrize("folder", ["history", "timing", "vector", "book"])
def test_what_python_looks_up_is_what_is_taken(folder):
    """More is taken only by what is never evaluated: a local variable's annotation, and an import inside."""
    for path in (FOLDER / folder).glob("*.py"):
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(statement, (ast.ImportFrom, ast.Import)):
                continue
            unread = set()
            for part in (part for top in ast.iter_child_nodes(statement) for part in ast.walk(top)):
                if isinstance(part, ast.AnnAssign):
                    unread |= {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
                elif isinstance(part, (ast.ImportFrom, ast.Import)):
                    unread |= {(alias.asname or alias.name).partition(".")[0] for alias in part.names}
            code = compile(ast.Module([statement], []), str(path), "exec", dont_inherit=True)
            names = taken_by_statement(statement)
            assert loaded(code) <= names, f"{path.name}:{statement.lineno}"
            assert names - unread <= loaded(code), f"{path.name}:{statement.lineno}"


def test_a_variable_spelt_like_a_name_of_the_module_is_not_that_name(tmp_path):
    """dl_exp's adam took its whole file in: its argument ``rule`` is a comprehension's variable further below."""
    path = tmp_path / "m.py"
    path.write_text(
        "def descend(w, rule):\n    return w - rule.rate * start(w)\n\n"
        "def start(w):\n    return 0 * w\n\n"
        "BOTH = tuple(Problem(rule) for rule in (1, 2))\n"
        "for once in range(3):\n    TABLE[once] = descend\n"
    )
    module = Module("m", path)
    assert module.definition("rule") is None  # a comprehension's variable is none of the module
    assert module.definition("once") is not None  # a loop's is
    assert {name for _, name in module.definition("descend").uses} == {"start"}
    assert {name for _, name in module.definition("BOTH").uses} == {"tuple", "Problem"}
