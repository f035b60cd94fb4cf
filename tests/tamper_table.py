"""What was tampered with, and what verify said of it: a table that the suite prints at its end."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest

from app.operations.verify import Report

Tampered = Callable[[str, Report, int, str], None]
"""What was done, the report after it, and the law and the place that it must name."""

_PROPERTY = "tampered"
_SAID_MAX = 96


@pytest.fixture
def tampered(request: pytest.FixtureRequest) -> Tampered:
    """Assert that a report names what was done, and keep that for the table."""
    database = request.node.callspec.params["database_url"]

    def check(done: str, report: Report, law: int, where: str) -> None:
        said = [found.what for found in report.findings if (found.law, found.where) == (law, where)]
        assert said, f"{done}: nothing of law {law} at {where} among {report.findings}"
        assert report.counts[law] > 0
        row = [done, str(law), where, said[0], str(len(report.findings)), database]
        request.node.user_properties.append((_PROPERTY, row))

    return check


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table, wherever the tests ran: properties travel with their reports."""
    rows: dict[str, list[str]] = {}
    databases: dict[str, set[str]] = {}
    for row in _rows(terminalreporter):
        rows[row[0]] = row
        databases.setdefault(row[0], set()).add(row[-1])
    if rows:
        terminalreporter.write_sep("=", f"{len(rows)} ways to tamper, and what verify says")
    for done, (_, law, where, said, _, only) in rows.items():
        on = "" if len(databases[done]) == 2 else f" ({only})"
        place = where if len(where) < 30 else f"{where.split()[0]} …{where[-12:]}"
        terminalreporter.write_line(f"{done + on:<62.62} | law {law} | {place:<28} | {said:.{_SAID_MAX}}")


def _rows(terminalreporter: Any) -> Iterator[list[str]]:
    for report in chain.from_iterable(terminalreporter.stats.values()):
        yield from [row for name, row in getattr(report, "user_properties", ()) if name == _PROPERTY]
