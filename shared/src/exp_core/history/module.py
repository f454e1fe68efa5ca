"""A source file by its names: the text that defines each, and what that text mentions.  Nothing is imported."""

from __future__ import annotations

import ast
import functools
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from exp_core.history.scopes import NAMED, level, taken_by_statement

Name = tuple[str, str]  # a module, or the path of the user's file, and a name in it
ALL = "*"  # every name of a module


@dataclass(frozen=True, slots=True)
class Definition:
    """All that a module says about one of its names, and the names that this text mentions."""

    text: str
    uses: tuple[Name, ...]


class Module:
    """A source file.

    imported: where the names come from that its import statements bring, at the top level or inside.
    """

    def __init__(self, name: str, path: Path) -> None:
        """Raises OSError, SyntaxError or ValueError for a file that cannot be read as Python."""
        self.name = name
        text = path.read_text(encoding="utf-8")
        self.title = name if name != str(path) else path.name  # the same in every folder
        self.lines = text.split("\n")
        self.package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        self.statements: dict[str, list[ast.stmt]] = {}
        self.imported: dict[str, Name] = {}
        self._definitions: dict[str, Definition] = {}
        for statement in ast.parse(text).body:
            if isinstance(statement, NAMED):  # what is inside is looked at when somebody uses it
                self.statements.setdefault(statement.name, []).append(statement)
                continue
            self._note_imports(list(ast.walk(statement)))
            for bound in _bound(level([statement])[0]):
                self.statements.setdefault(bound, []).append(statement)

    @property
    def names(self) -> tuple[str, ...]:
        """All that the module defines or imports."""
        return (*self.statements, *self.imported)

    def definition(self, name: str) -> Definition | None:
        """What the module says about a name of its own; None for one that it only imports, or does not have."""
        if name not in self.statements:
            return None
        if name not in self._definitions:
            statements = self.statements[name]
            text = "\n".join([self.title, *map(self._text, statements)])
            uses = dict.fromkeys(use for statement in statements for use in self._uses(statement))
            self._definitions[name] = Definition(text, tuple(uses))
        return self._definitions[name]

    def _text(self, statement: ast.stmt) -> str:
        """The statement as it is written, decorators included."""
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))])
        return "\n".join(self.lines[first - 1 : statement.end_lineno])

    def _uses(self, statement: ast.stmt) -> Iterator[Name]:
        """Every name that a statement takes from its module; of an imported module what is taken: ``tiles.step``."""
        inside: set[int] = set()
        taken = taken_by_statement(statement)
        parts = list(ast.walk(statement))
        self._note_imports(parts)
        for part in parts:  # an attribute comes before the name that it is taken from
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in self.imported:
                above, original = self.imported[part.value.id]
                module = above if original == ALL else f"{above}.{original}"
                if module.partition(".")[0] == self.name.partition(".")[0] and read_module(module):
                    inside.add(id(part.value))
                    yield module, part.attr
            elif isinstance(part, ast.Name) and part.id in taken and id(part) not in inside:
                yield self.name, part.id

    def _note_imports(self, parts: list[ast.AST]) -> None:
        for node in parts:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    self.imported[alias.asname or top] = (alias.name if alias.asname else top, ALL)
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                if node.level:
                    module = importlib.util.resolve_name("." * node.level + module, self.package)
                self.imported |= {alias.asname or alias.name: (module, alias.name) for alias in node.names}


@functools.cache
def read_module(name: str) -> Module | None:
    """A module, or a file by its path, as it is when first asked for; None where no source of it can be read."""
    try:
        path = Path(name) if name.endswith(".py") else _path(name)
        return Module(name, path) if path else None
    except (ImportError, OSError, SyntaxError, ValueError):
        return None


def _path(name: str) -> Path | None:
    """Where a module is: beside its parent's file, so that nothing has to be imported to find it."""
    if name in sys.modules:
        file = getattr(sys.modules[name], "__file__", None)
        return Path(file) if file and file.endswith(".py") else None
    parent, _, last = name.rpartition(".")
    above = _path(parent) if parent else None
    if above is None or above.name != "__init__.py":
        return None
    beside = (above.parent / f"{last}.py", above.parent / last / "__init__.py")
    return next((path for path in beside if path.is_file()), None)


def _bound(parts: list[ast.AST]) -> set[str]:
    """The names that a statement of a module defines or changes: ``x = 1``, ``x[k] = 1``, ``x.y = 1``, ``x.add(1)``."""
    found: set[str] = set()
    for part in parts:
        if isinstance(part, NAMED):
            found.add(part.name)
            continue
        changed: ast.AST | None = None
        if isinstance(part, (ast.Name, ast.Subscript, ast.Attribute)) and isinstance(part.ctx, ast.Store):
            changed = part
        elif isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
            changed = part.value.func if isinstance(part.value.func, ast.Attribute) else None
        while isinstance(changed, (ast.Subscript, ast.Attribute)):
            changed = changed.value
        if isinstance(changed, ast.Name):
            found.add(changed.id)
    return found
