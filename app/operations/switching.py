"""What accounts become under another policy: for the switch itself, for what prepares it, and for a preview."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.crossing import Crossing, advance
from app.domain.fold import remembered, switched
from app.domain.instant import Instant
from app.domain.memory import Masses
from app.domain.policy import Policy
from app.domain.share import heaviest_of
from app.queries.ledger_lines import entries_by_account

BATCH_ACCOUNTS = 200  # their entries are held at once, and other requests wait as long as they are folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """An account as stored, as time left it at the switch by the crossings `passed`, and as it is after its own."""

    stored: Account
    before: Account
    after: Account
    passed: tuple[Crossing, ...]
    crossing: Crossing | None


async def switched_accounts(
    tx: AsyncConnection, book: str, stored: Sequence[Account], *, before: Policy, after: Policy, at: Instant
) -> list[Switched]:
    """What these accounts become if the policy changes at `at`. Requires that none is booked later."""
    felt = await _felt_under(tx, book, stored, before, after)
    found: list[Switched] = []
    for account in stored:
        advanced, passed = advance(account, before, at)
        masses, heaviest = felt[account.account_id]
        moved, crossing = switched(replace(advanced, heaviest=heaviest), after, masses, at=at)
        found.append(Switched(stored=account, before=advanced, after=moved, passed=passed, crossing=crossing))
    return found


async def _felt_under(
    tx: AsyncConnection, book: str, stored: Sequence[Account], before: Policy, after: Policy
) -> dict[UUID, tuple[Masses, str | None]]:
    """Masses, and the heaviest entries: worked out from all entries, unless the half-lives stay."""
    if before.half_lives == after.half_lives:
        return {account.account_id: (account.masses, account.heaviest) for account in stored}
    account_ids = [account.account_id for account in stored]
    return {
        entries[0].account_id: (remembered(entries, after.half_lives), heaviest_of(entries, after.half_lives))
        async for entries in entries_by_account(tx, book, account_ids=account_ids)
    }
