"""A policy on its way: the accounts as they will be are written beside those that are, and take their place at once."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.account import Account
from app.domain.adoption import Adoption
from app.domain.crossing import Cause
from app.domain.instant import Instant
from app.rows import account_row, holds, is_prepared
from app.store.accounts import upsert
from app.tables import accounts, accounts_next, crossings, policy_adoptions

_SAME = ("adoption_id", "prepared_at", "sequence", "touched_at")
_TAKEN = tuple(column.name for column in accounts_next.c if column.name not in ("book", "account_id", *_SAME))
"""What an account takes over: masses, place, and when to look again."""


async def insert_adoption(tx: AsyncConnection, adoption: Adoption) -> None:
    """Begin to adopt. Requires that no other adoption is under way in the book."""
    await tx.execute(insert(policy_adoptions).values(asdict(adoption)))


async def lock_adoption(tx: AsyncConnection, adoption: Adoption) -> bool:
    """Whether the adoption is still under way; if so, nobody ends it before this transaction does."""
    query = select(policy_adoptions.c.adoption_id).where(*_is(adoption)).with_for_update()
    return (await tx.execute(query)).first() is not None


async def save_next(tx: AsyncConnection, adoption: Adoption, rows: Sequence[tuple[Account, Account, Instant]]) -> None:
    """Keep accounts as they will be: each as it is, as it will be, and the instant for which that was found."""
    if rows:
        await tx.execute(upsert(tx, accounts_next), [_next_row(adoption, *row) for row in rows])


async def save_progress(tx: AsyncConnection, adoption: Adoption, *, after: UUID, done: int) -> None:
    """Remember up to which account, by id, all were prepared once, and how many these are."""
    values = {"after_account_id": after, "accounts_done": done}
    await tx.execute(update(policy_adoptions).where(*_is(adoption)).values(values))


async def restart_adoption(tx: AsyncConnection, book: str) -> None:
    """Prepare all accounts again: what was prepared may rest on what is no more."""
    await tx.execute(delete(accounts_next).where(accounts_next.c.book == book))
    values = {"after_account_id": None, "accounts_done": 0}
    await tx.execute(update(policy_adoptions).where(policy_adoptions.c.book == book).values(values))


async def switch_prepared(tx: AsyncConnection, adoption: Adoption, *, at: Instant) -> None:
    """Every account of which what was prepared holds at `at` becomes that, set-wise, with its crossing if it moves.

    Requires the head to be locked.
    """
    await tx.execute(_moves_recorded(adoption, at))
    now, then = accounts.c, accounts_next.c
    since = case((now.standing != then.standing, literal(at, now.standing_since.type)), else_=now.standing_since)
    values: dict[str, Any] = {
        **{name: then[name] for name in _TAKEN},
        "standing_since": since,
        "crossings": now.crossings + case((_moves(), 1), else_=0),
        "crossed_at": case((_moves(), literal(at, now.crossed_at.type)), else_=now.crossed_at),
        "touched_at": at,
    }
    await tx.execute(update(accounts).where(*_ready(adoption, at)).values(values))


async def delete_adoption(tx: AsyncConnection, adoption: Adoption) -> None:
    """It is not under way any more."""
    await tx.execute(delete(policy_adoptions).where(*_is(adoption)))


async def delete_next(tx: AsyncConnection, adoption: Adoption) -> None:
    """Clear away what was prepared."""
    own = accounts_next.c
    await tx.execute(delete(accounts_next).where(own.book == adoption.book, own.adoption_id == adoption.adoption_id))


def _is(adoption: Adoption) -> tuple[ColumnElement[bool], ...]:
    own = policy_adoptions.c
    return own.book == adoption.book, own.adoption_id == adoption.adoption_id


def _ready(adoption: Adoption, at: Instant) -> tuple[ColumnElement[bool], ...]:
    """Joins both tables; an account that was switched one by one has been touched since."""
    now, then = accounts.c, accounts_next.c
    return (
        now.book == adoption.book,
        then.book == adoption.book,
        then.account_id == now.account_id,
        then.adoption_id == adoption.adoption_id,
        and_(is_prepared(), holds(at)),
    )


def _moves() -> ColumnElement[bool]:
    now, then = accounts.c, accounts_next.c
    return or_(now.standing != then.standing, func.coalesce(now.depth, "") != func.coalesce(then.depth, ""))


def _moves_recorded(adoption: Adoption, at: Instant) -> Any:
    now, then = accounts.c, accounts_next.c
    values: dict[str, ColumnElement[Any]] = {
        "book": now.book,
        "account_id": now.account_id,
        "ordinal": now.crossings + 1,
        "at": literal(at, crossings.c["at"].type),
        "cause": literal(Cause.POLICY.value),
        "from_standing": now.standing,
        "from_depth": now.depth,
        "to_standing": then.standing,
        "to_depth": then.depth,
        "announced": literal(value=False),
    }
    moved = select(*values.values()).where(*_ready(adoption, at), _moves())
    return insert(crossings).from_select(list(values), moved)


def _next_row(adoption: Adoption, stored: Account, after: Account, prepared_at: Instant) -> dict[str, Any]:
    row = account_row(adoption.book, after)
    return {
        "book": adoption.book,
        "account_id": stored.account_id,
        "adoption_id": adoption.adoption_id,
        "prepared_at": prepared_at,
        "sequence": stored.sequence,
        "touched_at": stored.touched_at,
        **{name: row[name] for name in _TAKEN},
    }
