"""A policy on its way into force, while the book goes on under the one before."""

from dataclasses import dataclass
from uuid import UUID

from app.domain.instant import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """A policy on its way: `document` as it was sent; its accounts are prepared in `generation`, a number of its own.

    Those up to `after_account_id` were prepared once. If that was all, only those last touched at `touched_from` or
    later may have changed since. None was prepared for an instant after `prepared_at`.
    """

    book: str
    generation: int
    version: int
    document: str
    api_key_id: str
    started_at: Instant
    accounts_total: int
    accounts_done: int
    after_account_id: UUID | None
    touched_from: Instant
    prepared_at: Instant
