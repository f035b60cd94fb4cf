"""Verify what a book told of: that its messages are numbered without a gap, and those about no account."""

from app.domain.audit import CORRUPT
from app.domain.audit_messages import book_findings, number_findings
from app.operations.audit import FINDINGS_KEPT_MAX, Audit
from app.queries.audit import announced_policies, last_message, message_gaps, messages_of_book
from app.queries.checkpoints import signed_checkpoints
from app.rows import written_of


async def check_messages_of_book(audit: Audit) -> None:
    """Law 6 but for the accounts' messages."""
    tx, book = audit.tx, audit.book
    gaps, last = await message_gaps(tx, book, limit=FINDINGS_KEPT_MAX), await last_message(tx, book)
    audit.found.add(number_findings(gaps, last, audit.head) if audit.head else ())
    try:
        written = [written_of(row) async for row in messages_of_book(tx, book)]
        audit.found.add(book_findings(await announced_policies(tx, book), await signed_checkpoints(tx, book), written))
    except CORRUPT as error:
        audit.found.add_unreadable(6, "the messages about no account", error)
