"""The notebooks of the packages' docs: run from top to bottom, and stored with nothing in them that changes by itself.

python tests/notebooks.py                    run all, and store their outputs
python tests/notebooks.py PATH.ipynb ...     only these
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted([*ROOT.glob("*_exp/docs/*.ipynb")])
LIMIT_S = 120  # a cell
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def executed(path: Path):
    """The notebook, run in a fresh kernel, without its stored outputs.  Raises what its first failing cell raises."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with tempfile.TemporaryDirectory() as data:
        environment = os.environ | {"EXP_CORE_DATA": data, "COLUMNS": "100", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        client = NotebookClient(notebook, timeout=LIMIT_S, kernel_name="python3", record_timing=False)
        client.execute(cwd=data, env=environment)
    return notebook


def stripped(notebook):
    """Without anything that changes from run to run and says nothing: times, ids, empty outputs."""
    notebook.metadata.clear()
    notebook.metadata.update(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.metadata.clear()
        cell.id = f"cell-{number}"
        if cell.cell_type == "code":
            cell.outputs = joined([output for output in cell.outputs if not empty(output)])
            for output in cell.outputs:
                if "metadata" in output:
                    output.metadata.clear()
    return notebook


def joined(outputs):
    """What is printed comes in pieces, as many as the kernel likes: all that follow each other are one."""
    whole = []
    for output in outputs:
        before = whole[-1] if whole else {}
        if output.output_type == "stream" == before.get("output_type") and output["name"] == before["name"]:
            before["text"] += output["text"]
        else:
            whole.append(output)
    return whole


def empty(output) -> bool:
    """A bar that has gone."""
    data = output.get("data", {})
    return output.output_type == "display_data" and data.get("text/html") == ""


def kinds(notebook) -> list[list[str]]:
    """For each code cell the kinds of its outputs: streams, errors, and the types of what is shown."""
    return [
        [
            output["name"] if output["output_type"] == "stream" else "+".join(sorted(output.get("data", {"error": 0})))
            for output in cell["outputs"]
        ]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


def faults(text: str) -> list[str]:
    """What is wrong with a notebook as it is stored, one sentence each."""
    notebook = json.loads(text)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    counts = [cell["execution_count"] for cell in code]
    said = []
    if counts != list(range(1, len(code) + 1)):
        said.append(f"it was not run from top to bottom: its cells are numbered {counts}")
    for cell in code:
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                said.append(f"cell {cell['execution_count']} ends in an error: {output['ename']}")
            elif output.get("name") == "stderr":
                said.append(f"cell {cell['execution_count']} says something on standard error")
        if cell["metadata"]:
            said.append(f"cell {cell['execution_count']} has metadata")
    if notebook["metadata"] != METADATA:
        said.append("its metadata are those of a machine")
    if found := re.search(r"(/home/|/root/|/Users/|/tmp/|/work/|[A-Z]:\\\\)\S*", text):
        said.append(f"it names a path of the machine that ran it: {found[0][:60]}")
    if len(text) > 1_000_000:
        said.append(f"it is {len(text)} bytes long")
    return said


def main(paths: list[Path]) -> None:
    """Run them and store them."""
    import nbformat

    for path in paths:
        notebook = stripped(executed(path))
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
        print(path, len(path.read_bytes()), *faults(path.read_text(encoding="utf-8")), sep="  ")


if __name__ == "__main__":
    main([Path(argument).resolve() for argument in sys.argv[1:]] or NOTEBOOKS)
