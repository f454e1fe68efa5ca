"""Which names a statement takes from its module, and which it binds there, by Python's scopes.

A name that a function binds (an argument, a loop's variable) is the function's own, and says nothing of the module's
name that happens to be spelt alike.  Source: The Python Language Reference, section 4.2, Naming and binding.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def level(nodes: Iterable[ast.AST]) -> tuple[list[ast.AST], list[ast.AST]]:
    """The parts of these nodes that are evaluated in the scope where they stand, and the scopes that they open."""
    own: list[ast.AST] = []
    scopes: list[ast.AST] = []
    todo = list(nodes)
    while todo:
        node = todo.pop()
        own.append(node)
        opens = isinstance(node, (*FUNCTIONS, *COMPREHENSIONS, ast.ClassDef))
        todo += _around(node) if opens else ast.iter_child_nodes(node)
        scopes += [node] if opens else []
    return own, scopes


def taken(nodes: Iterable[ast.AST], bound: frozenset[str] = frozenset(), *, inherited: bool = True) -> set[str]:
    """The names that one scope and those inside it take from around it.

    nodes: what stands in the scope.     bound: names that it has from the start, as a function has its arguments.
    inherited: whether the scopes inside see its names: those of a class are seen by none of its methods.
    What an import statement binds counts as taken: it leads to another module.
    """
    own, scopes = level(nodes)
    outer = {name for node in own if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names}
    mine = (bound | {name for node in own for name in _bindings(node)}) - outer
    read = {node.id for node in own if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    inner = {name for scope in scopes for name in _taken_by(scope)}
    return outer | (read - mine) | (inner - mine if inherited else inner)


def taken_by_statement(statement: ast.stmt) -> set[str]:
    """The names that a statement of a module takes from the module, its own among them if it mentions itself."""
    own, scopes = level([statement])
    read = {node.id for node in own if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return read.union(*map(_taken_by, scopes))


def _taken_by(scope: ast.AST) -> set[str]:
    """What a function, a class or a comprehension takes from around it."""
    if isinstance(scope, FUNCTIONS):
        body = [scope.body] if isinstance(scope, ast.Lambda) else scope.body
        return taken(body, frozenset(each.arg for each in _arguments(scope.args)))
    if isinstance(scope, ast.ClassDef):
        return taken(scope.body, inherited=False)
    first = scope.generators[0].iter if isinstance(scope, COMPREHENSIONS) else None
    return taken(node for part in ast.iter_child_nodes(scope) for node in _without(part, first))


def _around(scope: ast.AST) -> list[ast.AST]:
    """The parts of a function, a class or a comprehension that are evaluated where it stands."""
    if isinstance(scope, FUNCTIONS):
        a = scope.args
        parts = [*a.defaults, *a.kw_defaults, *(each.annotation for each in _arguments(a))]
        parts += [] if isinstance(scope, ast.Lambda) else [*scope.decorator_list, scope.returns]
        return [part for part in parts if part is not None]
    if isinstance(scope, ast.ClassDef):
        return [*scope.decorator_list, *scope.bases, *scope.keywords]
    return [scope.generators[0].iter] if isinstance(scope, COMPREHENSIONS) else []


def _arguments(a: ast.arguments) -> list[ast.arg]:
    return [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]


def _without(part: ast.AST, left_out: ast.AST | None) -> list[ast.AST]:
    """A part of a comprehension, a ``for`` by its parts: the first one's source belongs to the scope around it."""
    parts = ast.iter_child_nodes(part) if isinstance(part, ast.comprehension) else [part]
    return [each for each in parts if each is not left_out]


def _bindings(node: ast.AST) -> list[str]:
    """The names that one node binds in its scope."""
    if isinstance(node, ast.Name):
        return [] if isinstance(node.ctx, ast.Load) else [node.id]
    if isinstance(node, (*NAMED, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return [node.name] if node.name else []
    return [node.rest] if isinstance(node, ast.MatchMapping) and node.rest else []
