"""A policy on its way: accounts as they will be are written beside those that are, as another generation of them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, case, delete, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.adoption import Adoption
from app.domain.crossing import Cause
from app.domain.entry import Head
from app.domain.instant import Instant
from app.domain.standing import Place
from app.rows import account_row
from app.store.accounts import upsert
from app.tables import accounts, crossings, policy_adoptions

_own = policy_adoptions.c


async def insert_adoption(tx: AsyncConnection, adoption: Adoption) -> None:
    """Begin to adopt. Requires that no other adoption is under way in the book."""
    await tx.execute(insert(policy_adoptions).values(asdict(adoption)))


async def lock_adoption(tx: AsyncConnection, book: str) -> Adoption | None:
    """The adoption that is under way in a book; nobody carries it on or ends it before this transaction ends."""
    row = (await tx.execute(select(policy_adoptions).where(_own.book == book).with_for_update())).mappings().first()
    return None if row is None else Adoption(**row)


async def save_progress(tx: AsyncConnection, adoption: Adoption) -> None:
    """Remember how far the adoption is. Requires it to be locked."""
    await tx.execute(update(policy_adoptions).where(_own.book == adoption.book).values(asdict(adoption)))


async def save_prepared(
    tx: AsyncConnection, adoption: Adoption, prepared: Sequence[tuple[Account, Place | None]]
) -> None:
    """Keep accounts as they will be, each with its place of now if it moves. Requires the locked adoption."""
    rows = [
        {
            **account_row(adoption.book, account),
            "generation": adoption.generation,
            "from_standing": place.standing.value if place else None,
            "from_depth": place.depth.value if place and place.depth else None,
        }
        for account, place in prepared
    ]
    if rows:
        await tx.execute(upsert(tx, accounts), rows)


async def restart_adoption(tx: AsyncConnection, head: Head, *, generation: int) -> None:
    """Prepare all accounts again, as another generation: what was prepared may rest on what is no more."""
    values = {
        "generation": generation,
        "after_account_id": None,
        "accounts_done": 0,
        "touched_from": head.booked_at,
    }
    await tx.execute(update(policy_adoptions).where(_own.book == head.book).values(values))


async def move_prepared(tx: AsyncConnection, adoption: Adoption, *, at: Instant) -> None:
    """Record the crossings of the prepared accounts that the switch moves, and complete these.

    Requires the locked head, and that every prepared account rests on what counts now.
    """
    own = accounts.c
    moving = own.book == adoption.book, own.generation == adoption.generation, own.from_standing.is_not(None)
    recorded: dict[str, ColumnElement[Any]] = {
        "book": own.book,
        "account_id": own.account_id,
        "ordinal": own.crossings + 1,
        "at": literal(at, crossings.c["at"].type),
        "cause": literal(Cause.POLICY.value),
        "from_standing": own.from_standing,
        "from_depth": own.from_depth,
        "to_standing": own.standing,
        "to_depth": own.depth,
        "announced": literal(value=False),
    }
    await tx.execute(insert(crossings).from_select(list(recorded), select(*recorded.values()).where(*moving)))
    since = case((own.from_standing != own.standing, literal(at, own.standing_since.type)), else_=own.standing_since)
    values: dict[str, Any] = {
        "standing_since": since,
        "crossings": own.crossings + 1,
        "crossed_at": at,
        "from_standing": None,
        "from_depth": None,
    }
    await tx.execute(update(accounts).where(*moving).values(values))


async def delete_adoption(tx: AsyncConnection, book: str) -> None:
    """It is not under way any more."""
    await tx.execute(delete(policy_adoptions).where(_own.book == book))


async def delete_generation(tx: AsyncConnection, book: str, generation: int, *, limit: int) -> None:
    """Sweep up to `limit` accounts of a generation away.

    Requires one that the book left or never took up: since none is ever taken up again, the head need not be locked.
    """
    own = accounts.c.book == book, accounts.c.generation == generation
    some = select(accounts.c.account_id).where(*own).limit(limit).with_for_update(skip_locked=True)
    account_ids = (await tx.execute(some)).scalars().all()
    await tx.execute(delete(accounts).where(*own, accounts.c.account_id.in_(account_ids)))
