"""Checkpoints, kept for ever, and the keys that sign them."""

from collections.abc import Sequence

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.checkpoint import Checkpoint
from app.domain.instant import Instant
from app.tables import checkpoints, signing_keys


async def insert_checkpoint(tx: AsyncConnection, checkpoint: Checkpoint, branches: Sequence[bytes]) -> None:
    """Keep a checkpoint with the branches of its tree. Requires the locked head."""
    row = {name: getattr(checkpoint, name) for name in Checkpoint.__dataclass_fields__}
    await tx.execute(insert(checkpoints).values({**row, "branches": b"".join(branches)}))


async def insert_signing_key(
    tx: AsyncConnection, book: str, public_key: bytes, wrapped: bytes, *, created_at: Instant
) -> None:
    """Keep a new signing key. Requires the locked head."""
    row = {"book": book, "public_key": public_key, "created_at": created_at, "wrapped_key": wrapped}
    await tx.execute(insert(signing_keys).values(row))


async def save_signing_key(tx: AsyncConnection, book: str, public_key: bytes, wrapped: bytes) -> None:
    """A signing key, wrapped anew. Requires the locked head."""
    own = signing_keys.c
    await tx.execute(
        update(signing_keys).where(own.book == book, own.public_key == public_key).values(wrapped_key=wrapped)
    )
