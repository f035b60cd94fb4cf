"""The lives of the demo: what may happen to a customer, and the personas made of it. Pure: chance comes in as `rng`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from app.cli.demo_words import CRISES, GOOD_STARTS, HITCHES, MISTAKES, NEUTRAL, PLEASURES
from app.domain.instant import DAY, SECOND, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened at `at` and was reported at `told_at`; `mistaken` says why it is reversed later on."""

    at: Instant
    told_at: Instant
    kind: str
    attributes: Mapping[str, Any] | None
    note: str | None
    context: Mapping[str, Any]
    mistaken: str | None


@dataclass(slots=True, kw_only=True)
class Life:
    """One customer's life up to `end`, filled by a persona. Ages (`ago`) are days before the end."""

    rng: Random
    number: int
    end: Instant
    span_days: float
    cases: int = 0
    happenings: list[Happening] = field(default_factory=list[Happening])

    def happens(
        self,
        ago: float,
        kind: str,
        attributes: Mapping[str, Any] | None = None,
        *,
        told_days_later: float = 0.0,
        note: str | None = None,
        mistaken: str | None = None,
        **context: Any,
    ) -> None:
        """Add what happened `ago` days before the end; what lies beyond either end of the history is left out."""
        if not 0.02 < ago - told_days_later <= ago < self.span_days:
            return
        self.happenings.append(
            Happening(
                at=self._instant(ago),
                told_at=self._instant(ago - told_days_later),
                kind=kind,
                attributes=attributes,
                note=note,
                context=context,
                mistaken=mistaken,
            )
        )

    def case(self) -> str:
        """A new case's number."""
        self.cases += 1
        return f"case-{self.number:04}-{self.cases}"

    def between(self, low: float, high: float) -> float:
        """A number of days, or the nearest the history has room for."""
        return min(self.rng.uniform(low, high), self.span_days - 0.5)

    def chance(self, probability: float) -> bool:
        """Whether it is so this time."""
        return self.rng.random() < probability

    def _instant(self, ago: float) -> Instant:
        return self.end - int(ago * DAY) // SECOND * SECOND


def contented(life: Life) -> None:
    """Buys now and then, gets what was promised, and says so when asked."""
    buys_since(life, life.between(120, 730), every=(35, 100))
    if life.chance(0.3):
        hitch(life, life.between(10, 300))


def neglected(life: Life) -> None:
    """Was well served once; since then a trickle of small debits that nobody makes up for."""
    turn = life.between(90, 260)
    buys_since(life, turn + life.between(60, 420), every=(50, 110), until=turn)
    ago = turn
    while ago > 3:
        hitch(life, ago)
        ago -= life.rng.uniform(16, 42)
    if life.chance(0.5):
        survey(life, life.between(8, 60), low=1, high=2)


def rescued(life: Life) -> None:
    """Was let down badly, and then got more than anybody would have asked for."""
    crisis = 6 + life.between(0, 17) ** 2
    buys_since(life, crisis + life.between(40, 400), every=(40, 90))
    kind, note = life.rng.choice(CRISES)
    case = life.case()
    life.happens(crisis, kind, case=case, journey="support", motive="problem", channel="phone", note=note)
    life.happens(crisis - 0.2, "apology.first", case=case, channel="phone", journey="support")
    life.happens(
        crisis - 2, "recovery.exceeds_expectations", case=case, channel="phone", cost=35.0, declared_by="employee"
    )
    if life.chance(0.6):
        life.happens(crisis - 4, "moment.unexpected_gift", case=case, channel="letter", cost=20.0)


def worn_out(life: Life) -> None:
    """Called again and again about one case."""
    begun = 12 + life.between(0, 15) ** 2
    buys_since(life, begun + life.between(30, 400), every=(60, 130))
    case = life.case()
    about: dict[str, Any] = {"case": case, "journey": "support", "motive": "problem", "channel": "phone"}
    life.happens(begun, "contact.received", **about)
    life.happens(begun - 0.01, "wait.excessive", **about)
    ago = begun
    for contact in range(2, life.rng.randint(3, 5)):
        ago -= life.rng.uniform(2, 6)
        life.happens(ago, "contact.repeated", {"contact_number": contact}, **about)
        life.happens(ago - 0.01, life.rng.choice(["contact.transferred", "contact.had_to_repeat_info"]), **about)
    if life.chance(0.6):
        life.happens(ago - 1, "complaint.filed", case=case, channel="email", note="third time that I ask you")
    if life.chance(0.35):
        life.happens(ago - 5, "recovery.satisfactory", case=case, channel="phone", declared_by="employee")


