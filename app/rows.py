"""How a row becomes a domain value, and back: the only place where columns meet fields."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from app.domain.account import Account, LastEffective
from app.domain.announcing import Told
from app.domain.crossing import Cause, Crossing
from app.domain.entry import Entry, Head
from app.domain.fold import CustomerChange
from app.domain.memory import Masses, Vector
from app.domain.message import MessageType
from app.domain.policy import MEMORIES, Memory
from app.domain.promise import Lateness, Promise, State
from app.domain.standing import Depth, Direction, Place, Standing
from app.domain.subscription import BodyForm, Subscription, SubscriptionState
from app.domain.written import OnRecord, Written

Row = RowMapping
Named = Mapping[str, Any]

_ENTRY_FIELDS = tuple(Entry.__dataclass_fields__)
_HEAD_FIELDS = tuple(Head.__dataclass_fields__)
_PLAIN_ACCOUNT_FIELDS = (
    "account_id",
    "opened_at",
    "sequence",
    "position",
    "balance",
    "last_entry_at",
    "standing_since",
    "crossings",
    "crossed_at",
    "look_again_at",
    "touched_at",
    "segment",
    "value",
)

_PLAIN_PROMISE_FIELDS = tuple(
    name for name in Promise.__dataclass_fields__ if name not in ("steps", "kept_memory", "state")
)

_PLAIN_SUBSCRIPTION_FIELDS = tuple(
    name for name in Subscription.__dataclass_fields__ if name not in ("message_types", "segments", "body", "state")
)


def head_of(row: Row) -> Head:
    """The head of a book."""
    return Head(**{name: row[name] for name in _HEAD_FIELDS})


def entry_of(row: Row) -> Entry:
    """One line of the ledger."""
    fields: dict[str, Any] = {name: row[name] for name in _ENTRY_FIELDS}
    fields["memory"] = Memory(row["memory"])
    return Entry(**fields)


def entry_row(book: str, entry: Entry) -> dict[str, Any]:
    """The row of an entry."""
    row = {name: getattr(entry, name) for name in _ENTRY_FIELDS}
    return {**row, "book": book, "memory": entry.memory.value}


def grouped(rows: Iterable[Row]) -> dict[UUID, list[Row]]:
    """Rows by their account, each account's in the order given."""
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row["account_id"], []).append(row)
    return found


def account_of(row: Row) -> Account:
    """An account as it is stored."""
    return Account(
        **{name: row[name] for name in _PLAIN_ACCOUNT_FIELDS},
        masses=Masses(
            at=row["masses_at"],
            credits=_vector(row, "credits"),
            debits=_vector(row, "debits"),
            big=_vector(row, "big"),
            fresh=row["fresh"],
        ),
        last=_last_of(row),
        place=place_of_row(row["standing"], row["depth"]),
        heaviest=heaviest_of_column(row["heaviest"], sequence=row["sequence"]),
    )


def account_row(book: str, account: Account) -> dict[str, Any]:
    """The row of an account."""
    last = account.last
    return {
        "book": book,
        **{name: getattr(account, name) for name in _PLAIN_ACCOUNT_FIELDS},
        "masses_at": account.masses.at,
        **_vector_columns("credits", account.masses.credits),
        **_vector_columns("debits", account.masses.debits),
        **_vector_columns("big", account.masses.big),
        "fresh": account.masses.fresh,
        "last_value_at": last.value_at if last else None,
        "last_sequence": last.sequence if last else None,
        "last_direction": last.direction.value if last else None,
        "standing": account.place.standing.value,
        "depth": account.place.depth.value if account.place.depth else None,
        "heaviest": account.heaviest and f"{account.sequence} {account.heaviest}",
    }


def crossing_of(row: Row) -> Crossing:
    """A recorded change of standing or depth."""
    return Crossing(
        at=row["at"],
        cause=Cause(row["cause"]),
        before=place_of_row(row["from_standing"], row["from_depth"]),
        after=place_of_row(row["to_standing"], row["to_depth"]),
        position=row["position"],
    )


