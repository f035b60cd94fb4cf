"""What a message says, as JSON. `api/wire_message.py` describes these bodies; a test holds the two together."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.entry import Entry
from app.domain.immutable import immutable
from app.domain.instant import Instant, wire_time
from app.domain.message import MessageType
from app.domain.share import Share
from app.domain.shown import Shown, entry_shown, place_shown, share_shown, shown
from app.domain.standing import Place
from app.domain.tariff import KindRule

CAUSING_ENTRIES_MAX = 10


@immutable
class Side:
    """An account just before or just after a cause: `balance` and `felt` in points."""

    place: Place
    balance: int
    felt: float


@immutable
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
