"""Histories for whole books: one that is told, with something of everything, and random ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from sqlalchemy import Table, insert, select, text, update

from app.domain.instant import DAY
from app.domain.interaction import Interaction, ReversalRequest
from app.domain.policy import Policy, Thresholds
from app.domain.policy_document import policy_document
from app.operations.describe_customer import describe_customer
from app.operations.outcome import Posted
from app.operations.record import record
from app.operations.replay import begin_replay, end_replay
from app.operations.tick import advance_due
from app.tables import accounts, books, crossings, policy_versions
from tests.conftest import Bench

SEGMENTED = Policy(segments={"vip": Thresholds(marked=-5.0, deep=-20.0, glow=40.0), "new": Thresholds(evidence=30.0)})

KINDS = ("moment.unexpected_gift", "apology.first", "product.failed", "data.breach", "contact.neutral", "refund.fast")
CUSTOMERS = ("ada", "bob", "carl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Some interaction, `days_ago` before it is booked (None: without a value_at)."""

    customer: str
    kind: str
    days_ago: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse:
    """Reverse one of the posts before, counted modulo; with another interaction instead if `kind` says so."""

    which: int
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Describe:
    """Set a segment, or only the value."""

    customer: str
    known: tuple[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The clock runs so many batches of at most so many accounts."""

    batches: int = 1
    limit: int = 10


Step = Sequence[Post] | Reverse | Describe | Tick | float
"""A batch of posts, a reversal, a description, the clock, or days that pass."""

_days = st.sampled_from([0.0, 0.5, 7.0, 30.0, 100.0, 400.0]) | st.floats(0.0, 900.0)
posts = st.builds(
    Post, customer=st.sampled_from(CUSTOMERS), kind=st.sampled_from(KINDS), days_ago=st.none() | st.floats(0.0, 500.0)
)
_known = st.tuples(st.just("segment"), st.sampled_from([None, "vip", "new"])) | st.sampled_from(
    [("value", 7.5), ("value", None)]
)
steps: st.SearchStrategy[list[Step]] = st.lists(
    st.lists(posts, min_size=1, max_size=4)
    | st.builds(Reverse, which=st.integers(0, 30), kind=st.none() | st.sampled_from(KINDS))
    | st.builds(Describe, customer=st.sampled_from(CUSTOMERS), known=_known)
    | st.builds(Tick, batches=st.integers(1, 2), limit=st.integers(1, 3))
    | _days,
    min_size=1,
    max_size=16,
)

TOLD: list[Step] = [
    [Post(customer="ada", kind="product.failed"), Post(customer="ada", kind="wait.excessive", days_ago=3)],
    1.0,
    [Post(customer="bob", kind="apology.first"), Post(customer="ada", kind="moment.unexpected_gift")],
    Describe(customer="ada", known=("value", 7.5)),
    9.0,
    [Post(customer="carl", kind="data.breach", days_ago=60), Post(customer="bob", kind="contact.neutral")],
    Reverse(which=4, kind="product.failed"),
    Describe(customer="carl", known=("segment", "vip")),
    300.0,
    [Post(customer="bob", kind="refund.fast"), Post(customer="ada", kind="refund.fast")],
]
"""Positions: ada 1, 2, 4 and 10; bob 3, 6 and 9; carl 5, its reversal 7 and the replacement 8."""


async def tell(
    bench: Bench,
    book: str,
    told: Sequence[Step],
    *,
    replayed: Sequence[Post] = (),
    prefix: str = "",
    is_begun: bool = False,
) -> dict[str, UUID]:
    """Live through the steps in a book, after a replayed prelude; says which account is whose.

    A story that `is_begun` goes on under another `prefix` of its ids.
    """
    if not is_begun:
        await adopt(bench, book, SEGMENTED)
    teller = Teller(bench=bench, book=book, prefix=prefix, posted=[], account_ids={})
    if replayed:
        await begin_replay(bench.ledger, book)
        await teller.post(replayed, replay=True)
        await end_replay(bench.ledger, book)
    for step in told:
        await teller.live(step)
    return teller.account_ids


@dataclass(slots=True, kw_only=True)
class Teller:
    bench: Bench
    book: str
    prefix: str
    posted: list[Posted]
    account_ids: dict[str, UUID]

    async def live(self, step: Step) -> None:
        match step:
            case float() as days:
                self.bench.clock.pass_days(days)
            case Reverse():
                await self.reverse(step)
            case Describe():
                await self.describe(step)
            case Tick():
                await self.tick(step)
            case _:
                await self.post(step)

    async def tick(self, step: Tick) -> None:
        for _ in range(step.batches):
            await advance_due(self.bench.ledger, self.book, limit=step.limit)

    async def post(self, batch: Sequence[Post], *, replay: bool = False) -> None:
        dated = [replace(each, days_ago=each.days_ago or 0.0) for each in batch] if replay else batch
        items = [self.interaction(each, f"{len(self.posted)}-{n}") for n, each in enumerate(dated)]
        await self.record(items, replay=replay)

    async def reverse(self, step: Reverse) -> None:
        if not self.posted:
            return
        target = self.posted[step.which % len(self.posted)]
        name = f"instead-{len(self.posted)}"
        instead = Post(customer=target.customer, kind=step.kind, days_ago=1.0) if step.kind else None
        request = ReversalRequest(
            source="crm",
            entry_id=target.entry.entry_id,
            reason="a mistake",
            replacement=self.interaction(instead, name) if instead else None,
        )
        await self.record([request])

    async def describe(self, step: Describe) -> None:
        if step.customer in self.account_ids:
            known = dict([step.known])
            await describe_customer(self.bench.ledger, self.book, self.account_ids[step.customer], known)

    async def record(self, batch: Sequence[Interaction | ReversalRequest], *, replay: bool = False) -> None:
        bench = self.bench
        for outcome in await record(bench.ledger, self.book, batch, api_key_id=bench.key_id, replay=replay):
            if isinstance(outcome, Posted):
                self.posted.append(outcome)
                self.account_ids[outcome.customer] = outcome.entry.account_id

    def interaction(self, post: Post, name: str) -> Interaction:
        value_at = None if post.days_ago is None else self.bench.clock.now - int(post.days_ago * DAY)
        return Interaction(
            source="crm",
            id=self.prefix + name,
            customer=post.customer,
            kind=post.kind,
            value_at=value_at,
            note=f"a note to {name}",
            context={"channel": "phone", "case": "naïve — “quoted” \\ \u0001 🎁"},
        )


async def adopt(bench: Bench, book: str, policy: Policy) -> None:
    """Put another policy in force in an empty book."""
    row = {"book": book, "version": 2, "from_position": 0, "adopted_at": bench.clock.now, "api_key_id": "tests"}
    async with bench.ledger.database.whole() as tx:
        await tx.execute(insert(policy_versions).values({**row, "document": policy_document(policy)}))
        await tx.execute(update(books).where(books.c.book == book).values(policy_version=2))


async def projected(bench: Bench, book: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of a book that a rebuild may write."""
    return await stored(bench, accounts, crossings, book=book)


async def stored(bench: Bench, *tables: Table, book: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """Every row of these tables, of one book or of all."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with bench.ledger.database.whole() as tx:
        for table in tables:
            query = select(table).where(table.c.book == (book or table.c.book)).order_by(*table.primary_key)
            found[table.name] = [dict(row) for row in (await tx.execute(query)).mappings()]
    return found


async def drop_triggers(bench: Bench) -> None:
    """Let this test do to entries, checkpoints and policies what nobody may."""
    is_sqlite = bench.ledger.database.is_sqlite
    async with bench.ledger.database.whole() as tx:
        for table in ("entries", "checkpoints", "policy_versions"):
            for verb in ("update", "delete", "replace") if is_sqlite else ("change", "go"):
                await tx.execute(text(f"DROP TRIGGER {table}_never_{verb}" + ("" if is_sqlite else f" ON {table}")))
