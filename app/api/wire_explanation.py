"""Why an account stands where it stands, and what would help, on the wire."""

from datetime import date, datetime
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from app.api.wire_base import InteractionNameOut, LabelOut, PlaceOut, WireOut, shown
from app.api.words.told import Voice, day_of, told_of
from app.domain.account import Account
from app.domain.explanation import Explanation, InMemory, Sum, Weight
from app.domain.foretold import Ahead, Reason
from app.domain.gestures import Gesture, Proposal
from app.domain.instant import Instant, moment_of
from app.domain.policy import Memory
from app.domain.standing import Depth, Direction, Standing, direction_of
from app.domain.tariff import Group

_EXAMPLE: JsonDict = {
    "entry": "01980000-0000-7000-8000-000000000001",
    "interaction": {"source": "shop", "id": "o-17/late"},
    "kind": "delivery.late",
    "label": {"en": "Got the delivery late", "fr": "A reçu sa livraison en retard"},
    "group": "big_debit",
    "memory": "deep",
    "direction": "debit",
    "points": -48,
    "felt": -46.72,
    "share_percent": 100.0,
    "avoidable": True,
    "value_at": "2026-05-03T10:00:00Z",
    "settled_by": None,
    "credits_since": 0,
    "for_agent": "Got the delivery late on 3 May; still weighs 47 of its 48 points. Nothing has been done since.",
    "to_say": "I can see that you had a really bad experience with us recently. "
    "I find nothing here that was done about it yet, so I would like to look at it with you.",
}


class InMemoryOut(WireOut):
    """What is felt in one memory, both sides >= 0."""

    memory: Memory
    credits: float
    debits: float

    @classmethod
    def of(cls, part: InMemory) -> "InMemoryOut":
        """What is felt in one memory, as the wire shows it."""
        return cls(memory=part.memory, credits=shown(part.credits), debits=shown(part.debits))


class SumOut(WireOut):
    """How many entries, and what is felt of them together, signed."""

    count: int
    felt: float

    @classmethod
    def of(cls, part: Sum) -> "SumOut":
        """A sum as the wire shows it."""
        return cls(count=part.count, felt=shown(part.felt))


class DebitsOut(WireOut):
    """All debits, parted by whether the company could have prevented them."""

    avoidable: SumOut
    unavoidable: SumOut


class WeightOut(WireOut):
    """An entry that weighs in what is felt now, in numbers and in words."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    entry: UUID
    interaction: InteractionNameOut
    kind: str
    label: LabelOut | None
    group: Group | None = Field(description="by the tariff in force; by the one that valued it if the kind was dropped")
    memory: Memory
    direction: Direction
    points: int
    felt: float
    share_percent: float = Field(description="of all that is felt, credits and debits together")
    avoidable: bool | None = Field(description="of a debit: whether the company could have prevented it")
    value_at: datetime
    settled_by: UUID | None = Field(description="the latest entry that says it settles this one")
    credits_since: int = Field(description="credits that mattered later, without what the customer said of us")
    for_agent: str = Field(description="what happened, what is left of it, what was done since")
    to_say: str = Field(description="what an agent may read to the customer: never a number")

    @classmethod
    def of(cls, weight: Weight, voice: Voice, now: Instant) -> "WeightOut":
        """The entry's weight, in the words of a language."""
        entry, told = weight.entry, told_of(weight, now)
        return cls(
            entry=entry.entry_id,
            interaction=InteractionNameOut(source=entry.source, id=entry.external_id),
            kind=entry.kind,
            label=LabelOut.of(weight.rule),
            group=weight.rule.group if weight.rule else None,
            memory=entry.memory,
            direction=direction_of(entry.points),
            points=entry.points,
            felt=shown(weight.felt),
            share_percent=shown(100 * weight.share),
            avoidable=None if entry.points > 0 else not weight.is_unavoidable,
            value_at=moment_of(entry.value_at),
            settled_by=weight.since.settled_by.entry_id if weight.since.settled_by else None,
            credits_since=weight.since.credits,
            for_agent=voice.for_agent(told),
            to_say=voice.to_say(told),
        )


