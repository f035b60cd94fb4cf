"""A sandbox's clock that is moved leaves what a clock leaves that runs all along."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.domain.instant import DAY, SECOND
from app.domain.interaction import Interaction
from app.domain.promise_request import MakePromise
from app.operations.post_due_steps import post_due_steps
from app.operations.tick import advance_due
from app.queries.due import next_due_at
from tests.conftest import NOON, Bench
from tests.operations.posting import interaction, new_book, post
from tests.operations.promising import STEPS, assert_sound, making
from tests.operations.sandboxes import days_pass, new_sandbox, told
from tests.operations.stories import KINDS

CUSTOMERS = ("ada", "bob", "carl", "dora")

happenings = st.tuples(
    st.sampled_from(CUSTOMERS),
    st.sampled_from(KINDS),
    st.sampled_from([0.0, 1.0, 30.0]) | st.floats(0.0, 300.0),
)
promised = st.tuples(
    st.sampled_from(CUSTOMERS),
    st.sampled_from([10.0, 11.0]) | st.floats(0.1, 90.0),
    st.sampled_from([0, 1, 3]),
    st.integers(1, 3),
)
Happening = tuple[str, str, float]
Promised = tuple[str, float, int, int]


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(happenings, max_size=8),
    st.lists(promised, max_size=5),
    st.floats(0.0, 120.0),
    st.sampled_from([1, 2, 200]),
)
@example([("ada", "data.breach", 3.0)] * 5, [("bob", 10.0, 0, 3)] * 5 + [("ada", 11.0, 3, 3)], 30.0, 1)
async def test_a_sandbox_ends_as_a_live_book_whose_clock_ran_all_along(
    bench: Bench, happened: list[Happening], promises: list[Promised], days: float, limit: int
) -> None:
    bench.clock.now = NOON
    sandbox, live = await new_sandbox(bench), await new_book(bench)
    for book in (sandbox, live):
        await post(bench, *opening(), *begun(happened, promises), book=book)

    passages = [await days_pass(bench, sandbox, part, limit=limit) for part in (days + 1, 20.0)]
    await run_clock(bench, live, until=passages[-1].ended_at)

    assert passages[1].ended_at == NOON + int((days + 1) * DAY) + 20 * DAY == bench.clock.now
    assert await told(bench, sandbox, CUSTOMERS) == await told(bench, live, CUSTOMERS)
    bench.clock.now = NOON
    await assert_sound(bench, sandbox)


def opening() -> list[Interaction]:
    return [interaction(f"first-{customer}", "contact.received", customer) for customer in CUSTOMERS]


def begun(happened: list[Happening], promises: list[Promised]) -> list[Interaction | MakePromise]:
    return [
        *(
            interaction(n, kind, customer, value_at=NOON - int(days_ago * DAY))
            for n, (customer, kind, days_ago) in enumerate(happened)
        ),
        *(
            making(
                f"p{n}",
                customer=customer,
                due_at=NOON + int(due_days * DAY) + n * SECOND,  # no two in one microsecond: batches order such
                grace=grace_days * DAY,
                steps=STEPS[:steps],
            )
            for n, (customer, due_days, grace_days, steps) in enumerate(promises)
        ),
    ]


async def run_clock(bench: Bench, book: str, *, until: int) -> None:
    """A live book's clock that is never late."""
    while (due_at := await due_in(bench, book)) is not None and due_at <= until:
        bench.clock.now = max(bench.clock.now, due_at)
        await post_due_steps(bench.ledger, book)
        await advance_due(bench.ledger, book)
    bench.clock.now = until


async def due_in(bench: Bench, book: str) -> int | None:
    async with bench.ledger.database.read(book) as tx:
        return await next_due_at(tx, book)
