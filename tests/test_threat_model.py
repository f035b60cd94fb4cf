"""The threat model promises nothing that no test holds."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "threat-model.md").read_text()
NAMED = set(re.findall(r"`(test_\w+)`", PAGE))


def test_every_test_that_the_page_names_is_there_and_every_row_names_one() -> None:
    there = {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "who does what" not in line]
    assert len(rows) > 15
    assert NAMED - there == set()
    assert [row for row in rows if not re.search(r"\| `test_\w+`", row)] == []
