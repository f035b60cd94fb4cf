"""What is felt: faded sums of points at a known instant (forward decay: Cormode et al., ICDE 2009)."""

from dataclasses import dataclass
from typing import NamedTuple

from app.domain.instant import DAY, Instant
from app.domain.policy import MEMORIES, HalfLives, Memory

BIG_CREDIT_POINTS = 20

Vector = tuple[float, float, float, float]
ZERO: Vector = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masses:
    """Faded sums in points, all >= 0, true at the instant `at`; one number per memory in the order of MEMORIES.

    `big` holds the credits of 20 points or more once again, `fresh` all credits under the `fresh` half-life.
    """

    at: Instant
    credits: Vector = ZERO
    debits: Vector = ZERO
    big: Vector = ZERO
    fresh: float = 0.0


class Felt(NamedTuple):
    """The four sums of DESIGN section 3 at one instant: C, W, B and M, in points."""

    credits: float
    debits: float
    big: float
    fresh: float

    @property
    def balance(self) -> float:
        """The felt balance f = C - W."""
        return self.credits - self.debits


def fading(half_life_days: float | None, elapsed: int) -> float:
    """What is left of one point after `elapsed` microseconds: 2^(-elapsed/h); 1 for a null half-life."""
    if half_life_days is None:
        return 1.0
    return float(2.0 ** (-elapsed / (half_life_days * DAY)))


def fadings(half_lives: HalfLives, elapsed: int) -> Vector:
    """`fading` of each memory, in the order of MEMORIES."""
    return (
        fading(half_lives.lasting, elapsed),
        fading(half_lives.passing, elapsed),
        fading(half_lives.deep, elapsed),
        fading(half_lives.observed, elapsed),
    )


def felt_at(masses: Masses, half_lives: HalfLives, t: Instant) -> Felt:
    """What is felt at `t`, in points. Requires `t >= masses.at`.

    Exact up to float rounding: about 1e-15 relative for each entry folded in.
    """
    assert t >= masses.at
    if t == masses.at:  # as after every entry: quicker, and the same to the last bit
        return Felt(credits=_sum(masses.credits), debits=_sum(masses.debits), big=_sum(masses.big), fresh=masses.fresh)
    left = fadings(half_lives, t - masses.at)
    return Felt(
        credits=_dot(masses.credits, left),
        debits=_dot(masses.debits, left),
        big=_dot(masses.big, left),
        fresh=masses.fresh * fading(half_lives.fresh, t - masses.at),
    )


def rebased(masses: Masses, half_lives: HalfLives, at: Instant) -> Masses:
    """The same masses, true at the later instant `at`."""
    assert at >= masses.at
    if at == masses.at:
        return masses
    left = fadings(half_lives, at - masses.at)
    return Masses(
        at=at,
        credits=_times(masses.credits, left),
        debits=_times(masses.debits, left),
        big=_times(masses.big, left),
        fresh=masses.fresh * fading(half_lives.fresh, at - masses.at),
    )


def entered(
    masses: Masses, half_lives: HalfLives, *, at: Instant, points: int, memory: Memory, value_at: Instant
) -> Masses:
    """The masses at `at` with `points` of `value_at <= at` added."""
    return _moved(rebased(masses, half_lives, at), half_lives, points=points, memory=memory, value_at=value_at, sign=1)


def withdrawn(
    masses: Masses, half_lives: HalfLives, *, at: Instant, points: int, memory: Memory, value_at: Instant
) -> Masses:
    """The masses at `at` with the `points` that an original entered taken out of the very same masses."""
    return _moved(rebased(masses, half_lives, at), half_lives, points=points, memory=memory, value_at=value_at, sign=-1)


def _moved(
    masses: Masses, half_lives: HalfLives, *, points: int, memory: Memory, value_at: Instant, sign: int
) -> Masses:
    assert value_at <= masses.at
    age = masses.at - value_at
    mass = sign * abs(points) * fading(half_lives.of(memory), age)
    slot = MEMORIES.index(memory)
    if points < 0:
        return Masses(
            at=masses.at,
            credits=masses.credits,
            debits=_added(masses.debits, slot, mass),
            big=masses.big,
            fresh=masses.fresh,
        )
    return Masses(
        at=masses.at,
        credits=_added(masses.credits, slot, mass),
        debits=masses.debits,
        big=_added(masses.big, slot, mass) if points >= BIG_CREDIT_POINTS else masses.big,
        fresh=max(0.0, masses.fresh + sign * points * fading(half_lives.fresh, age)),
    )


def _added(vector: Vector, slot: int, mass: float) -> Vector:
    """A mass never falls below 0: what float rounding leaves of a withdrawal is dropped."""
    numbers = list(vector)
    numbers[slot] = max(0.0, numbers[slot] + mass)
    return (numbers[0], numbers[1], numbers[2], numbers[3])


def _times(a: Vector, b: Vector) -> Vector:
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3])


def _sum(a: Vector) -> float:
    return a[0] + a[1] + a[2] + a[3]


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]
