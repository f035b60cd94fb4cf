"""Pasts: histories in which everything happens that may change what is seen when one looks back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from app.domain.instant import DAY
from app.domain.policy import HalfLives, Policy, Thresholds
from app.domain.promise_request import MakePromise, MovePromise, PromiseRequest, SettlePromise
from app.operations.post_due_steps import post_due_steps
from app.operations.tick import advance_due
from tests.conftest import NOON, Bench
from tests.operations.adopting import POLICIES, adopt_wholly
from tests.operations.posting import posted
from tests.operations.promising import STEPS, keeping, making, moving, withdrawing
from tests.operations.stories import CUSTOMERS, KINDS, SEGMENTED, Describe, Post, Reverse, Step, Teller, adopt

OTHER = Policy(
    half_lives=HalfLives(lasting=60.0, passing=20.0, deep=None, observed=30.0, fresh=5.0),
    thresholds=Thresholds(marked=-6.0, deep=-25.0, glow=9.0, clean_ratio=2.0, fresh=5.0, rising_ratio=0.3),
    segments={"vip": Thresholds(marked=-3.0, deep=-30.0, glow=25.0), "new": Thresholds(evidence=12.0)},
    alert_within=20 * DAY,
    quiet_for=10 * DAY,
)
LENGTH_DAYS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The clock posts what is due and advances whose time has come."""


What = Step | PromiseRequest | Policy | Run
Past = list[tuple[float, What]]
"""What happens, and so many days after NOON, in order."""

_days = st.floats(0.0, LENGTH_DAYS)
_shares = st.floats(0.05, 0.95)
_customers = st.sampled_from(CUSTOMERS)
_kinds = {"carl": ("contact.resolved_first", "refund.fast", "wait.excessive", "contact.neutral")}
"""Of one customer who is often about to be delighted; the others have extremes."""
_OPENINGS = ("moment.unexpected_gift", "product.failed", "contact.resolved_first")
_posts = _customers.flatmap(
    lambda name: st.builds(
        Post,
        customer=st.just(name),
        kind=st.sampled_from(_kinds.get(name, KINDS)),
        days_ago=st.none() | st.floats(0.0, 30.0) | st.floats(0.0, 500.0),
    )
)
_segments = st.sampled_from([None, "vip", "new"])


@st.composite
def pasts(draw: st.DrawFn) -> Past:
    """Postings late and in time, reversals, promises of every fate, one or two policy switches, segments, clocks."""
    opening: Past = [(0.0, [Post(customer=name, kind=kind)]) for name, kind in zip(CUSTOMERS, _OPENINGS, strict=True)]
    told: Past = [
        *((draw(_days), draw(_described)) for _ in range(3)),
        *((draw(_days), draw(st.lists(_posts, min_size=1, max_size=3))) for _ in range(draw(st.integers(4, 10)))),
        (draw(_days), Reverse(which=draw(st.integers(0, 2)))),
        *((draw(_days), Reverse(which=which, kind=draw(st.sampled_from(KINDS)))) for which in (3, 5)),
        *((draw(_days), policy) for policy in (OTHER, *draw(st.lists(st.sampled_from(POLICIES), max_size=1)))),
        *((draw(_days), Run()) for _ in range(2)),
        *(happening for n, fate in enumerate(FATES) for happening in promised(draw, f"p{n}", fate)),
    ]
    in_order = sorted(told, key=lambda happening: happening[0])
    return [*opening, *in_order, (in_order[-1][0] + 60.0, Run())]


_described = st.builds(Describe, customer=_customers, known=st.tuples(st.just("segment"), _segments))


def promised(draw: st.DrawFn, own_id: str, fate: Callable[..., Past]) -> Past:
    """A promise, moved perhaps, and what became of it."""
    made_on = draw(_days) * 0.8
    due_on = made_on + draw(st.floats(1.0, 40.0))
    terms: dict[str, Any] = {"due_at": _at(due_on), "grace": draw(st.sampled_from([0, 2 * DAY]))}
    terms["steps"] = draw(st.sampled_from([STEPS, None]))
    customer = "carl" if fate is moved else draw(st.sampled_from(["ada", "bob"]))
    past: Past = [(made_on, making(own_id, customer=customer, **terms))]
    since = made_on
    if fate is moved or draw(st.booleans()):
        since, before = made_on + (due_on - made_on) * draw(_shares), due_on
        due_on += draw(st.sampled_from([-0.04, 1.0, 12.5])) * (before - since)
        past.append((since, moving(own_id, due_at=_at(due_on))))
    return [*past, *fate(own_id, since, due_on, draw(st.sampled_from([0.5, 1.5, 4.0, 9.0])), draw(_shares))]


def moved(*_: Any) -> Past:
    """No more than that."""
    return []


def kept_in_time(own_id: str, since: float, due_on: float, late: float, share: float) -> Past:
    """But reported late, once the clock has run."""
    kept_at = _at(since + (due_on - since) * share)
    return [(due_on + late * share, Run()), (due_on + late, keeping(own_id, kept_at))]


def kept_late(own_id: str, _since: float, due_on: float, late: float, share: float) -> Past:
    """And reported later, once the clock has run."""
    return [(due_on + late, Run()), (due_on + late, keeping(own_id, _at(due_on + late * share)))]


def broken(_own_id: str, _since: float, due_on: float, late: float, _share: float) -> Past:
    """By the clock."""
    return [(due_on + late, Run()), (due_on + 2 * late, Run())]


def withdrawn(own_id: str, since: float, due_on: float, late: float, share: float) -> Past:
    """In time or not."""
    return [(since + (due_on + late - since) * share, withdrawing(own_id))]


FATES: tuple[Callable[..., Past], ...] = (moved, kept_in_time, kept_late, broken, withdrawn)


async def live_through(bench: Bench, book: str, past: Sequence[tuple[float, What]]) -> None:
    """Live through a past in an empty book; what is said of promises is accepted."""
    bench.clock.now = NOON
    await adopt(bench, book, SEGMENTED)
    teller = Teller(bench=bench, book=book, prefix="", posted=[], account_ids={})
    for day, what in past:
        bench.clock.now = _at(day)
        match what:
            case Policy():
                await adopt_wholly(bench, what, book)
            case Run():
                await post_due_steps(bench.ledger, book)
                await advance_due(bench.ledger, book)
            case MakePromise() | MovePromise() | SettlePromise():
                await posted(bench, what, book)
            case _:
                await teller.live(what)
    bench.clock.now += DAY  # clear of the last entries, which may be booked microseconds after each other


def _at(day: float) -> int:
    return NOON + int(day * DAY)