def insulted(life: Life) -> None:
    """Was insulted by one of us, said so in public, and left."""
    day = life.between(20, 300)
    buys_since(life, day + life.between(60, 300), every=(40, 90), until=day)
    case = life.case()
    life.happens(day, "agent.insult_or_threat", case=case, channel="phone", journey="support", actor="agent-17")
    life.happens(day - 1.5, "complaint.public_or_regulator", case=case, told_days_later=3)
    if life.chance(0.6):
        life.happens(day - 9, "relationship.ended")


def kept_waiting(life: Life) -> None:
    """Waited for parcels past their date, once or more."""
    buys_since(life, life.between(200, 700), every=(60, 120))
    ago = 14 + life.between(0, 16) ** 2
    late_parcel(life, ago)
    if life.chance(0.3):
        late_parcel(life, ago * life.rng.uniform(0.3, 0.8))


def newcomer(life: Life) -> None:
    """New with us, and all goes well so far."""
    joined = life.between(14, 60)
    life.happens(joined, "onboarding.milestone_reached", journey="onboarding", channel="web")
    ages = sorted((joined * life.rng.uniform(0.1, 0.9) for _ in range(life.rng.randint(2, 4))), reverse=True)
    for ago, (kind, channel) in zip(ages, life.rng.sample(GOOD_STARTS, len(ages)), strict=True):
        life.happens(ago, kind, channel=channel)


def silent(life: Life) -> None:
    """Hardly ever heard of: too little evidence to say anything."""
    for _ in range(life.rng.randint(1, 3)):
        life.happens(life.between(5, 700), life.rng.choice(NEUTRAL), channel="web")
    if life.chance(0.4):
        life.happens(life.between(200, 700), "self_service.success", channel="web")


PERSONAS: tuple[tuple[int, Callable[[Life], None]], ...] = (
    (42, contented),
    (10, neglected),
    (9, rescued),
    (8, worn_out),
    (2, insulted),
    (9, kept_waiting),
    (8, newcomer),
    (12, silent),
)
"""Each with its share of the customers, in percent."""


def buys_since(life: Life, joined: float, *, every: tuple[float, float], until: float = 0.0) -> None:
    """The ordinary course of things: orders that arrive, questions answered, a kind word."""
    ago = joined
    life.happens(ago, "contact.received", channel="web", motive="information")
    while (ago := ago - life.rng.uniform(*every)) > until:
        life.happens(ago, "delivery.on_time", {"days_early": life.rng.randint(0, 5)}, journey="delivery")
        if life.chance(0.4):
            kind, channel = life.rng.choice(PLEASURES)
            life.happens(ago - life.rng.uniform(3, 20), kind, channel=channel)
        if life.chance(0.2):
            survey(life, ago - 1, low=3, high=5)


def hitch(life: Life, ago: float) -> None:
    """A small debit."""
    kind, channel = life.rng.choice(HITCHES)
    life.happens(ago, kind, case=life.case(), channel=channel, motive="problem")


def survey(life: Life, ago: float, *, low: int, high: int) -> None:
    """A survey about a day that reaches us a week later."""
    score = {"score": life.rng.randint(low, high)}
    life.happens(ago, "survey.csat", score, told_days_later=7, channel="email", declared_by="customer")


def late_parcel(life: Life, ago: float) -> None:
    """The promised date passes, the parcel comes days later, and the review with it."""
    late, case = life.rng.choice((1, 1, 2, 3, 5, 6, 9)), life.case()
    life.happens(ago, "delivery.date_missed", case=case, journey="delivery", declared_by="system")
    life.happens(ago - late, "delivery.late", {"days_late": late}, case=case, journey="delivery")
    if life.chance(0.5):
        survey(life, ago - late, low=1, high=2)
    if life.chance(0.4):
        life.happens(ago - late - 2, "compensation.with_apology", case=case, channel="email", cost=10.0)


def mistake(life: Life) -> None:
    """Something is reported that never was; days later it is found out."""
    kind, attributes, reason = life.rng.choice(MISTAKES)
    life.happens(life.between(15, 300), kind, attributes, mistaken=reason, declared_by="system")
