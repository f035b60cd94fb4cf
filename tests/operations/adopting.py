"""Policies in the tests of the operations: some to adopt, and how to."""

import json
from typing import Any

from app.domain.instant import DAY, HOUR
from app.domain.policy import HalfLives, Policy, PolicyHistory, Thresholds
from app.domain.policy_document import policy_document
from app.operations.adopt_policy import adopt_policy
from app.operations.carry_adoption import carry_adoption, sweep
from app.operations.ledger import policy_history
from app.queries.books import head
from tests.conftest import Bench

SEGMENTS = {"vip": Thresholds(marked=-5.0, deep=-20.0, glow=40.0), "new": Thresholds(evidence=30.0)}
STRICT = Policy(thresholds=Thresholds(marked=-5.0, deep=-18.0, glow=40.0), segments=SEGMENTS)
SHORT = Policy(
    half_lives=HalfLives(lasting=30.0, passing=10.0, deep=60.0, observed=20.0, fresh=3.0),
    alert_within=30 * DAY,
    quiet_for=5 * DAY,
)
LONG = Policy(
    half_lives=HalfLives(lasting=None, passing=700.0, deep=None, observed=5.0, fresh=90.0),
    thresholds=Thresholds(evidence=8.0, glow=5.0),
    segments=SEGMENTS,
    alert_within=HOUR,
    quiet_for=30 * DAY,
)
POLICIES = (Policy(), STRICT, SHORT, LONG)


def document_of(policy: Policy) -> Any:
    """The policy as a caller sends it."""
    return json.loads(policy_document(policy))


async def begin(bench: Bench, policy: Policy, book: str | None = None) -> None:
    """Begin to adopt a policy."""
    await adopt_policy(
        bench.ledger, book or bench.book, document_of(policy), expected_version=None, api_key_id=bench.key_id
    )


async def adopt_wholly(bench: Bench, policy: Policy, book: str | None = None) -> None:
    """Adopt a policy and wait until it is in force, and nothing is left of how it came."""
    await begin(bench, policy, book)
    await carry_wholly(bench, book)


async def carry_wholly(bench: Bench, book: str | None = None) -> None:
    """Carry an adoption on until it is in force, and sweep away what it left."""
    await carry_adoption(bench.ledger, book or bench.book)
    while await sweep(bench.ledger, book or bench.book):
        pass


async def policies_of(bench: Bench, book: str | None = None) -> PolicyHistory:
    """The policies that a book had."""
    async with bench.ledger.database.read(book or bench.book) as tx:
        found = await head(tx, book or bench.book)
        assert found is not None
        return await policy_history(bench.ledger, tx, book or bench.book, up_to=found.policy_version)
