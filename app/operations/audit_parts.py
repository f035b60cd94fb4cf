"""Check one part of a verification, whatever it is a part of."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from app.operations.audit import Audit, Found
from app.operations.audit_accounts import check_accounts
from app.operations.audit_lines import check_lines
from app.operations.audit_plan import Lines, Part

Check = Callable[[Part], Awaitable[Found]]
"""Whoever checks a part: this process, or another."""


async def check_part(audit: Audit, part: Part) -> Found:
    """What is found in a part alone, by the rules of an audit."""
    own = replace(audit, found=Found())
    if isinstance(part, Lines):
        await check_lines(own, part)
    else:
        await check_accounts(own, part)
    return own.found