class AheadOut(WireOut):
    """The next change of standing if nothing happens."""

    at: datetime
    standing: Standing
    depth: Depth | None
    reason: Reason
    level: float | None = Field(description="the threshold that is crossed, in points")
    says: str

    @classmethod
    def of(cls, ahead: Ahead, voice: Voice, today: date) -> "AheadOut":
        """The change ahead, in the words of a language."""
        return cls(
            at=moment_of(ahead.at),
            standing=ahead.place.standing,
            depth=ahead.place.depth,
            reason=ahead.reason,
            level=ahead.level,
            says=voice.foretold(ahead, today),
        )


class ExplanationOut(WireOut):
    """Why an account stands where it stands. `felt` is `credits` less `debits`; `lighter` sums up what is not told."""

    customer: str
    at: datetime
    standing: Standing
    depth: Depth | None
    felt: float
    credits: float = Field(description="C: what is felt of all credits")
    debits: float = Field(description="W: what is felt of all debits")
    big_credits: float = Field(description="B: what is felt of credits of 20 points or more")
    fresh_credits: float = Field(description="M: all credits under the short fresh memory")
    by_memory: list[InMemoryOut]
    entries: list[WeightOut] = Field(description="the heaviest first, down to 2 % of what is felt")
    lighter: SumOut
    debits_by_cause: DebitsOut
    next: AheadOut | None

    @classmethod
    def of(cls, explanation: Explanation, account: Account, customer: str, voice: Voice) -> "ExplanationOut":
        """The explanation in the words of a language."""
        felt, now = explanation.felt, explanation.at
        ahead = explanation.ahead
        return cls(
            customer=customer,
            at=moment_of(now),
            standing=account.place.standing,
            depth=account.place.depth,
            felt=shown(felt.balance),
            credits=shown(felt.credits),
            debits=shown(felt.debits),
            big_credits=shown(felt.big),
            fresh_credits=shown(felt.fresh),
            by_memory=[InMemoryOut.of(part) for part in explanation.by_memory],
            entries=[WeightOut.of(weight, voice, now) for weight in explanation.weighty],
            lighter=SumOut.of(explanation.lighter),
            debits_by_cause=DebitsOut(
                avoidable=SumOut.of(explanation.avoidable), unavoidable=SumOut.of(explanation.unavoidable)
            ),
            next=None if ahead is None else AheadOut.of(ahead, voice, day_of(now)),
        )


class GestureKindOut(WireOut):
    """A kind to post, without attributes."""

    kind: str
    label: LabelOut | None
    points: int


class GestureOut(WireOut):
    """One gesture, or two together, and where the account would be just after."""

    kinds: list[GestureKindOut]
    points: int
    standing: Standing
    depth: Depth | None
    felt: float

    @classmethod
    def of(cls, gesture: Gesture) -> "GestureOut":
        """The gesture as the wire shows it."""
        return cls(
            kinds=[
                GestureKindOut(kind=rule.name, label=LabelOut.of(rule), points=points)
                for rule, points in zip(gesture.rules, gesture.points, strict=True)
            ],
            points=sum(gesture.points),
            standing=gesture.place.standing,
            depth=gesture.place.depth,
            felt=shown(gesture.felt),
        )


class GesturesOut(WireOut):
    """The smallest gestures that cross the next threshold now, the smallest first.

    `towards` is null where no gesture is called for; no options beside a place to reach: none reaches it.
    """

    towards: PlaceOut | None
    says: str
    options: list[GestureOut]

    @classmethod
    def of(cls, proposal: Proposal, voice: Voice) -> "GesturesOut":
        """The proposal in the words of a language."""
        return cls(
            towards=None if proposal.towards is None else PlaceOut.of(proposal.towards),
            says=voice.proposed(proposal),
            options=[GestureOut.of(gesture) for gesture in proposal.gestures],
        )
