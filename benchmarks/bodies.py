"""Seeded requests, ready for the socket: interactions of the default tariff's kinds, of so many customers.

A request is a template of bytes with room for a number and a customer, both of fixed width: filling it in costs less
than a microsecond, so that whoever sends is not what is measured.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

SHAPES = 512
CUSTOMER = "customer-%07d@example.com"
CHANNELS = ("web", "phone", "email", "store", "app")
VALUED_EARLIER = 0.25  # of all interactions; the others matter when they are booked
DAYS_EARLIER_MAX = 30

# How often of a hundred, and what of its attributes: most of what happens is in order.
KINDS: tuple[tuple[int, str, dict[str, list[Any]]], ...] = (
    (16, "contact.received", {}),
    (14, "delivery.on_time", {"days_early": [0, 1, 3.5]}),
    (12, "purchase.repeat", {}),
    (10, "response.within_sla", {}),
    (8, "self_service.success", {}),
    (8, "contact.resolved_first", {}),
    (6, "loyalty.points_earned", {}),
    (5, "survey.nps", {"score": [0, 3, 6, 7, 8, 8, 9, 9, 10, 10]}),
    (4, "survey.csat", {"score": [1, 3, 4, 4, 5, 5]}),
    (3, "contact.transferred", {}),
    (3, "contact.repeated", {"contact_number": [2, 2, 3, 4]}),
    (3, "response.late", {}),
    (3, "delivery.late", {"days_late": [1, 2, 5, 9]}),
    (2, "wait.excessive", {}),
    (1, "product.failed", {}),
    (1, "ticket.reopened", {}),
    (1, "billing.overcharged", {"found_by": ["company", "customer"]}),
)


LOOKED_UP = 500
READS = {
    "balance": f"/v1/customers/{CUSTOMER}/balance",
    "account": f"/v1/customers/{CUSTOMER}",
    "statement": f"/v1/customers/{CUSTOMER}/statement",
    "overdrawn": "/v1/customers?standing=overdrawn&order=standing_since",
    "by_balance": "/v1/customers?order=balance",
    "by_last_entry": "/v1/customers?order=last_entry_at",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What to ask: `what` is post, batch, lookup or one of READS. `run` makes the ids of a run unlike all others'."""

    what: str
    token: str
    run: str
    seed: int
    customers: int
    batch: int = 1_000
    first: int = 0

    def as_json(self) -> dict[str, Any]:
        """The source, for a process of its own."""
        return asdict(self)

    def requests(self) -> Iterator[bytes]:
        """One after the other, for ever."""
        others = {"post": self._posts, "batch": self._batches, "lookup": self._lookups}
        return others.get(self.what, self._reads)()

    def interactions(self) -> Iterator[bytes]:
        """Bodies of interactions, numbered from `first`; those below `customers` are each of another customer."""
        shapes, chance = self.shapes(), random.Random(self.seed)
        for number in count(self.first):
            customer = number if number < self.customers else chance.randrange(self.customers)
            yield shapes[number % SHAPES] % (number, customer)

    def shapes(self) -> list[bytes]:
        """Templates of an interaction's JSON."""
        chance, now = random.Random(self.seed), datetime.now(UTC).replace(microsecond=0)
        return [json.dumps(_shape(self.run, chance, now), separators=(",", ":")).encode() for _ in range(SHAPES)]

    def _posts(self) -> Iterator[bytes]:
        chance = random.Random(self.seed)
        heads = [
            self._head("POST /v1/interactions", len(shape % (0, 0))).replace(b"%", b"%%") + shape
            for shape in self.shapes()
        ]
        for number in count():
            yield heads[number % SHAPES] % (number, chance.randrange(self.customers))

    def _batches(self) -> Iterator[bytes]:
        bodies = self.interactions()
        while True:
            body = b'{"interactions":[' + b",".join(next(bodies) for _ in range(self.batch)) + b"]}"
            yield self._head("POST /v1/interactions/batch", len(body)) + body

    def _lookups(self) -> Iterator[bytes]:
        chance = random.Random(self.seed)
        while True:
            customers = [CUSTOMER % chance.randrange(self.customers) for _ in range(LOOKED_UP)]
            body = json.dumps({"customers": customers}).encode()
            yield self._head("POST /v1/customers/lookup", len(body)) + body

    def _reads(self) -> Iterator[bytes]:
        chance, template = random.Random(self.seed), self._head(f"GET {READS[self.what]}")
        names_one = CUSTOMER in READS[self.what]
        while True:
            customer = chance.randrange(self.customers)
            yield template % customer if names_one else template

    def _head(self, line: str, length: int | None = None) -> bytes:
        head = f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\nAccept: */*\r\n"
        if length is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {length}\r\n"
        return head.encode() + b"\r\n"


def _shape(run: str, chance: random.Random, now: datetime) -> dict[str, Any]:
    (_, kind, attributes) = chance.choices(KINDS, weights=[often for often, _, _ in KINDS])[0]
    interaction: dict[str, Any] = {"id": f"{run}-%08d", "customer": CUSTOMER, "kind": kind}
    if attributes:
        interaction["attributes"] = {name: chance.choice(values) for name, values in attributes.items()}
    if chance.random() < VALUED_EARLIER:
        earlier = now - timedelta(minutes=chance.randrange(1, DAYS_EARLIER_MAX * 24 * 60))
        interaction["value_at"] = earlier.isoformat().replace("+00:00", "Z")
    interaction["channel"] = chance.choice(CHANNELS)
    return interaction
