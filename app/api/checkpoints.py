"""Checkpoints: what the book signed, in order, and with which keys."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.api.body import StrictRoute
from app.api.openapi import ANSWERS
from app.api.state import LedgerDep, Reader
from app.api.wire_checkpoint import CheckpointOut, CheckpointsOut, PublicKeyOut, PublicKeysOut
from app.api.wire_fields import PageSize, Position
from app.domain.checkpoint import checkpoint_shown, key_text
from app.domain.instant import wire_time
from app.queries.checkpoints import checkpoints_after, signing_keys_of

router = APIRouter(prefix="/v1/checkpoints", route_class=StrictRoute, tags=["checkpoints"], responses=ANSWERS)


@router.get("")
async def get_checkpoints(
    ledger: LedgerDep,
    key: Reader,
    after: Annotated[Position, Query(description="the number to read on from")] = 0,
    limit: Annotated[PageSize, Query()] = 50,
) -> CheckpointsOut:
    """The checkpoints after a number, in order. Who keeps them elsewhere sees any change of what they cover."""
    async with ledger.database.read(key.book) as tx:
        found = await checkpoints_after(tx, key.book, after, limit=limit)
    shown = [CheckpointOut(**checkpoint_shown(each)) for each in found]
    return CheckpointsOut(checkpoints=shown, next_after=shown[-1].number if shown else after)


@router.get("/keys")
async def get_checkpoint_keys(ledger: LedgerDep, key: Reader) -> PublicKeysOut:
    """The public keys, oldest first; none before the first checkpoint. Note them where nobody else writes."""
    async with ledger.database.read(key.book) as tx:
        kept = await signing_keys_of(tx, key.book)
    keys = [PublicKeyOut(x=key_text(each.public_key), created_at=wire_time(each.created_at)) for each in kept]
    return PublicKeysOut(keys=keys)
