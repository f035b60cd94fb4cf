"""An example of each type of message: an invented day of an invented customer, told by the code that tells any."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.domain.checkpoint import Checkpoint, checkpoint_shown
from app.domain.entry import Entry
from app.domain.instant import DAY, HOUR, Instant, wire_time
from app.domain.message import GRAVITY, MessageType
from app.domain.message_body import News, Side, account_body, message_bytes
from app.domain.policy import Memory
from app.domain.share import Share, heavy
from app.domain.standing import Depth, Place, Standing
from app.domain.tariff import Basis, Group, KindRule, Label

_NOON: Instant = 1_777_809_600_000_000  # 2026-05-03T12:00Z
_SUBSCRIPTION = "01980000-0000-7000-8000-00000000000a"
_STEADY, _DELIGHTED = Place(standing=Standing.STEADY), Place(standing=Standing.DELIGHTED)
_READY = Place(standing=Standing.ABOUT_TO_BE_DELIGHTED)
_SLIGHT = Place(standing=Standing.OVERDRAWN, depth=Depth.SLIGHT)
_MARKED = Place(standing=Standing.OVERDRAWN, depth=Depth.MARKED)

_LABELS = {
    "delivery.late": Label(en="Got the delivery late", fr="A reçu sa livraison en retard"),
    "moment.unexpected_gift": Label(en="Got an unexpected gift", fr="A reçu un cadeau inattendu"),
}
_RULES = {
    kind: KindRule(name=kind, label=label, points=0, group=Group.NEUTRAL, basis=Basis.PROPOSAL)
    for kind, label in _LABELS.items()
}


def _entry(kind: str, points: int, memory: Memory, *, balance: int) -> Entry:
    return Entry(
        entry_id=UUID("01980000-0000-7000-8000-000000000001"),
        kind=kind,
        points=points,
        value_at=_NOON - HOUR,
        memory=memory,
        source="shop",
        external_id="o-17/late",
        tariff_version=1,
        api_key_id="k1",
        reverses=None,
        context='{"cause":"carrier-strike","channel":"email"}',
        sealed=b"",
        content_hash=b"",
        position=4711,
        account_id=UUID(int=0),
        sequence=12,
        balance_after=balance,
        booked_at=_NOON,
        hash=bytes(range(32)),
    )


_LATE = _entry("delivery.late", -48, Memory.DEEP, balance=-36)
_DUE = _entry("delivery.late", -12, Memory.PASSING, balance=0)
_GIFT = _entry("moment.unexpected_gift", 45, Memory.LASTING, balance=40)
_MERGED = _entry("account.merged_from", 2, Memory.LASTING, balance=16)
_UNMERGED = _entry("account.merged_from", -2, Memory.LASTING, balance=14)


def _told(
    types: Sequence[MessageType], before: Place, after: Place, felt: tuple[float, float], entry: Entry | None
) -> bytes:
    balance = entry.balance_after if entry else -8
    news = News(
        types=types,
        at=_NOON,
        customer="ada@example.com",
        sequence=12,
        before=Side(place=before, balance=balance - (entry.points if entry else 0), felt=felt[0]),
        after=Side(place=after, balance=balance, felt=felt[1]),
        entries=[entry] if entry else [],
        because=[Share(entry=heavy(entry or _DUE), felt=felt[1] - felt[0])],
        segment="vip",
    )
    return account_body(news, _RULES)


_DEEP_TYPES = (MessageType.DEBIT_DEEP, MessageType.ACCOUNT_OVERDRAWN, MessageType.BALANCE_DROPPED)
_ACCOUNT_BODIES = {
    MessageType.DEBIT_DEEP: _told(_DEEP_TYPES, _STEADY, _MARKED, (11.5, -36.46), _LATE),
    MessageType.ACCOUNT_OVERDRAWN: _told(_DEEP_TYPES[1:2], _SLIGHT, _MARKED, (-8.0, -19.99), _DUE),
    MessageType.PROMISE_BROKEN: _told([MessageType.PROMISE_BROKEN], _STEADY, _STEADY, (14.0, 2.01), _DUE),
    MessageType.BALANCE_DROPPED: _told(_DEEP_TYPES[2:], _STEADY, _STEADY, (44.0, 32.01), _DUE),
    MessageType.ACCOUNT_RECOVERED: _told(
        [MessageType.ACCOUNT_RECOVERED, MessageType.ACCOUNT_DELIGHTED], _MARKED, _DELIGHTED, (-15.5, 29.49), _GIFT
    ),
    MessageType.ACCOUNT_DELIGHTED: _told([MessageType.ACCOUNT_DELIGHTED], _STEADY, _DELIGHTED, (2.0, 46.99), _GIFT),
    MessageType.ACCOUNT_ABOUT_TO_BE_DELIGHTED: _told(
        [MessageType.ACCOUNT_ABOUT_TO_BE_DELIGHTED], _STEADY, _READY, (12.4, 12.4), None
    ),
    MessageType.ACCOUNT_STANDING_CHANGED: _told(
        [MessageType.ACCOUNT_STANDING_CHANGED], _DELIGHTED, _STEADY, (14.99, 14.99), None
    ),
    MessageType.ACCOUNT_MERGED: _told([MessageType.ACCOUNT_MERGED], _STEADY, _STEADY, (12.4, 14.4), _MERGED),
    MessageType.ACCOUNT_UNMERGED: _told([MessageType.ACCOUNT_UNMERGED], _STEADY, _STEADY, (14.4, 12.4), _UNMERGED),
}
_LATE_BODY = json.loads(_ACCOUNT_BODIES[MessageType.DEBIT_DEEP])
_WORST = {
    "message": "msg_01980000000070008000000000000001",
    **{name: _LATE_BODY[name] for name in ("type", "types", "timestamp")},
    **{name: _LATE_BODY["data"][name] for name in ("customer", "position", "to", "felt", "balance")},
}
_CHECKPOINT = Checkpoint(
    book="main",
    number=7,
    since=4_000,
    previous=bytes(range(1, 33)),
    position=4_711,
    hash=_LATE.hash,
    root=bytes(range(2, 34)),
    policy_version=2,
    policy_hash=bytes(range(3, 35)),
    signed_at=_NOON,
    public_key=bytes(range(4, 36)),
    signature=bytes(range(64)),
)
_BOOK_DATA: Mapping[MessageType, Mapping[str, Any]] = {
    MessageType.POLICY_ADOPTED: {"version": 2, "api_key": "k1"},
    MessageType.IMPORT_FINISHED: {
        "source": "crm",
        "announced": False,
        "rows": {"read": 1000, "created": 981, "replayed": 0, "conflict": 0, "refused": 7, "skipped": 12},
    },
    MessageType.CHECKPOINT_SIGNED: checkpoint_shown(_CHECKPOINT),
    MessageType.SUBSCRIPTION_DISABLED: {
        "subscription": _SUBSCRIPTION,
        "description": "the night shift",
        "reason": "failing",
        "failing_since": wire_time(_NOON - 5 * DAY),
    },
    MessageType.CAUSE_SUMMARY: {
        "cause": "carrier-strike",
        "since": wire_time(_NOON),
        "count": 348,
        "worst": [_WORST],
        "look": "/v1/messages?cause=carrier-strike",
    },
    MessageType.TEST: {"subscription": _SUBSCRIPTION},
}
_BODIES: Mapping[MessageType, bytes] = {
    **_ACCOUNT_BODIES,
    **{each: message_bytes([each], _NOON, data) for each, data in _BOOK_DATA.items()},
}

EXAMPLES: Mapping[MessageType, dict[str, Any]] = {each: json.loads(_BODIES[each]) for each in GRAVITY}
