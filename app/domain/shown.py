"""Domain values as JSON shows them outside: in the very members and formats that the API's answers have."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from app.domain.account import Account
from app.domain.crossing import next_crossing_at
from app.domain.entry import Entry
from app.domain.instant import Instant, wire_time
from app.domain.interaction import CONTEXT_FIELDS
from app.domain.policy import Policy
from app.domain.share import Share
from app.domain.standing import Place, direction_of
from app.domain.tariff import KindRule
from app.domain.worklist import felt_balance

Shown = dict[str, Any]


def shown(points: float) -> float:
    """Two decimals, as what is felt is shown; -0 is 0."""
    return round(points, 2) + 0.0


def hyphened(hexadecimal: str) -> str:
    """A UUID's 32 digits as they are usually written."""
    return "-".join([hexadecimal[begin:end] for begin, end in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))])


def place_shown(place: Place) -> Shown:
    """A standing, and how deep it is if it is overdrawn."""
    return {"standing": place.standing.value, "depth": place.depth.value if place.depth else None}


def balance_shown(balance: int, felt: float, place: Place) -> Shown:
    """An account in four words."""
    return {"balance": balance, "felt": shown(felt), **place_shown(place)}


def entry_shown(entry: Entry, customer: str | None, reversed_by: UUID | None) -> Shown:
    """One line of the ledger, as the feed shows it."""
    context: Shown = from_json(entry.context)
    return {
        "id": str(entry.entry_id),
        "position": entry.position,
        "customer": customer,
        "sequence": entry.sequence,
        "interaction": {"source": entry.source, "id": entry.external_id},
        "kind": entry.kind,
        "direction": direction_of(entry.points).value,
        "magnitude": abs(entry.points),
        "points": entry.points,
        "balance_after": entry.balance_after,
        "value_at": wire_time(entry.value_at),
        "booked_at": wire_time(entry.booked_at),
        "memory": entry.memory.value,
        "tariff_version": entry.tariff_version,
        **dict(zip(CONTEXT_FIELDS, map(context.get, CONTEXT_FIELDS), strict=True)),
        "api_key": entry.api_key_id,
        "reverses": str(entry.reverses) if entry.reverses else None,
        "reversed_by": str(reversed_by) if reversed_by else None,
        "hash": entry.hash.hex(),
    }


def account_shown(
    account: Account,
    customer: str,
    policy: Policy,
    t: Instant,
    because: Sequence[Shown],
    *,
    merged_into: str | None = None,
) -> Shown:
    """An account at `t`, with what it rests on. Requires an account advanced to `t`.

    `merged_into` is whose it is, if the customer was merged.
    """
    crossing = next_crossing_at(account, policy, after=t)
    return {
        "customer": customer,
        "merged_into": merged_into,
        "balance": account.balance,
        "felt": shown(felt_balance(account, policy, t)),
        "standing": account.place.standing.value,
        "standing_since": wire_time(account.standing_since),
        "depth": account.place.depth.value if account.place.depth else None,
        "next_crossing_at": None if crossing is None else wire_time(crossing),
        "sequence": account.sequence,
        "position": account.position,
        "segment": account.segment,
        "value": account.value,
        "last_entry_at": wire_time(account.last_entry_at),
        "because": because,
        **_NOT_INCLUDED,
    }


_NOT_INCLUDED = dict.fromkeys(("recent", "explanation", "gestures", "promises"))
"""What an answer holds of an account only where it was asked for."""


def share_shown(share: Share, rule: KindRule | None) -> Shown:
    """One of the entries that weigh most, in the words of the tariff's line of its kind."""
    return {
        "entry": hyphened(share.entry.entry_id),
        "kind": share.entry.kind,
        "label": {"en": rule.label.en, "fr": rule.label.fr} if rule else None,
        "points": share.entry.points,
        "felt": shown(share.felt),
        "value_at": wire_time(share.entry.value_at),
    }
