"""The demo's history: invented customers with plausible lives. The same seed, size and end give the same history."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from app.cli.demo_lives import PERSONAS, Happening, Life, mistake
from app.cli.demo_words import FIRST_NAMES
from app.domain.instant import DAY, SECOND, Instant
from app.domain.interaction import Interaction, ReversalRequest
from app.domain.promise_request import MakePromise
from app.domain.tariff import Step
from app.operations.append import Item

SOURCE = "demo"
YEAR_DAYS = 365
MISTAKES_SHARE = 0.08
PROMISED_SHARE = 0.1
PROMISED_STEPS = (Step(after=timedelta(), points=-8), Step(after=timedelta(days=3), points=-20))
BATCH_MAX = 500

_NAME = re.compile(r"(\d+)-(\d+)x(\d+)-\d+-\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a history is made from. Its ids carry it, so that a book's first entry tells what the book holds."""

    seed: int
    customers: int
    years: int

    @property
    def span(self) -> int:
        """How long the history lasts, in microseconds."""
        return self.years * YEAR_DAYS * DAY

    def __str__(self) -> str:
        return f"seed {self.seed}, {_many(self.customers, 'customer')}, {_many(self.years, 'year')}"


def plan_of(external_id: str | None) -> Plan | None:
    """The plan that an interaction's id names, None if it is none of the demo's."""
    match = _NAME.fullmatch(external_id or "")
    return Plan(seed=int(match[1]), customers=int(match[2]), years=int(match[3])) if match else None


def history(plan: Plan, *, end: Instant) -> list[Item]:
    """Everything that was reported up to `end`, in the order of reporting; begins exactly `plan.span` before."""
    told = [each for number in range(1, plan.customers + 1) for each in _told(plan, number, end)]
    return [item for _, item in sorted(told, key=lambda pair: pair[0])]


def batches(items: Sequence[Item]) -> Iterator[list[Item]]:
    """In order, so that what a batch reverses was booked before it."""
    batch: list[Item] = []
    for item in items:
        if len(batch) == BATCH_MAX or (batch and isinstance(item, ReversalRequest)):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _told(plan: Plan, number: int, end: Instant) -> list[tuple[Instant, Item]]:
    """One customer's interactions and corrections, each with the instant of its report."""
    rng = Random(f"{plan.seed}/{number}")  # noqa: S311  # invented lives need no strong chance
    life = Life(rng=rng, number=number, end=end, span_days=plan.years * YEAR_DAYS)
    customer = f"{rng.choice(FIRST_NAMES.split())}.{number}@example.com"
    persona = rng.choices([live for _, live in PERSONAS], [share for share, _ in PERSONAS])[0]
    persona(life)
    if life.chance(MISTAKES_SHARE):
        mistake(life)
    happenings = sorted(life.happenings, key=lambda happening: happening.told_at)
    if number == 1 or not happenings:
        happenings.insert(0, _first_contact(end - plan.span + (number - 1) * SECOND))

    told: list[tuple[Instant, Item]] = []
    for ordinal, happening in enumerate(happenings, start=1):
        name = f"{plan.seed}-{plan.customers}x{plan.years}-{number:04}-{ordinal:03}"
        told.append((happening.told_at, _interaction(happening, name, customer)))
        if happening.mistaken:
            found_out = happening.told_at + rng.randint(1, 9) * DAY
            told.append((found_out, _correction(happening.mistaken, name)))
    if life.chance(PROMISED_SHARE):
        told.append(_promise(rng, f"{plan.seed}-{plan.customers}x{plan.years}-{number:04}-promise", customer, end))
    return told


def _first_contact(at: Instant) -> Happening:
    return Happening(
        at=at,
        told_at=at,
        kind="contact.received",
        attributes=None,
        note=None,
        context={"channel": "web"},
        mistaken=None,
    )


def _interaction(happening: Happening, name: str, customer: str) -> Interaction:
    return Interaction(
        source=SOURCE,
        id=name,
        customer=customer,
        kind=happening.kind,
        value_at=happening.at,
        attributes=happening.attributes,
        note=happening.note,
        context=happening.context,
    )


def _promise(rng: Random, name: str, customer: str, end: Instant) -> tuple[Instant, MakePromise]:
    """A promise that the history leaves open: what comes of it, time will show."""
    made_at, due_at = end - rng.randint(1, 20 * DAY), end + rng.randint(1, 60) * DAY
    return made_at, MakePromise(
        source=SOURCE,
        id=name,
        customer=customer,
        kind="promise.broken",
        due_at=due_at,
        steps=PROMISED_STEPS,
        value_at=made_at,
    )


def _correction(reason: str, name: str) -> ReversalRequest:
    return ReversalRequest(source=SOURCE, id=f"{name}-reversal", interaction=(SOURCE, name), reason=reason)