def crossing_row(crossing: Crossing) -> dict[str, Any]:
    """The columns of a crossing that say what happened."""
    return {
        "at": crossing.at,
        "cause": crossing.cause.value,
        "from_standing": crossing.before.standing.value,
        "from_depth": crossing.before.depth.value if crossing.before.depth else None,
        "to_standing": crossing.after.standing.value,
        "to_depth": crossing.after.depth.value if crossing.after.depth else None,
        "position": crossing.position,
    }


def on_record(row: Row) -> OnRecord:
    """A crossing, and what is kept beside it."""
    return OnRecord(crossing=crossing_of(row), recorded_at=row["recorded_at"], announced=row["announced"])


def told_of_row(row: Row) -> Told:
    """A message, as far as quiet goes."""
    return Told(at=row["at"], types=_types(row), depth=_depth(row))


def written_of(row: Row) -> Written:
    """A message as it is kept, without what it says."""
    standing = row["to_standing"]
    return Written(
        at=row["at"],
        types=_types(row),
        depth=_depth(row),
        number=row["number"],
        type=MessageType(row["type"]),
        standing=None if standing is None else Standing(standing),
        position=row["position"],
    )


def customer_change_of(row: Row) -> CustomerChange:
    """What is known of a customer from an instant on."""
    return CustomerChange(changed_at=row["changed_at"], segment=row["segment"], value=row["value"])


def promise_of(row: Row) -> Promise:
    """A promise as it is stored."""
    return Promise(
        **{name: row[name] for name in _PLAIN_PROMISE_FIELDS},
        steps=tuple(
            Lateness(after=after, total=total, memory=Memory(memory))
            for after, total, memory in json.loads(row["steps"])
        ),
        kept_memory=Memory(row["kept_memory"]),
        state=State(row["state"]),
    )


def promise_row(book: str, promise: Promise) -> dict[str, Any]:
    """The row of a promise; `next_step_at` is derived, for the index."""
    return {
        "book": book,
        **{name: getattr(promise, name) for name in _PLAIN_PROMISE_FIELDS},
        "steps": json.dumps([[step.after, step.total, step.memory.value] for step in promise.steps]),
        "kept_memory": promise.kept_memory.value,
        "state": promise.state.value,
        "next_step_at": promise.next_step_at,
    }


def subscription_of(row: Row | Named) -> Subscription:
    """A subscription as it is stored."""
    segments = row["segments"]
    return Subscription(
        **{name: row[name] for name in _PLAIN_SUBSCRIPTION_FIELDS},
        message_types=tuple(json.loads(row["message_types"])),
        segments=None if segments is None else tuple(json.loads(segments)),
        body=BodyForm(row["body"]),
        state=SubscriptionState(row["state"]),
    )


def subscription_row(book: str, subscription: Subscription) -> dict[str, Any]:
    """The row of a subscription."""
    segments = subscription.segments
    return {
        **{name: getattr(subscription, name) for name in Subscription.__dataclass_fields__},
        "book": book,
        "message_types": json.dumps(subscription.message_types),
        "segments": None if segments is None else json.dumps(segments),
    }


def place_of_row(standing: str, depth: str | None) -> Place:
    """A standing and its depth from their columns."""
    return Place(standing=Standing(standing), depth=Depth(depth) if depth else None)


def _types(row: Row) -> tuple[MessageType, ...]:
    return tuple(MessageType(each) for each in json.loads(row["types"]))


def _depth(row: Row) -> Depth | None:
    return Depth(row["to_depth"]) if row["to_depth"] else None


def _last_of(row: Row) -> LastEffective | None:
    if row["last_sequence"] is None:
        return None
    return LastEffective(
        value_at=row["last_value_at"], sequence=row["last_sequence"], direction=Direction(row["last_direction"])
    )


def heaviest_of_column(kept: str | None, *, sequence: int) -> str | None:
    """Unknown, too, if another sequence stands before it: an older release, beside this one, went on without it."""
    of, _, heaviest = (kept or "").partition(" ")
    return heaviest if of == str(sequence) else None


def _vector(row: Row, mass: str) -> Vector:
    a, b, c, d = (row[f"{mass}_{memory.value}"] for memory in MEMORIES)
    return (a, b, c, d)


def _vector_columns(mass: str, vector: Vector) -> dict[str, float]:
    return {f"{mass}_{memory.value}": number for memory, number in zip(MEMORIES, vector, strict=True)}
