"""A book that no clock looked at for long, the same book undisturbed, and what both must have come to."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from app.domain.crossing import Cause, Crossing, advance
from app.domain.entry import Entry
from app.domain.fold import fold
from app.domain.instant import DAY, Instant
from app.domain.policy import Policy
from app.domain.promise_request import MakePromise
from app.main import clock
from app.operations.post_due_steps import post_due_steps
from app.operations.tick import advance_due
from app.operations.verify import verify
from app.queries.audit import crossing_rows
from app.queries.due import next_due_by_book
from app.queries.ledger_lines import entries_by_account
from app.rows import crossing_of
from app.tables import accounts, promises
from tests.accounts import all_accounts
from tests.conftest import Bench
from tests.operations.brute_force import lives, stands_as_recorded
from tests.operations.posting import interaction, new_book, post
from tests.operations.promising import making

OUTAGE_DAYS = 400  # the book stood still for so long: nearly everyone crossed
KINDS = ("product.failed", "moment.unexpected_gift", "apology.first", "data.breach")
PROMISED_DAYS = (1.5, 90.0)
"""When the promises of every fifth customer are due, each of three steps."""
LOOKED_AT = 12
"""So many accounts with a promise are followed day by day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """How many accounts wait in `bench.book`; and a book of the same past whose clock never stood still."""

    count: int
    begun_at: Instant
    undisturbed: str


async def fall_behind(bench: Bench, count: int, *, with_promises: bool = True) -> Outage:
    """Accounts of long ago, and promises to some, by the clock of the machine, in two books; one lived through it."""
    begun_at = bench.clock.now = clock() - OUTAGE_DAYS * DAY
    outage = Outage(count=count, begun_at=begun_at, undisturbed=await new_book(bench))
    for book in (bench.book, outage.undisturbed):
        bench.clock.now = begun_at
        posts = [interaction(n, KINDS[n % len(KINDS)], f"customer-{n}") for n in range(count)]
        await post(bench, *posts, book=book)
        await post(bench, *[promised(n, begun_at) for n in range(0, count * with_promises, 5)], book=book)
    await run_late(bench, outage.undisturbed, begun_at, by=0)
    return outage


async def run_late(bench: Bench, book: str, begun_at: Instant, *, by: Instant) -> None:
    """Live on to the present with a clock that acts so much too late."""
    bench.clock.now = begun_at
    while (due_at := await next_due_at(bench, book)) <= clock():
        bench.clock.now = max(bench.clock.now, min(due_at + by, clock()))
        await post_due_steps(bench.ledger, book)
        await advance_due(bench.ledger, book)
    bench.clock.now = clock()


def promised(n: int, at: Instant) -> MakePromise:
    due_at = at + int(PROMISED_DAYS[n % len(PROMISED_DAYS)] * DAY)
    return making(f"p{n}", customer=f"customer-{n}", due_at=due_at)


async def next_due_at(bench: Bench, book: str) -> Instant:
    async with bench.ledger.database.oversee() as tx:
        return (await next_due_by_book(tx))[book]


async def count_due(bench: Bench) -> int:
    """How many accounts and promises of the book wait, by the clock of the machine."""
    looks = select(func.count()).where(accounts.c.book == bench.book, accounts.c.look_again_at <= clock())
    steps = select(func.count()).where(promises.c.book == bench.book, promises.c.next_step_at <= clock())
    async with bench.ledger.database.read(bench.book) as tx:
        return sum([int((await tx.execute(query)).scalar_one()) for query in (looks, steps)])


async def is_as_if_undisturbed(bench: Bench, outage: Outage) -> None:
    """The same steps at their own times; the same crossings where none was due; else those of the entries as booked."""
    mine, undisturbed = await told(bench, bench.book), await told(bench, outage.undisturbed)
    assert missed(mine) == missed(undisturbed)
    assert len(missed(mine)) == 3 * len(range(0, outage.count, 5))
    alone = {name for name, own in mine.items() if len(own.entries) == 1}
    assert len(alone) > outage.count / 2
    assert {name: mine[name].crossings for name in alone} == {name: undisturbed[name].crossings for name in alone}
    await records_what_the_fold_gives(bench, mine)
    await records_what_brute_force_gives(bench, outage, mine)
    assert (await verify(bench.ledger, bench.book)).findings == ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What stands on record of an account."""

    account_id: UUID
    entries: list[Entry]
    crossings: list[Crossing]


async def told(bench: Bench, book: str) -> dict[str, Told]:
    """Every account by the id of its first interaction, which is the same in both books."""
    async with bench.ledger.database.read(book) as tx:
        rows = await crossing_rows(tx, book, list(await all_accounts(tx, book)))
        return {
            own[0].external_id or "": Told(
                account_id=own[0].account_id,
                entries=own,
                crossings=[crossing_of(row) for row in rows.get(own[0].account_id, [])],
            )
            async for own in entries_by_account(tx, book)
        }


def missed(every: dict[str, Told]) -> Counter[object]:
    """What the clocks posted."""
    posted = [entry for own in every.values() for entry in own.entries if entry.source == "goodwill"]
    return Counter((entry.source, entry.external_id, entry.value_at, entry.points) for entry in posted)


async def records_what_the_fold_gives(bench: Bench, every: dict[str, Told]) -> None:
    """Every account's crossings, to the microsecond."""
    now, policy, times = clock(), Policy(), 0
    for own in every.values():
        folded = fold(own.account_id, own.entries, (), policy)
        expected = [*folded.crossings, *advance(folded.account, policy, now)[1]]
        assert own.crossings == expected
        times += sum(crossing.cause is Cause.TIME for crossing in expected)
    assert times > len(every) / 2


async def records_what_brute_force_gives(bench: Bench, outage: Outage, every: dict[str, Told]) -> None:
    """Of some of those with a promise: day by day, and at each crossing and just before it."""
    followed = [own.account_id for own in every.values() if len(own.entries) > 1][:LOOKED_AT]
    for life in await lives(bench, bench.book, followed):
        begun = life.entries[0].booked_at
        days = range(begun, clock(), DAY)
        stands_as_recorded(life, [*days, *(t for at, _ in life.places for t in (at - 1, at) if t >= begun)])
