"""What a message says, as JSON. `api/wire_message.py` describes these bodies; a test holds the two together."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.entry import Entry
from app.domain.instant import Instant, wire_time
from app.domain.message import MessageType
from app.domain.share import Share
from app.domain.shown import Shown, entry_shown, place_shown, share_shown, shown
from app.domain.standing import Place
from app.domain.tariff import KindRule

CAUSING_ENTRIES_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """An account just before or just after a cause: `balance` and `felt` in points."""

    place: Place
    balance: int
    felt: float


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What there is to tell of one account. `entries` are the causing ones in order, none if time or a segment did it;
    `sequence` is that of the account's last entry then. `cause` is what the causing entries' context names as theirs.
    """

    types: Sequence[MessageType]
    at: Instant
    customer: str
    sequence: int
    before: Side
    after: Side
    entries: Sequence[Entry]
    because: Sequence[Share]
    segment: str | None

    @property
    def position(self) -> int | None:
        """That of the last causing entry."""
        return self.entries[-1].position if self.entries else None

    @property
    def magnitude(self) -> int:
        """That of the largest causing entry, 0 without one."""
        return max((abs(entry.points) for entry in self.entries), default=0)

    @property
    def cause(self) -> str | None:
        """What the last causing entry that names one says it comes of, as its reporter knows it."""
        named = (json.loads(entry.context).get("cause") for entry in reversed(self.entries) if "cause" in entry.context)
        return next((cause for cause in named if cause is not None), None)


def account_body(news: News, rules: Mapping[str, KindRule]) -> bytes:
    """A message about one customer, in the words of the tariff in force."""
    before, after = news.before, news.after
    data = {
        "customer": news.customer,
        "sequence": news.sequence,
        "position": news.position,
        "from": place_shown(before.place),
        "to": place_shown(after.place),
        "balance": {"before": before.balance, "after": after.balance},
        "felt": {"before": shown(before.felt), "after": shown(after.felt)},
        "entries": _causing(news),
        "because": [share_shown(share, rules.get(share.entry.kind)) for share in news.because],
        "segment": news.segment,
        "cause": news.cause,
    }
    return message_bytes(news.types, news.at, data)


def adopted_body(at: Instant, *, version: int, api_key_id: str) -> bytes:
    """`policy.adopted`: a policy is in force since `at`."""
    return message_bytes([MessageType.POLICY_ADOPTED], at, {"version": version, "api_key": api_key_id})


def imported_body(at: Instant, *, source: str | None, announced: bool, counts: Mapping[str, int]) -> bytes:
    """`import.finished`: `counts` of rows by what became of them; `announced` whether their messages were written."""
    data = {"source": source, "announced": announced, "rows": dict(counts)}
    return message_bytes([MessageType.IMPORT_FINISHED], at, data)


def disabled_body(
    at: Instant, *, subscription: str, description: str, reason: str, failing_since: Instant | None
) -> bytes:
    """`subscription.disabled`: nothing is sent there any more, but held."""
    data = {
        "subscription": subscription,
        "description": description,
        "reason": reason,
        "failing_since": None if failing_since is None else wire_time(failing_since),
    }
    return message_bytes([MessageType.SUBSCRIPTION_DISABLED], at, data)


def summary_body(at: Instant, *, cause: str, since: Instant, count: int, worst: Sequence[Shown]) -> bytes:
    """`cause.summary`: so many messages of one cause since `since`; `worst` are the ten gravest (`worst_shown`)."""
    data = {"cause": cause, "since": wire_time(since), "count": count, "worst": list(worst)}
    return message_bytes([MessageType.CAUSE_SUMMARY], at, data)


def worst_shown(body: bytes, message_id: str) -> Shown:
    """One message of a summary, from its own body."""
    told = json.loads(body)
    data = told["data"]
    kept = {name: data[name] for name in ("customer", "position", "to", "felt", "balance")}
    return {"message": message_id, "type": told["type"], "types": told["types"], "timestamp": told["timestamp"], **kept}


def trial_body(at: Instant, *, subscription: str) -> bytes:
    """`test`: somebody tries whether messages arrive."""
    return message_bytes([MessageType.TEST], at, {"subscription": subscription})


def message_bytes(types: Sequence[MessageType], at: Instant, data: Mapping[str, Any]) -> bytes:
    """The bytes that are sealed, signed and sent, of types gravest first."""
    told = {"type": types[0], "types": list(types), "timestamp": wire_time(at), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _causing(news: News) -> list[Shown]:
    """The heaviest ones if there are too many, in order."""
    reversed_by = {entry.reverses: entry.entry_id for entry in news.entries if entry.reverses}
    heaviest = sorted(news.entries, key=lambda entry: -abs(entry.points))[:CAUSING_ENTRIES_MAX]
    heaviest.sort(key=lambda entry: entry.position)
    return [entry_shown(entry, news.customer, reversed_by.get(entry.entry_id)) for entry in heaviest]
