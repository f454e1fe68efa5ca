"""What can be asked without running anything, as values that print well in a terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from exp_core.api.spelled import in_python

if TYPE_CHECKING:
    from exp_core.catalogue import Catalogue, Entry
    from exp_core.experiment import Experiment


@dataclass(frozen=True, repr=False)
class Experiments(Mapping[str, "Entry"]):
    """The catalogue: from an experiment's name to what is known of it without importing it (title, topic, path)."""

    command: str
    catalogue: Catalogue

    def __getitem__(self, name: str) -> Entry:
        return self.catalogue.entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.catalogue.entries)

    def __len__(self) -> int:
        return len(self.catalogue.entries)

    def __repr__(self) -> str:
        width = max((len(name) for name in self), default=0)
        lines: list[str] = []
        for topic in self.catalogue.topics:
            lines += [topic.title, *(f"  {entry.name:{width}}  {entry.title}" for entry in topic.entries)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th colspan="2" style="text-align: left">{escape(topic.title)}</th></tr>'
            + "".join(
                f'<tr><td style="text-align: left"><code>{escape(entry.name)}</code></td>'
                f'<td style="text-align: left">{escape(entry.title)}</td></tr>'
                for entry in topic.entries
            )
            for topic in self.catalogue.topics
        )
        return f'<table style="color: inherit">{rows}</table>'


@dataclass(frozen=True, repr=False)
class Explanation:
    """An experiment in words: its docstring, its problems with their sizes, and its ladder in teaching order."""

    entry: Entry
    experiment: Experiment

    def __repr__(self) -> str:
        from exp_core.report.console import as_text
        from exp_core.report.explain import print_explanation

        return as_text(
            lambda out: print_explanation(self.entry, self.experiment, out, path=False, spell=self._in_python)
        )

    def _repr_markdown_(self) -> str:
        """The same for a notebook, which sets the formulas between dollars."""
        from exp_core.report.docstring import references, sections

        title, _, body = self._in_python(self.entry.docstring).partition("\n")
        lines = [f"**{title}**", ""]
        for heading, words in sections(body):
            if heading == "Source":
                lines += [f"**{heading}.**", "", *(f"- {reference}" for reference in references(body)), ""]
            else:
                lines += [f"**{heading}.** {words}", ""]
        lines += ["| implementation | rung | how it differs |", "|---|---|---|"]
        lines += [f"| `{i.name}` | {i.rung} | {_cell(i.title)} |" for i in self.experiment.implementations]
        lines += ["", "| problem | sizes | |", "|---|---|---|"]
        for problem in self.experiment.problems:
            sizes = ", ".join(f"`{size.name}={size.default}` {_cell(size.help)}" for size in problem.sizes)
            kind = "" if problem.kind == "ordinary" else f" ({problem.kind})"
            lines.append(f"| `{problem.name}`{kind} | {sizes or '–'} | {_cell(problem.title)} |")
        return "\n".join(lines)

    def _in_python(self, text: str) -> str:
        return in_python(text, self.entry.package)


def _cell(text: str) -> str:
    """Text that stays in its cell."""
    return text.replace("|", r"\|").replace("<", "&lt;").replace("\n", " ")
