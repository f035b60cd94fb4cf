"""API keys: kept and revoked."""

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.api_key import ApiKey
from app.domain.instant import Instant
from app.tables import api_keys


async def insert_key(tx: AsyncConnection, key: ApiKey) -> None:
    """Keep a new key."""
    row = {name: getattr(key, name) for name in ApiKey.__dataclass_fields__}
    await tx.execute(insert(api_keys).values({**row, "scopes": " ".join(key.scopes)}))


async def revoke(tx: AsyncConnection, book: str, key_id: str, *, at: Instant) -> bool:
    """Revoke a key; False if the book has no such key that is not revoked yet."""
    query = (
        update(api_keys)
        .where(api_keys.c.book == book, api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    return (await tx.execute(query)).rowcount == 1
