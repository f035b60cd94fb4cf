"""Write the messages that a write's causes are worth, within its transaction: none is lost, and none written twice."""

from collections.abc import Mapping, Sequence, Set
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
from app.domain.immutable import immutable
from app.domain.memory import felt_at
from app.domain.message import ACCOUNT_TYPES, Message, MessageType
from app.domain.message_body import News, Side, account_body
from app.domain.policy import Policy
from app.domain.share import Share, because
from app.domain.subscription import Subscription
from app.operations.causes import Cause
from app.operations.hand_over import handing_over
from app.operations.ledger import Ledger, policy_in_force, tariff_in_force
from app.operations.weigh import heaviest_in_each
from app.queries.accounts import first_names, keys_of, names_of
from app.queries.subscriptions import finding_live, live_of
from app.queries.told import finding_last_lines, finding_told, lines_of, told_of
from app.sealing.keys import Key
from app.sql import Step, run


@immutable
class _Worth:
    """A cause that is worth a message of these types, about these entries."""

    cause: Cause
    types: tuple[MessageType, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What matters to whether anybody is told, and who is: each account's last lines and messages; subscriptions."""

    lines: Mapping[UUID, Sequence[Entry]]
    told: dict[UUID, list[Told]]
    live: Sequence[Subscription]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquainted:
    """What a write knows already of the accounts that it touches: keys, customers' first names, and sealed ones of
    which it does not know whether they are the first."""

    keys: Mapping[UUID, Key] = field(default_factory=dict[UUID, Key])
    names: Mapping[UUID, str] = field(default_factory=dict[UUID, str])
    sealed: Mapping[UUID, bytes] = field(default_factory=dict[UUID, bytes])


STRANGERS = Acquainted()


async def announce(ledger: Ledger, tx: AsyncConnection, head: Head, causes: Sequence[Cause]) -> Head:
    """Write what `announcing` has to write; the head with the last number."""
    head, telling = await announcing(ledger, tx, head, causes)
    await run(tx, *telling)
    return head


async def announcing(
    ledger: Ledger, tx: AsyncConnection, head: Head, causes: Sequence[Cause], *, known: Acquainted = STRANGERS
) -> tuple[Head, list[Step]]:
    """What the causes are worth telling, in the order of their instants: the head with the last number, and the steps
    that write the messages.

    Asks the database nothing if nothing can be told. Marks the crossings that are told of in the causes, which is to
    be known before they are recorded. Requires the locked head and, of accounts that do not know their heaviest
    entries, their lines to be written; of all others it is the same whether they are.
    """
    policy = await policy_in_force(ledger, tx, head.book, head.policy_version)
    likely = [(cause, types) for cause in causes if (types := _types_alone(cause, policy)) is not None]
    if not likely:
        return head, []
    found = await _found(tx, head, [cause for cause, _ in likely], causes, policy)
    worth = _worth_telling(sorted(likely, key=lambda pair: pair[0].at), found, policy)
    if not worth:
        return head, []
    keys, names = await _acquainted(ledger, tx, head.book, {each.cause.account_id for each in worth}, known)
    messages = await _messages(ledger, tx, head, worth, policy, names)
    steps = await handing_over(ledger, tx, head.book, messages, keys=keys, live=found.live)
    return replace(head, messages=messages[-1].number), steps


async def _acquainted(
    ledger: Ledger, tx: AsyncConnection, book: str, account_ids: Set[UUID], known: Acquainted
) -> tuple[Mapping[UUID, Key], Mapping[UUID, str]]:
    """The keys and the customers' first names of these accounts, as far as need be from the database."""
    keys = {**known.keys, **await keys_of(tx, book, account_ids - known.keys.keys(), ledger.master_key)}
    unread = account_ids - known.names.keys()
    sealed = [(own, known.sealed[own]) for own in unread & known.sealed.keys()]
    names = {**known.names, **first_names(book, keys, sealed)}
    return keys, {**names, **await names_of(tx, book, {own: keys[own] for own in unread - names.keys()})}


def _types_alone(cause: Cause, policy: Policy) -> tuple[MessageType, ...] | None:
    """What a cause is worth if there was nothing lately, perhaps nothing; None if it is so whatever there was."""
    if not cause.crossings and all(entry.points >= 0 and not entry.carried for entry in cause.entries):
        return None
    if cause.entries and not any(is_announceable(entry, policy) for entry in cause.entries):
        return None
    types = _types(cause, (), (), policy)
    return types if types or _needs_last_lines(cause, policy) else None


def _needs_last_lines(cause: Cause, policy: Policy) -> bool:
    before = cause.before
    is_recent = before.sequence > 0 and before.last_entry_at >= cause.at - LATELY
    return bool(is_recent and cause.entries) and may_have_dropped(cause.entries, before.masses, policy)


async def _found(
    tx: AsyncConnection, head: Head, likely: Sequence[Cause], causes: Sequence[Cause], policy: Policy
) -> _Found:
    begun = min(cause.at for cause in likely)
    asked = {cause.account_id for cause in likely if _needs_last_lines(cause, policy)}
    moved = {cause.account_id for cause in likely if cause.crossings}
    posted = [entry for cause in causes if cause.account_id in asked for entry in cause.entries]
    last_lines, last_told, live = await run(
        tx,
        finding_last_lines(head, asked, since=begun - LATELY, limit=LATELY_ENTRIES_MAX + len(posted)),
        finding_told(head, moved, since=begun - policy.quiet_for),
        finding_live(head.book),
    )
    return _Found(lines=lines_of(last_lines, posted), told=told_of(last_told), live=live_of(live))


def _worth_telling(
    likely: Sequence[tuple[Cause, tuple[MessageType, ...]]], found: _Found, policy: Policy
) -> list[_Worth]:
    """Cause after cause, since what is told of the one may silence the next. Requires them in order, each with what
    it is worth alone."""
    worth: list[_Worth] = []
    for cause, alone in likely:
        own, lately = found.told.setdefault(cause.account_id, []), found.lines.get(cause.account_id, ())
        types = _types(cause, lately, own, policy) if own or lately else alone
        if not types:
            continue
        own.append(Told(at=cause.at, types=types, depth=cause.after.place.depth))
        entries = causing(_group(cause, ()), policy) if cause.entries else ()
        worth.append(_Worth(cause=cause, types=types, entries=entries))
        if not ACCOUNT_TYPES.isdisjoint(types):
            cause.announced |= _counting(cause, policy)
    return worth


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
