"""What is felt: faded sums of points at a known instant (forward decay: Cormode et al., ICDE 2009)."""

from math import pow as power
from typing import NamedTuple

from app.domain.instant import DAY, Instant
from app.domain.policy import MEMORIES, HalfLives, Memory

BIG_CREDIT_POINTS = 20

Vector = tuple[float, float, float, float]
ZERO: Vector = (0.0, 0.0, 0.0, 0.0)

_SLOTS = {memory: slot for slot, memory in enumerate(MEMORIES)}


class Masses(NamedTuple):
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
    return power(2.0, -elapsed / (half_life_days * DAY))


def fadings(half_lives: HalfLives, elapsed: int) -> Vector:
    """`fading` of each memory, in the order of MEMORIES."""
    lasting, passing, deep, observed, _ = half_lives.spans
    return (
        power(2.0, -elapsed / lasting),
        power(2.0, -elapsed / passing),
        power(2.0, -elapsed / deep),
        power(2.0, -elapsed / observed),
    )


def felt_at(masses: Masses, half_lives: HalfLives, t: Instant) -> Felt:
    """What is felt at `t`, in points. Requires `t >= masses.at`.

    Exact up to float rounding: about 1e-15 relative for each entry folded in.
    """
    at, (a, b, c, d), (e, f, g, h), (i, j, k, m), fresh = masses
    assert t >= at
    if t == at:
        return felt_now(masses)
    lasting, passing, deep, observed = fadings(half_lives, t - at)
    return Felt(
        a * lasting + b * passing + c * deep + d * observed,
        e * lasting + f * passing + g * deep + h * observed,
        i * lasting + j * passing + k * deep + m * observed,
        fresh * power(2.0, (at - t) / half_lives.spans[4]),
    )


def felt_now(masses: Masses) -> Felt:
    """What is felt at `masses.at`, as after every entry: the same to the last bit, and quicker."""
    _, (a, b, c, d), (e, f, g, h), (i, j, k, m), fresh = masses
    return Felt(a + b + c + d, e + f + g + h, i + j + k + m, fresh)


def rebased(masses: Masses, half_lives: HalfLives, at: Instant) -> Masses:
    """The same masses, true at the later instant `at`."""
    since, (a, b, c, d), (e, f, g, h), (i, j, k, m), fresh = masses
    assert at >= since
    if at == since:
        return masses
    lasting, passing, deep, observed = fadings(half_lives, at - since)
    return Masses(
        at,
        (a * lasting, b * passing, c * deep, d * observed),
        (e * lasting, f * passing, g * deep, h * observed),
        (i * lasting, j * passing, k * deep, m * observed),
        fresh * power(2.0, (since - at) / half_lives.spans[4]),
    )


def entered(
    masses: Masses, half_lives: HalfLives, *, at: Instant, points: int, memory: Memory, value_at: Instant
) -> Masses:
    """The masses at `at` with `points` of `value_at <= at` added."""
    return moved(rebased(masses, half_lives, at), half_lives, points, memory, value_at, 1)


def withdrawn(
    masses: Masses, half_lives: HalfLives, *, at: Instant, points: int, memory: Memory, value_at: Instant
) -> Masses:
    """The masses at `at` with the `points` that an original entered taken out of the very same masses."""
    return moved(rebased(masses, half_lives, at), half_lives, points, memory, value_at, -1)


def moved(masses: Masses, half_lives: HalfLives, points: int, memory: Memory, value_at: Instant, sign: int) -> Masses:
    """The masses with `points` of `value_at <= masses.at` added (`sign` 1) or taken out again (-1)."""
    at, credits_, debits, big, fresh = masses
    age = at - value_at
    assert age >= 0
    if points == 0:
        return masses
    slot, spans = _SLOTS[memory], half_lives.spans
    mass = sign * abs(points) * power(2.0, -age / spans[slot])
    if points < 0:
        return Masses(at, credits_, _added(debits, slot, mass), big, fresh)
    if points >= BIG_CREDIT_POINTS:
        big = _added(big, slot, mass)
    fresh += sign * points * power(2.0, -age / spans[4])
    return Masses(at, _added(credits_, slot, mass), debits, big, max(0.0, fresh))


def plus(masses: Masses, others: Masses, sign: int) -> Masses:
    """The masses with others of the same instant added (`sign` 1) or taken out again (-1)."""
    assert masses.at == others.at
    return Masses(
        masses.at,
        _plus(masses.credits, others.credits, sign),
        _plus(masses.debits, others.debits, sign),
        _plus(masses.big, others.big, sign),
        max(0.0, masses.fresh + sign * others.fresh),
    )


def _plus(vector: Vector, other: Vector, sign: int) -> Vector:
    a, b, c, d = (max(0.0, mine + sign * its) for mine, its in zip(vector, other, strict=True))
    return (a, b, c, d)


def _added(vector: Vector, slot: int, mass: float) -> Vector:
    """A mass never falls below 0: what float rounding leaves of a withdrawal is dropped."""
    lasting, passing, deep, observed = vector
    mass += vector[slot]
    if mass < 0.0:
        mass = 0.0
    if slot == 0:
        return (mass, passing, deep, observed)
    if slot == 1:
        return (lasting, mass, deep, observed)
    return (lasting, passing, mass, observed) if slot == 2 else (lasting, passing, deep, mass)
