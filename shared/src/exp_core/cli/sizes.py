"""The sizes of an experiment as its help shows them."""

from __future__ import annotations

from exp_core.experiment import Experiment, Problem, Size


def described_sizes(experiment: Experiment) -> list[tuple[Size, str]]:
    """Every size of every problem, with the help line that says whose it is."""
    found: dict[str, list[tuple[Problem, Size]]] = {}
    for problem in experiment.problems:
        for size in problem.sizes:
            found.setdefault(size.name, []).append((problem, size))
    lines: list[tuple[Size, str]] = []
    for holders in found.values():
        size = holders[0][1]
        defaults = {f"{s.default:g}" if s.default < 1e6 else f"{s.default:.0f}" for _, s in holders}
        text = f"{size.help[:1].upper()}{size.help[1:]}."
        text += f"  [default: {defaults.pop()}]" if len(defaults) == 1 else "  [the default depends on the problem]"
        if len(holders) < len(experiment.problems):
            text += f"  ({', '.join(problem.name for problem, _ in holders)})"
        lines.append((size, text))
    return lines


def described(problem: Problem) -> str:
    """A problem's name, and its kind where that is not the ordinary one."""
    return problem.name if problem.kind == "ordinary" else f"{problem.name} ({problem.kind})"
