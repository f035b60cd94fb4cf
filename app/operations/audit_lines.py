"""Verify lines of the ledger in the order in which they were written: laws 1 and 3."""

from app.domain.audit import CORRUPT, Finding, Link, line_findings
from app.domain.chain import canonical_line
from app.operations.audit import Audit
from app.operations.audit_plan import Lines
from app.queries.audit import lines_in_order
from app.queries.audit_since import link_at
from app.sql import Record


async def check_lines(audit: Audit, part: Lines) -> None:
    """Each line against the one before it."""
    last = await link_at(audit.tx, audit.book, part.after)
    try:
        async for rows in lines_in_order(audit.tx, audit.book, after=part.after, up_to=part.up_to):
            for row in rows:
                last = _checked(audit, last, row)
            audit.found.lines, audit.found.last_line = audit.found.lines + len(rows), (last.position, last.hash)
    except CORRUPT as error:
        audit.found.add_unreadable(3, f"the lines after position {last.position}", error)


def _checked(audit: Audit, before: Link, row: Record) -> Link:
    *array, context, sealed, carried, own = row
    line = Link(array[0], own, array[8])
    for n in (1, 3, 14):
        array[n] = array[n] and _dashed(str(array[n]))
    try:
        audit.found.add(line_findings(before, line, canonical_line(array, context, sealed, carried)))
        if array[12] not in audit.tariffs:
            what = f"It was valued by version {array[12]} of the tariff, which does not exist."
            audit.found.add([Finding(law=3, where=f"position {line.position}", what=what)])
    except CORRUPT as error:
        audit.found.add_unreadable(3, f"position {line.position}", error)
    return line


def _dashed(text: str) -> str:
    """SQLite keeps ids without dashes."""
    return text if len(text) != 32 else f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
