"""What the words are about: an entry or a change ahead, boiled down to what a sentence needs."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from app.domain.entry import Entry
from app.domain.explanation import Weight
from app.domain.foretold import Ahead
from app.domain.gestures import Proposal
from app.domain.instant import DAY, Instant, moment_of
from app.domain.memory import BIG_CREDIT_POINTS
from app.domain.repair import Since
from app.domain.standing import Place
from app.domain.tariff import Group, Label

RECENT_DAYS = 30
WHILE_DAYS = 180


class Tone(StrEnum):
    """What an entry was to the customer, as far as one may speak of it."""

    WRONG = "wrong"
    GRAVE = "grave"
    BEYOND_US = "beyond_us"
    CRITICISM = "criticism"
    PRAISE = "praise"
    GOOD = "good"
    REPAIRED = "repaired"
    SPECIAL = "special"


class Age(StrEnum):
    """How long ago: up to a month, up to half a year, longer."""

    RECENT = "recent"
    WHILE = "while"
    LONG = "long"


class Done(StrEnum):
    """What was done about a debit since."""

    NOTHING = "nothing"
    CREDITS = "credits"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One entry. `points` and `felt` are whole numbers >= 0; dates are of UTC, `today` too.

    If it `is_of_promise`, its date must not be read as that of the promise.
    """

    label: Label
    tone: Tone
    is_of_promise: bool
    is_credit: bool
    points: int
    felt: int
    on: date
    today: date
    age: Age
    done: Done
    credits_since: int
    settled_on: date | None


class Voice(Protocol):
    """What a language can say."""

    def for_agent(self, told: Told) -> str:
        """What happened, what is left of it, what was done since: for the agent's eyes."""
        ...

    def to_say(self, told: Told) -> str:
        """What an agent may read to the customer: never a number, a threat, a promise or one more apology."""
        ...

    def foretold(self, ahead: Ahead, today: date) -> str:
        """When the standing changes if nothing happens, to what and why."""
        ...

    def proposed(self, proposal: Proposal) -> str:
        """What the gestures proposed are good for."""
        ...

    def standing(self, place: Place) -> str:
        """Where an account stands."""
        ...


def told_of(weight: Weight, now: Instant) -> Told:
    """The entry as a sentence needs it."""
    entry = weight.entry
    settled = weight.since.settled_by
    label = weight.rule.label if weight.rule else Label(en=entry.kind, fr=entry.kind)
    return Told(
        label=label,
        tone=_tone(entry, weight.rule.group if weight.rule else None),
        is_of_promise='"promise":' in entry.context or entry.kind.startswith("promise."),
        is_credit=entry.points > 0,
        points=abs(entry.points),
        felt=round(abs(weight.felt)),
        on=day_of(entry.value_at),
        today=day_of(now),
        age=_age(now - entry.value_at),
        done=_done(weight.since),
        credits_since=weight.since.credits,
        settled_on=day_of(settled.value_at) if settled else None,
    )


def day_of(instant: Instant) -> date:
    """The day of an instant, in UTC."""
    return moment_of(instant).date()


def _tone(entry: Entry, group: Group | None) -> Tone:
    points = entry.points
    if group is Group.OBSERVATION:
        return Tone.PRAISE if points > 0 else Tone.CRITICISM
    if points > 0 and '"settles":' in entry.context:
        return Tone.REPAIRED
    if points > 0:
        return Tone.SPECIAL if points >= BIG_CREDIT_POINTS else Tone.GOOD
    if group is Group.UNAVOIDABLE_DEBIT:
        return Tone.BEYOND_US
    return Tone.GRAVE if points <= -BIG_CREDIT_POINTS else Tone.WRONG


def _age(elapsed: int) -> Age:
    if elapsed <= RECENT_DAYS * DAY:
        return Age.RECENT
    return Age.WHILE if elapsed <= WHILE_DAYS * DAY else Age.LONG


def _done(since: Since) -> Done:
    if since.settled_by is not None:
        return Done.SETTLED
    return Done.CREDITS if since.credits else Done.NOTHING
