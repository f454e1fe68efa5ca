"""The table in the docs: each of its rows is a test, and each test has a row."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE.parent.parent / "shared" / "docs" / "bad_day.md"
ROW = re.compile(r"^\| (?P<what>[^|]+) \| (?P<then>[^|]+) \| (?P<tests>[^|]+) \|$", re.MULTILINE)
NAME = re.compile(r"`(test_\w+)`")


def all_tests() -> set[str]:
    """The names of all tests in this folder, this file's own left out: they are about the table."""
    found = set()
    for path in HERE.glob("test_*.py"):
        if path != Path(__file__):
            body = ast.parse(path.read_text(encoding="utf-8")).body
            found |= {node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
    return found


def named(text: str) -> list[str]:
    """The tests that the table's rows name, in their order."""
    return [name for row in ROW.finditer(text) for name in NAME.findall(row["tests"])]


def untrue(text: str, there: set[str]) -> set[str]:
    """Tests that are named and are not there, and such that are there without a row."""
    return set(named(text)) ^ there


def test_every_row_is_a_test_and_every_test_has_a_row():
    text = TABLE.read_text(encoding="utf-8")
    assert untrue(text, all_tests()) == set()
    assert all(NAME.search(row["tests"]) or row["what"] in ("What happens", "---") for row in ROW.finditer(text))


def test_a_row_without_its_test_and_a_test_without_its_row_are_seen():
    text = TABLE.read_text(encoding="utf-8")
    first = named(text)[0]
    assert untrue(text.replace(f"`{first}`", "`test_nothing`"), all_tests()) == {first, "test_nothing"}
    assert untrue(text, all_tests() | {"test_new"}) == {"test_new"}
