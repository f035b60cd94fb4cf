"""Write the messages that a write's causes are worth, within its transaction: none is lost, and none written twice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.announcing import (
    LATELY,
    LATELY_ENTRIES_MAX,
    Group,
    Told,
    causing,
    counting,
    crossing_types,
    group_types,
    is_announceable,
    may_have_dropped,
)
from app.domain.entry import Entry, Head
from app.domain.memory import felt_at
from app.domain.message import ACCOUNT_TYPES, Message, MessageType
from app.domain.message_body import News, Side, account_body
from app.domain.policy import Policy
from app.domain.share import Share, because
from app.operations.causes import Cause
from app.operations.hand_over import hand_over
from app.operations.ledger import Ledger, policy_in_force, tariff_in_force
from app.operations.weigh import heaviest_in_each
from app.queries.accounts import keys_of, names_of
from app.queries.told import finding_last_lines, finding_told, lines_of, told_of
from app.sealing.keys import Key
from app.sql import run


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worth:
    """A cause that is worth a message of these types, about these entries."""

    cause: Cause
    types: tuple[MessageType, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquainted:
    """What a write knows already of the accounts that it touches: keys, and customers' names."""

    keys: Mapping[UUID, Key] = field(default_factory=dict[UUID, Key])
    names: Mapping[UUID, str] = field(default_factory=dict[UUID, str])


STRANGERS = Acquainted()


async def announce(
    ledger: Ledger, tx: AsyncConnection, head: Head, causes: Sequence[Cause], *, known: Acquainted = STRANGERS
) -> Head:
    """Write what the causes are worth telling, in the order of their instants; the head with the last number.

    Asks the database nothing if nothing can be told. Marks the crossings that are told of in the causes, which is to
    be known before they are recorded. Requires the locked head, and accounts, keys and entries to be written.
    """
    policy = await policy_in_force(ledger, tx, head.book, head.policy_version)
    likely = [cause for cause in causes if _may_be_worth_telling(cause, policy)]
    if not likely:
        return head
    posted = sum(len(cause.entries) for cause in causes)
    worth = await _worth_telling(tx, head, sorted(likely, key=lambda cause: cause.at), policy, posted=posted)
    if not worth:
        return head
    account_ids = {each.cause.account_id for each in worth}
    keys = {**known.keys, **await keys_of(tx, head.book, account_ids - known.keys.keys(), ledger.master_key)}
    strangers = {account_id: keys[account_id] for account_id in account_ids - known.names.keys()}
    names = {**known.names, **await names_of(tx, head.book, strangers)}
    messages = await _messages(ledger, tx, head, worth, policy, names)
    await hand_over(ledger, tx, head.book, messages, keys=keys)
    return replace(head, messages=messages[-1].number)


def may_be_told(causes: Iterable[Cause], policy: Policy) -> bool:
    """Whether any of the causes may be worth a message; if not, `announce` writes and asks nothing."""
    return any(_may_be_worth_telling(cause, policy) for cause in causes)


def _may_be_worth_telling(cause: Cause, policy: Policy) -> bool:
    if not cause.crossings and all(entry.points >= 0 and not entry.carried for entry in cause.entries):
        return False
    if cause.entries and not any(is_announceable(entry, policy) for entry in cause.entries):
        return False
    return bool(_types(cause, (), (), policy)) or _needs_last_lines(cause, policy)


def _needs_last_lines(cause: Cause, policy: Policy) -> bool:
    before = cause.before
    is_recent = before.sequence > 0 and before.last_entry_at >= cause.at - LATELY
    return bool(is_recent and cause.entries) and may_have_dropped(cause.entries, before.masses, policy)


