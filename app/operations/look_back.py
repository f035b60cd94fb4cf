"""Look back: what was true at one instant, as far as it was known at another."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from app.domain.account import Account
from app.domain.errors import Fault, InvalidRequest, UnknownCustomer
from app.domain.fold import NOTHING_KNOWN, CustomerChange
from app.domain.hindsight import Hindsight, in_hindsight
from app.domain.instant import Instant
from app.domain.policy import Policy
from app.domain.share import Share, because, heaviest_of
from app.domain.worklist import Filter, Moment, Order, Rank, rank_by, stake
from app.operations.ledger import policy_in_force
from app.operations.read_customer import Reading
from app.queries.books import policy_version_at
from app.queries.customer_changes import known_of_customers
from app.queries.ledger_lines import entries_by_account, lines_of_account
from app.queries.worklist import first_ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An account in hindsight, the three entries that weigh most, and what was known of its customer."""

    hindsight: Hindsight
    because: tuple[Share, ...]
    segment: str | None
    value: float | None


async def look_back(view: Reading, account: Account, *, as_of: Instant | None, known_at: Instant | None) -> Hindsight:
    """The account at value time `as_of` (default: `known_at`) as known at `known_at` (default: now).

    Half-lives and thresholds are those of the policy in force and the segment known at `known_at`. Raises
    InvalidRequest for a `known_at` in the future, UnknownCustomer if nothing was known yet.
    """
    if known_at is not None and known_at > view.now:
        detail = "nobody knows yet what will be known: leave known_at out or name a past instant"
        raise InvalidRequest(faults=(Fault(pointer="/query/known_at", code="time_in_the_future", detail=detail),))
    known = view.now if known_at is None else known_at
    version = await policy_version_at(view.tx, view.book, known)
    policy = await policy_in_force(view.ledger, view.tx, view.book, version)
    lines = await lines_of_account(view.tx, view.book, account.account_id)
    customers = await known_of_customers(view.tx, view.book, at=known, account_ids=[account.account_id])
    seen = in_hindsight(
        (line.entry for line in lines),
        policy,
        customers.get(account.account_id, NOTHING_KNOWN).segment,
        as_of=known if as_of is None else as_of,
        known_at=known,
    )
    if seen is None:
        raise UnknownCustomer
    return seen


async def worklist_as_of(
    view: Reading, *, moment: Moment, wanted: Filter, order: Order, after: Rank | None, limit: int
) -> list[tuple[Rank, Seen]]:
    """The worklist in hindsight: every account from its entries, as all was known when the list was begun."""
    return await first_ranked(_ranked(view, moment, wanted, order, after), limit)


async def _ranked(
    view: Reading, moment: Moment, wanted: Filter, order: Order, after: Rank | None
) -> AsyncGenerator[tuple[Rank, Seen]]:
    policy = await policy_in_force(view.ledger, view.tx, view.book, moment.policy_version)
    customers = await known_of_customers(view.tx, view.book, at=moment.booked_at)
    async for entries in entries_by_account(view.tx, view.book, up_to=moment.position, is_remembered=True):
        known = customers.get(entries[0].account_id, NOTHING_KNOWN)
        seen = in_hindsight(entries, policy, known.segment, as_of=moment.at, known_at=moment.booked_at)
        if seen is None or not wanted.wants(seen.place, known.segment):
            continue
        own = rank_by(_sort_key(seen, known, order), seen.account_id, order)
        if after is None or own > after:
            yield own, _seen(seen, known, policy)


def _seen(hindsight: Hindsight, known: CustomerChange, policy: Policy) -> Seen:
    """What a page shows of an account; its entries are let go, for a page ranks every account of the book."""
    heaviest = because(heaviest_of(hindsight.kept, policy.half_lives), policy.half_lives, hindsight.at)
    return Seen(
        hindsight=replace(hindsight, kept=()), because=tuple(heaviest), segment=known.segment, value=known.value
    )


def _sort_key(seen: Hindsight, known: CustomerChange, order: Order) -> float:
    felt = seen.felt.balance
    match order:
        case Order.BALANCE:
            return seen.balance
        case Order.LAST_ENTRY_AT:
            return -seen.last_entry_at
        case Order.STAKE:
            return -stake(felt, known.value)
        case _:
            return felt
