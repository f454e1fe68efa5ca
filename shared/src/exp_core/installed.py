"""What is not installed, and the command that installs it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from exp_core.experiment import Skip

PROJECTS = {
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "markdown_it": "markdown-it-py",
}  # modules whose project has another name


def missing_modules(package: str, modules: Iterable[str]) -> Skip | None:
    """What is not installed, and the command that installs it; None if all is there."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if not missing:
        return None
    return Skip(f"needs {listed(missing)}", f"pip install {install_target(package, missing)}")


def listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def install_target(package: str, modules: list[str]) -> str:
    """What to give to pip for missing modules: the package with its smallest extras, and what none of them brings."""
    distribution = importlib.metadata.packages_distributions().get(package, [package.replace("_", "-")])[0]
    try:
        requirements = importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        requirements = []
    brings: dict[str, set[str]] = {}  # by extra; the package alone has none
    sizes: Counter[str] = Counter()
    for requirement in requirements:
        if match := re.match(r"(?P<project>[\w.-]+)(.*extra == ['\"](?P<extra>\w+)['\"])?", requirement):
            extra = match["extra"] or ""
            sizes[extra] += 1
            named = (module for module in modules if PROJECTS.get(module, module) == match["project"])
            brings.setdefault(extra, set()).update(named)
    alone = brings.pop("", set[str]())
    missing = set(modules) - alone
    extras: list[str] = []
    while found := max(brings, key=lambda extra: (len(brings[extra] & missing), -sizes[extra]), default=None):
        if not brings[found] & missing:
            break
        extras.append(found)
        missing -= brings[found]
    ours = f"'{distribution}[{','.join(sorted(extras))}]'" if extras else distribution if alone else ""
    others = (PROJECTS.get(module, module) for module in modules if module in missing)
    return " ".join(filter(None, (ours, *others)))
