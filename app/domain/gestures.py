"""The smallest gestures of the tariff that would carry an account over its next threshold now."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domain.account import Account
from app.domain.crossing import advance
from app.domain.entry import Draft, Entry, Head, apply, moved_on, post
from app.domain.errors import Refusal
from app.domain.instant import MICROSECOND, Instant
from app.domain.memory import BIG_CREDIT_POINTS, Felt, felt_at
from app.domain.policy import Memory, Policy
from app.domain.standing import Depth, Direction, Place, Standing, place_of
from app.domain.tariff import KindRule, Tariff, is_system_kind
from app.domain.valuation import value

GESTURES_MAX = 5  # proposed at once: more is no advice

_APOLOGIES = "apology."
_APOLOGY = "apology"
_LADDER = (
    Place(standing=Standing.OVERDRAWN, depth=Depth.DEEP),
    Place(standing=Standing.OVERDRAWN, depth=Depth.MARKED),
    Place(standing=Standing.OVERDRAWN, depth=Depth.SLIGHT),
    Place(standing=Standing.STEADY),
    Place(standing=Standing.DELIGHTED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gesture:
    """One gesture, or two together: what they are worth in all, and where the account is just after."""

    rules: tuple[KindRule, ...]
    points: tuple[int, ...]
    place: Place
    felt: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Where the account stands, the next place up, and the gestures that lead there or beyond, the smallest first.

    `towards` is None where nothing is to be won: the customer is delighted, or nothing is known. No gesture although
    there is a next place means that neither one gesture of the tariff nor two of them reach it.
    """

    place: Place
    towards: Place | None
    gestures: tuple[Gesture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    rule: KindRule
    points: int
    memory: Memory


def propose(
    head: Head, account: Account, kept: Iterable[Entry], policy: Policy, tariff: Tariff, t: Instant
) -> Proposal:
    """What to do now. `kept` are the account's entries that nothing reversed, `tariff` is the one in force.

    Requires `t >= head.booked_at`; each gesture is folded as the append would book it next.
    """
    at = max(t, head.booked_at + MICROSECOND)
    now, _ = advance(account, policy, at)
    rung = _rung(now.place)
    if rung is None or rung + 1 == len(_LADDER):
        return Proposal(place=now.place, towards=None)
    has_apology = any(_APOLOGY in entry.kind for entry in kept)
    offers = _offers(tariff, head.tariff_version, may_apologise=not has_apology)
    found = _smallest(offers, _Reach.of(now, policy, at, goal=rung + 1))
    gestures = [_folded(head, now, policy, chosen, at) for chosen in found]
    return Proposal(
        place=now.place,
        towards=_LADDER[rung + 1],
        gestures=tuple(gesture for gesture in gestures if (_rung(gesture.place) or 0) > rung),
    )


def _rung(place: Place) -> int | None:
    """How far up; ready to be delighted stands as high as steady. None without evidence."""
    if place.standing is Standing.NO_EVIDENCE:
        return None
    if place.standing is Standing.ABOUT_TO_BE_DELIGHTED:
        return _LADDER.index(Place(standing=Standing.STEADY))
    return _LADDER.index(place)


def _offers(tariff: Tariff, version: int, *, may_apologise: bool) -> list[_Offer]:
    """What an agent can do whatever the circumstances: a gesture whose worth needs no attribute and no context."""
    offers: list[_Offer] = []
    for rule in tariff.kinds.values():
        if not rule.gesture or rule.context_used or is_system_kind(rule.name):
            continue
        if rule.name.startswith(_APOLOGIES) and not may_apologise:
            continue
        offers.extend(_valued(tariff, version, rule))
    return sorted(offers, key=lambda offer: (offer.points, offer.rule.name))


def _valued(tariff: Tariff, version: int, rule: KindRule) -> list[_Offer]:
    nothing: Mapping[str, object] = {}
    try:
        worth = value(tariff, version, kind=rule.name, attributes=nothing)
    except Refusal:
        return []
    return [_Offer(rule=rule, points=worth.points, memory=worth.memory)] if worth.points > 0 else []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reach:
    """Where more points would lead, by arithmetic: what is worth folding."""

    felt: Felt
    account: Account
    policy: Policy
    goal: int

    @classmethod
    def of(cls, account: Account, policy: Policy, at: Instant, *, goal: int) -> "_Reach":
        return cls(felt=felt_at(account.masses, policy.half_lives, at), account=account, policy=policy, goal=goal)

    def suffices(self, offers: Sequence[_Offer]) -> bool:
        more = _points(offers)
        big = sum(offer.points for offer in offers if offer.points >= BIG_CREDIT_POINTS)
        felt = Felt(
            credits=self.felt.credits + more,
            debits=self.felt.debits,
            big=self.felt.big + big,
            fresh=self.felt.fresh + more,
        )
        thresholds = self.policy.thresholds_of(self.account.segment)
        return (_rung(place_of(felt, Direction.CREDIT, thresholds)) or 0) >= self.goal


def _smallest(offers: Sequence[_Offer], reach: _Reach) -> list[tuple[_Offer, ...]]:
    """Single gestures; the smallest pair where no single one suffices."""
    single = [(offer,) for offer in offers if reach.suffices([offer])]
    if single:
        return list(single[:GESTURES_MAX])
    pairs = [pair for place, first in enumerate(offers) for pair in _pairs_of(first, offers[place + 1 :], reach)]
    return [min(pairs, key=_points)] if pairs else []


def _pairs_of(first: _Offer, larger: Sequence[_Offer], reach: _Reach) -> Sequence[tuple[_Offer, ...]]:
    """The smallest pair of `first` with a larger one that suffices: beyond where it begins to, every one does."""
    begins = bisect_left(larger, True, key=lambda second: reach.suffices([first, second]))
    return [(first, second) for second in larger[begins:] if _go_together([first, second])][:1]


def _go_together(pair: Sequence[_Offer]) -> bool:
    """Two apologies at once are a repeated one."""
    return not all(_APOLOGY in offer.rule.name for offer in pair)


def _points(offers: Sequence[_Offer]) -> int:
    return sum(offer.points for offer in offers)


def _folded(head: Head, account: Account, policy: Policy, offers: tuple[_Offer, ...], at: Instant) -> Gesture:
    for offer in offers:
        entry = post(head, account, _draft(offer, head.tariff_version, at), booked_at=at)
        head = moved_on(head, entry)
        account, _ = apply(account, entry, policy)
    return Gesture(
        rules=tuple(offer.rule for offer in offers),
        points=tuple(offer.points for offer in offers),
        place=account.place,
        felt=felt_at(account.masses, policy.half_lives, at).balance,
    )


def _draft(offer: _Offer, tariff_version: int, at: Instant) -> Draft:
    """What the append would be handed; nobody's, for it is never written."""
    return Draft(
        entry_id=UUID(int=0),
        kind=offer.rule.name,
        points=offer.points,
        value_at=at,
        memory=offer.memory,
        source="",
        external_id=None,
        tariff_version=tariff_version,
        api_key_id="",
        reverses=None,
        context="{}",
        sealed=b"",
        content_hash=b"",
    )
