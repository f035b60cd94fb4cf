"""Whatever the order of clock runs, reports and moves, what stands for a promise is the total of its lateness.

The model below imports nothing of `app` but instants and the requests that it sends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.domain.instant import DAY, HOUR, Instant
from app.domain.promise_request import MovePromise, SettlePromise
from app.operations.outcome import Posted
from app.operations.post_due_steps import post_due_steps
from app.operations.rebuild import rebuild
from app.tables import promises
from tests.conftest import NOON, Bench
from tests.operations.posting import account_of, interaction, new_book, post, posted
from tests.operations.promising import DUE, assert_sound, keeping, making, moving, promise_of, standing, withdrawing
from tests.operations.stories import stored

TOTALS = ((DAY, -12), (3 * DAY, -35), (7 * DAY, -48))

Action = tuple[str, float]
"""What is done, and by how many days: forward (pass), ahead of now (move), ago (keep, withdraw)."""

days = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.5, 9.0, 12.0])
actions = st.lists(
    st.tuples(st.sampled_from(["pass", "pass", "pass", "clock", "append", "move", "keep", "withdraw"]), days),
    max_size=14,
)


@dataclass
class Model:
    """What ought to be, worked out from the rules on paper."""

    grace: Instant
    due_at: Instant = DUE
    settled_at: Instant | None = None
    extra: int = 0
    made: list[MovePromise | SettlePromise] = field(default_factory=list)

    def moves(self, now: Instant, due_at: Instant) -> bool:
        accepted = self.settled_at is None and now < self.due_at and due_at > now and due_at != self.due_at
        if accepted:
            self.due_at, self.extra = due_at, self.extra - 4
        return accepted

    def settles(self, at: Instant, *, is_kept: bool) -> bool:
        accepted = self.settled_at is None and at >= NOON
        if accepted:
            self.settled_at = at
            self.extra += 4 if is_kept and at <= self.due_at else 0
        return accepted

    def said_last(self, request: MovePromise | SettlePromise) -> bool:
        """Whether this was the last such thing that was said: then it is the same one, told again."""
        return [each for each in self.made if type(each) is type(request)][-1:] == [request]

    def stands(self, now: Instant) -> list[tuple[Instant, int]]:
        """(value_at, increment) of what stands once a clock has run at `now`."""
        until = now - self.grace if self.settled_at is None else self.settled_at
        if self.settled_at is not None and self.settled_at <= self.due_at:
            return []
        before, found = 0, []
        for after, total in TOTALS:
            if self.due_at + after <= until:
                found.append((self.due_at + after, total - before))
                before = total
        return found


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(told=actions, grace=st.sampled_from([0, 12 * HOUR, 2 * DAY]), tells_twice=st.booleans())
@example(told=[("pass", 12.0), ("clock", 0.0), ("keep", 4.0)], grace=0, tells_twice=True)
@example(told=[("pass", 9.0), ("move", 2.0), ("pass", 12.0), ("append", 0.0), ("keep", 4.0)], grace=0, tells_twice=True)
@example(told=[("move", 0.5), ("move", 1.0), ("move", 0.5), ("pass", 3.0)], grace=0, tells_twice=True)
@example(told=[("pass", 12.0), ("withdraw", 0.5)], grace=2 * DAY, tells_twice=False)
async def test_what_stands_is_the_total_of_its_lateness(
    bench: Bench, told: Sequence[Action], grace: Instant, tells_twice: bool
) -> None:
    book = await new_book(bench)
    bench.clock.now = NOON
    await posted(bench, making(grace=grace), book)
    model = Model(grace=grace)

    for number, (what, by) in enumerate(told):
        await live_through(bench, book, model, number, what, int(by * DAY))
        if tells_twice:
            await tell_again(bench, book, model)
    await post_due_steps(bench.ledger, book)

    expected = model.stands(bench.clock.now)
    assert sorted(await standing(bench, book=book)) == expected
    assert (await account_of(bench, book=book)).balance == sum(points for _, points in expected) + model.extra
    await assert_sound(bench, book)
    before = await stored(bench, promises, book=book)
    await rebuild(bench.ledger, book)
    assert await stored(bench, promises, book=book) == before


async def live_through(bench: Bench, book: str, model: Model, number: int, what: str, by: Instant) -> None:
    now = bench.clock.now
    match what:
        case "pass":
            bench.clock.now += by
        case "clock":
            await post_due_steps(bench.ledger, book)
        case "append":
            model.extra += 3
            await posted(bench, interaction(number), book)
        case "move":
            request, at = moving(due_at=now + by, value_at=now), await booked_at(bench, book)
            await tell(bench, book, model, request, lambda: model.moves(at, now + by))
        case _:
            settling = (keeping if what == "keep" else withdrawing)(value_at=now - by)
            await tell(bench, book, model, settling, lambda: model.settles(now - by, is_kept=what == "keep"))


async def tell(
    bench: Bench, book: str, model: Model, request: MovePromise | SettlePromise, accepts: Callable[[], bool]
) -> None:
    if model.said_last(request):
        return
    accepted = accepts()
    (outcome,) = await post(bench, request, book=book)
    assert isinstance(outcome, Posted) is accepted, outcome
    model.made += [request] if accepted else []


async def tell_again(bench: Bench, book: str, model: Model) -> None:
    """What was told last, told once more, is only replayed."""
    for request in model.made[-1:]:
        assert (await posted(bench, request, book)).replayed


async def booked_at(bench: Bench, book: str) -> Instant:
    """When an append now would be booked: the clock stands still, the head does not."""
    return max(bench.clock.now, (await account_of(bench, book=book)).last_entry_at + 1)


async def test_the_model_knows_the_stored_promise(bench: Bench) -> None:
    await posted(bench, making())

    assert tuple((step.after, step.total) for step in (await promise_of(bench)).steps) == TOTALS
