"""What the laws of the domain are tried on: half-lives, thresholds, masses, histories and accounts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from hypothesis import strategies as st

from app.domain.account import Account, LastEffective, opened
from app.domain.crossing import look_again_at
from app.domain.instant import DAY, SECOND, YEAR, Instant
from app.domain.memory import Masses, Vector, entered
from app.domain.policy import MEMORIES, HalfLives, Memory, Policy, Thresholds
from app.domain.standing import Direction, place_at

NOON = 1_767_268_800_000_000
"""2026-01-01T12:00Z, where the accounts of the tests have their masses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Felt:
    """One entry as far as memory goes."""

    points: int
    memory: Memory
    value_at: Instant


half_life_days = st.none() | st.floats(0.5, 3000.0) | st.sampled_from([14.0, 90.0, 120.0, 180.0, 365.0])


@st.composite
def half_lives(draw: st.DrawFn) -> HalfLives:
    """The default, or any five: long, short, equal ones, and ones that never end."""
    if draw(st.booleans()):
        return HalfLives()
    lasting, passing, deep, observed, fresh = (draw(half_life_days) for _ in range(5))
    return HalfLives(lasting=lasting, passing=passing, deep=deep, observed=observed, fresh=fresh)


@st.composite
def thresholds(draw: st.DrawFn) -> Thresholds:
    """The default, or any that are in order."""
    if draw(st.booleans()):
        return Thresholds()
    marked = draw(st.floats(-60.0, -0.5))
    return Thresholds(
        evidence=draw(st.floats(0.1, 20.0)),
        marked=marked,
        deep=marked - draw(st.floats(0.0, 60.0)),
        glow=draw(st.floats(0.5, 60.0)),
        clean_ratio=draw(st.floats(0.5, 10.0)),
        fresh=draw(st.floats(0.1, 30.0)),
        rising_ratio=draw(st.floats(0.01, 0.9)),
    )


spans = st.just(DAY) | st.integers(0, 30 * 24 * 3600).map(lambda seconds: seconds * SECOND)
policies = st.builds(Policy, half_lives=half_lives(), thresholds=thresholds(), alert_within=spans, quiet_for=spans)

entries = st.builds(
    Felt,
    points=st.integers(-100, 100),
    memory=st.sampled_from(MEMORIES),
    value_at=st.integers(NOON - 3 * YEAR, NOON) | st.integers(NOON - 30 * DAY, NOON),
)
histories = st.lists(entries, min_size=1, max_size=12)

vectors = st.tuples(*[st.just(0.0) | st.floats(0.0, 400.0)] * 4)


@st.composite
def masses(draw: st.DrawFn) -> Masses:
    """What a history leaves, or any numbers at all that could be left."""
    if draw(st.booleans()):
        return folded(draw(histories), HalfLives(), at=NOON)
    credits_ = draw(vectors)
    kept = draw(st.tuples(*[st.sampled_from([0.0, 0.5, 1.0])] * 4))
    big: Vector = (credits_[0] * kept[0], credits_[1] * kept[1], credits_[2] * kept[2], credits_[3] * kept[3])
    return Masses(at=NOON, credits=credits_, debits=draw(vectors), big=big, fresh=draw(st.floats(0.0, sum(credits_))))


@st.composite
def accounts(draw: st.DrawFn, policy: Policy) -> Account:
    """An account whose place and `look_again_at` are those of its masses."""
    return account_of(draw(masses()), policy, draw(st.sampled_from([None, Direction.CREDIT, Direction.DEBIT])))


policies_and_accounts = policies.flatmap(lambda policy: st.tuples(st.just(policy), accounts(policy)))


def account_of(left: Masses, policy: Policy, last: Direction | None = Direction.CREDIT) -> Account:
    """The account that has these masses and this last effective direction."""
    effective = LastEffective(value_at=left.at, sequence=1, direction=last) if last else None
    place = place_at(left, last, policy.half_lives, policy.thresholds, left.at)
    account = replace(opened(UUID(int=1), left.at), masses=left, last=effective, place=place)
    return replace(account, look_again_at=look_again_at(account, policy))


def folded(history: Iterable[Felt], lives: HalfLives, *, at: Instant) -> Masses:
    """The masses at `at` of entries in the order given, each booked as soon as it can be."""
    left = Masses(at=0)
    for each in history:
        left = entered(
            left,
            lives,
            at=max(left.at, each.value_at),
            points=each.points,
            memory=each.memory,
            value_at=each.value_at,
        )
    return entered(left, lives, at=at, points=0, memory=Memory.LASTING, value_at=at)


def lone(points: int, memory: Memory = Memory.LASTING, lives: HalfLives | None = None) -> Masses:
    """The masses of a single entry at its own instant."""
    return folded([Felt(points=points, memory=memory, value_at=NOON)], lives or HalfLives(), at=NOON)


# Tangencies: the felt balance only just reaches a level (or with a negative margin only just does not), and turns back.


def glowing(credit: float, margin: float) -> Account:
    """f = C u - W u² with u = 2^(-x/180) peaks `margin` above the rounding's edge of glow, at u = C / 2W."""
    debit = credit**2 / (4 * (15 - 5e-7 + margin))
    left = Masses(at=NOON, credits=(credit, 0.0, 0.0, 0.0), debits=(0.0, debit, 0.0, 0.0), big=(credit, 0.0, 0.0, 0.0))
    return account_of(left, Policy(), Direction.DEBIT)


def sinking(debit: float, level: float, margin: float) -> Account:
    """f = C u² - W u bottoms `margin` below the rounding's edge of a negative level, at u = W / 2C."""
    credit = debit**2 / (4 * (-level - 5e-7 + margin))
    left = Masses(at=NOON, credits=(0.0, credit, 0.0, 0.0), debits=(debit, 0.0, 0.0, 0.0))
    return account_of(left, Policy(), Direction.DEBIT)


THREE = Policy(half_lives=HalfLives(lasting=360.0, passing=180.0, deep=120.0))


def brushing_zero(lowest: float, *, is_owed: bool) -> Account:
    """u (a - b u + c u²), u = 2^(-x/360), with the local minimum `lowest` near u = b / 2c; mirrored if `is_owed`."""
    b, c = 80.0, 100.0
    u = b / (2 * c)
    for _ in range(20):
        u -= (b - 2 * c * u - lowest / u**2) / (-2 * c + 2 * lowest / u**3)
    outer, middle = (b * u - c * u**2 + lowest / u, 0.0, c, 0.0), (0.0, b, 0.0, 0.0)
    left = Masses(at=NOON, credits=middle if is_owed else outer, debits=outer if is_owed else middle)
    return account_of(left, THREE, Direction.DEBIT)
