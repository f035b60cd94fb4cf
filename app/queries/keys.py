"""API keys, as they are kept."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.api_key import ApiKey, Scope
from app.rows import Named, Row
from app.sql import Sql, columns_of, rows_of
from app.tables import api_keys

_KEY = Sql(f"SELECT {columns_of(api_keys, 'k')} FROM api_keys k WHERE k.book = :book AND k.key_id = :key_id")  # noqa: S608 - of our own names


async def find_key(tx: AsyncConnection, book: str, key_id: str) -> ApiKey | None:
    """The key with this id, None if the book has none."""
    rows = await rows_of(tx, _KEY, book=book, key_id=key_id)
    return _key_of(dict(zip(api_keys.columns.keys(), rows[0], strict=True))) if rows else None


async def keys_of_all_books(tx: AsyncConnection) -> list[ApiKey]:
    """Every key, the oldest first."""
    query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id)
    return [_key_of(row) for row in (await tx.execute(query)).mappings()]


async def count_keys(tx: AsyncConnection) -> int:
    """How many keys there are, revoked ones included."""
    return int((await tx.execute(select(func.count()).select_from(api_keys))).scalar_one())


async def first_book(tx: AsyncConnection) -> str | None:
    """The book of the first key: the one that commands work on when none is named."""
    query = select(api_keys.c.book).order_by(api_keys.c.created_at, api_keys.c.key_id).limit(1)
    return (await tx.execute(query)).scalar()


def _key_of(row: Row | Named) -> ApiKey:
    fields: dict[str, Any] = {name: row[name] for name in ApiKey.__dataclass_fields__}
    fields["scopes"] = tuple(Scope(name) for name in row["scopes"].split())
    return ApiKey(**fields)
