"""The policy on the wire. A whole policy travels as the JSON document that was adopted."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from app.api.wire import PlaceOut, WireOut
from app.api.wire_in import WireIn
from app.domain.adoption import Adoption
from app.domain.instant import moment_of
from app.operations.preview_policy import Preview

SEED_MAX = 2**31 - 1


class PolicyVersionOut(WireOut):
    """Which version of the policy is in force now."""

    version: int


class AdoptionOut(WireOut):
    """A policy on its way into force as `version`; of `accounts`, `prepared` are ready for it."""

    version: int
    started_at: datetime
    accounts: int
    prepared: int

    @classmethod
    def of(cls, adoption: Adoption) -> "AdoptionOut":
        """The adoption as the wire shows it."""
        return cls(
            version=adoption.version,
            started_at=moment_of(adoption.started_at),
            accounts=adoption.accounts_total,
            prepared=adoption.accounts_done,
        )


class PreviewIn(WireIn):
    """A policy to try without adopting it; `seed` decides which accounts are drawn where not all are looked at."""

    policy: dict[str, Any]
    seed: Annotated[int, Field(ge=0, le=SEED_MAX, strict=True)] = 0


class MoveOut(WireOut):
    """How many accounts would move from one place to another."""

    before: Annotated[PlaceOut, Field(serialization_alias="from")]
    after: Annotated[PlaceOut, Field(serialization_alias="to")]
    accounts: int


class PreviewOut(WireOut):
    """What would change now: `changed` of the `looked_at` accounts, which are all of them or a sample."""

    accounts: int
    looked_at: int
    is_sample: bool
    changed: int
    moves: list[MoveOut]

    @classmethod
    def of(cls, preview: Preview) -> "PreviewOut":
        """The preview as the wire shows it."""
        return cls(
            accounts=preview.accounts,
            looked_at=preview.looked_at,
            is_sample=preview.is_sample,
            changed=preview.changed,
            moves=[
                MoveOut(before=PlaceOut.of(before), after=PlaceOut.of(after), accounts=count)
                for before, after, count in preview.moves
            ],
        )
