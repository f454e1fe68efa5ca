"""A hash of what an implementation is made of: its source, and that of all it uses of our own packages.

The files are read, not the functions: a hash must not depend on Python's version, on the order of imports, or on
whether Numba is there.  From a name the walk goes to the statements that define it, from these to every name in them,
through imports, and ends where foreign packages begin: their names are hashed, and their versions are stored anyway.
An edit to another implementation in the same file changes nothing.
"""

from __future__ import annotations

import functools
import hashlib
import types
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from exp_core.history.module import ALL, Name, read_module

if TYPE_CHECKING:
    from exp_core.request import Request


def source_hashes(request: Request) -> dict[str, str]:
    """A hash for each contestant's implementation, and for the user's own function; by name."""
    module = request.entry.module
    ours = frozenset({module.partition(".")[0], "exp_core"})
    found: dict[str, str] = {}
    for contestant in request.contestants:
        made = contestant.implementation
        if contestant.yours:
            found[made.name] = source_of_own(made.function)
            continue
        parts = [made.function, *filter(None, [made.prepare])]
        # a function that another one made is best known by the line that gave it its name
        roots = [(module, made.name), *(name for part in parts for name in names_of(part))]
        found[made.name] = source_hash(roots, ours)
    if user := request.user:
        path = str(user.path)
        found[user.key] = source_hash([(path, user.name)], frozenset({path}))
    return found


def source_of_own(function: Callable[..., object]) -> str:
    """A hash of a function that was typed in, of what Python still has of its source."""
    import inspect

    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        text = repr(getattr(function, "__name__", type(function).__name__))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def source_hash(roots: Iterable[Name], ours: frozenset[str]) -> str:
    """Sixteen hexadecimal digits of SHA-256; ours: the packages (or files) whose sources count."""
    todo, seen, texts = list(roots), set[Name](), set[str]()
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        module, name = at
        here = read_module(module) if module in ours or module.partition(".")[0] in ours else None
        if here is None:
            texts.add(f"{module}.{name}")
        elif name == ALL:
            todo += [(module, each) for each in here.names]
        elif definition := here.definition(name):
            texts.add(definition.text)
            todo += definition.uses
        elif name in here.imported:
            above, original = here.imported[name]
            inside = f"{above}.{original}"  # a name in a module, or a module in a package
            is_module = above.partition(".")[0] in ours and original != ALL and read_module(inside)
            todo.append((inside, ALL) if is_module else (above, original))
    return hashlib.sha256("\0".join(sorted(texts)).encode()).hexdigest()[:16]


def names_of(function: Callable[..., object]) -> Iterator[Name]:
    """The module and top-level name of a function, and of the functions that it was made from."""
    todo: list[object] = [function]
    seen: set[int] = set()
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, functools.partial):
            todo += [value.func, *value.args, *value.keywords.values()]
            continue
        value = getattr(value, "py_func", value)  # compiled later: exp_core.compiled
        if not isinstance(value, types.FunctionType):
            continue
        todo += [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
        todo += value.__defaults__ or ()
        top = value.__qualname__.partition(".")[0]
        yield value.__module__, ALL if top == "<lambda>" else top


def _filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False