async def _worth_telling(
    tx: AsyncConnection, head: Head, likely: Sequence[Cause], policy: Policy, *, posted: int
) -> list[_Worth]:
    """Cause after cause, since what is told of the one may silence the next. Requires them in order.

    `posted` lines were written just now, whether or not they can be told of.
    """
    begun = likely[0].at
    asked = {cause.account_id for cause in likely if _needs_last_lines(cause, policy)}
    moved = {cause.account_id for cause in likely if cause.crossings}
    last_lines, last_told = await run(
        tx,
        finding_last_lines(head, asked, since=begun - LATELY, limit=LATELY_ENTRIES_MAX + posted),
        finding_told(head, moved, since=begun - policy.quiet_for),
    )
    lines, told = lines_of(last_lines), told_of(last_told)

    found: list[_Worth] = []
    for cause in likely:
        own = told.setdefault(cause.account_id, [])
        types = _types(cause, lines.get(cause.account_id, ()), own, policy)
        if not types:
            continue
        own.append(Told(at=cause.at, types=types, depth=cause.after.place.depth))
        entries = causing(_group(cause, ()), policy) if cause.entries else ()
        found.append(_Worth(cause=cause, types=types, entries=entries))
        if not ACCOUNT_TYPES.isdisjoint(types):
            cause.announced |= _counting(cause, policy)
    return found


def _types(cause: Cause, lines: Sequence[Entry], told: Sequence[Told], policy: Policy) -> tuple[MessageType, ...]:
    if cause.entries:
        return group_types(_group(cause, lines), told, policy)
    ((_, crossing),) = cause.crossings
    return crossing_types(crossing, cause.recorded_at, told, policy)


def _group(cause: Cause, lines: Sequence[Entry]) -> Group:
    first = cause.entries[0].sequence
    return Group(
        entries=cause.entries,
        lately=[line for line in lines if first - LATELY_ENTRIES_MAX <= line.sequence < first],
        crossings=[crossing for _, crossing in cause.crossings],
        after=cause.after.place,
    )


def _counting(cause: Cause, policy: Policy) -> set[int]:
    """The ordinals of those crossings that a message may tell of."""
    counted = counting(_group(cause, ()), policy) if cause.entries else [crossing for _, crossing in cause.crossings]
    return {ordinal for ordinal, crossing in cause.crossings if crossing in counted}


async def _messages(
    ledger: Ledger,
    tx: AsyncConnection,
    head: Head,
    worth: Sequence[_Worth],
    policy: Policy,
    names: Mapping[UUID, str],
) -> list[Message]:
    weighing = await _weighing(tx, head.book, worth, policy)
    rules = (await tariff_in_force(ledger, tx, head.book, head.tariff_version)).kinds
    created_at = ledger.now()
    messages: list[Message] = []
    for number, each in enumerate(worth, start=head.messages + 1):
        news = _news(each, names[each.cause.account_id], weighing[number - head.messages - 1], policy)
        after = each.cause.after
        messages.append(
            Message(
                number=number,
                message_id=ledger.new_line_id(),
                type=news.types[0],
                types=each.types,
                at=news.at,
                created_at=created_at,
                account_id=after.account_id,
                position=news.position,
                cause=news.cause,
                segment=news.segment,
                magnitude=news.magnitude,
                to_standing=after.place.standing,
                to_depth=after.place.depth,
                body=account_body(news, rules),
            )
        )
    return messages


async def _weighing(tx: AsyncConnection, book: str, worth: Sequence[_Worth], policy: Policy) -> list[list[Share]]:
    """What weighed most just after each cause."""
    heaviest = await heaviest_in_each(tx, book, [each.cause.after for each in worth], policy.half_lives)
    return [because(known, policy.half_lives, each.cause.at) for each, known in zip(worth, heaviest, strict=True)]


def _news(worth: _Worth, customer: str, weighing: Sequence[Share], policy: Policy) -> News:
    cause = worth.cause
    before, after = (
        Side(
            place=account.place,
            balance=account.balance,
            felt=felt_at(account.masses, policy.half_lives, cause.at).balance,
        )
        for account in (cause.before, cause.after)
    )
    return News(
        types=worth.types,
        at=cause.at,
        customer=customer,
        sequence=cause.after.sequence,
        before=before,
        after=after,
        entries=worth.entries,
        because=weighing,
        segment=cause.after.segment,
    )
