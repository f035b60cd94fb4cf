"""Verify lines of the ledger in the order in which they were written: laws 1 and 3."""

from app.domain.audit import CORRUPT, Finding, Link, line_findings
from app.operations.audit import Audit
from app.operations.audit_plan import Lines
from app.queries.audit import rows_in_order
from app.queries.audit_since import link_at
from app.rows import Row, entry_of


async def check_lines(audit: Audit, part: Lines) -> None:
    """Each line against the one before it."""
    last = await link_at(audit.tx, audit.book, part.after)
    try:
        async for row in rows_in_order(audit.tx, audit.book, after=part.after, up_to=part.up_to):
            _check_line(audit, last, row)
            last = Link(position=row["position"], hash=row["hash"], booked_at=row["booked_at"])
            audit.found.lines, audit.found.last_line = audit.found.lines + 1, (last.position, last.hash)
    except CORRUPT as error:
        audit.found.add_unreadable(3, f"the lines after position {last.position}", error)


def _check_line(audit: Audit, before: Link, row: Row) -> None:
    try:
        entry = entry_of(row)
        audit.found.add(line_findings(before, entry))
        if entry.tariff_version not in audit.tariffs:
            what = f"It was valued by version {entry.tariff_version} of the tariff, which does not exist."
            audit.found.add([Finding(law=3, where=f"position {entry.position}", what=what)])
    except CORRUPT as error:
        audit.found.add_unreadable(3, f"position {row['position']}", error)
