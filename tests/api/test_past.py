"""Looking back over HTTP, against brute force: a balance, and the worklist."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from app.domain.api_key import Scope
from app.domain.instant import Instant
from app.operations.manage_keys import create_key
from tests.api.sentences import Json, address, body_of, got, problem_of, wire_time
from tests.conftest import Bench
from tests.operations.brute_force import Life, Truth, lives, truth
from tests.operations.pasts import Past, live_through, pasts
from tests.operations.posting import account_of, new_book
from tests.operations.stories import CUSTOMERS
from tests.operations.test_past import Pick, instant, looks, past_instant


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(past=pasts(), looks=looks)
async def test_what_the_api_says_of_the_past_was_true_and_known(
    bench: Bench, past: Past, looks: Sequence[tuple[Pick | None, Pick | None]]
) -> None:
    book = await new_book(bench)
    _, token = await create_key(bench.ledger, book, name="reader", scopes=[Scope.ACCOUNTS_READ])
    await live_through(bench, book, past)
    by_account = {life.entries[0].account_id: life for life in await lives(bench, book)}
    known = {name: by_account[(await account_of(bench, name, book)).account_id] for name in CUSTOMERS}
    async with bench.client(token.text) as api:
        for name, life in known.items():
            for as_of, known_at in looks[:6]:
                await compare(bench, api, name, life, instant(life, as_of), past_instant(bench, life, known_at))
        for at in {instant(life, as_of) or bench.clock.now for life in known.values() for as_of, _ in looks[6:8]}:
            await compare_worklist(bench, api, known, at)


async def compare(
    bench: Bench, api: httpx.AsyncClient, name: str, life: Life, as_of: Instant | None, known_at: Instant | None
) -> None:
    booked_by = bench.clock.now if known_at is None else known_at
    expected = truth(life, as_of=booked_by if as_of is None else as_of, known_at=booked_by)
    asked = {"as_of": as_of, "known_at": known_at}
    parameters = {what: wire_time(at) for what, at in asked.items() if at is not None}
    response = await api.get(f"{address(name)}/balance", params=parameters)
    if expected is None:
        assert problem_of(response, 404, "unknown_customer")["standing"] == "no_evidence"
    else:
        is_shown(body_of(response), expected)


async def compare_worklist(bench: Bench, api: httpx.AsyncClient, known: dict[str, Life], as_of: Instant) -> None:
    """Everyone of whom something was true by then, the lowest felt balance first."""
    truths = {name: truth(life, as_of=as_of, known_at=bench.clock.now) for name, life in known.items()}
    listed = await pages(api, as_of=wire_time(as_of))
    assert {each["customer"] for each in listed} == {name for name, expected in truths.items() if expected}
    for each in listed:
        expected = truths[each["customer"]]
        assert expected is not None
        is_shown(each, expected)
    felt = [each["felt"] for each in listed]
    assert felt == sorted(felt)


async def pages(api: httpx.AsyncClient, **parameters: Any) -> list[Json]:
    page = await got(api, "/v1/customers", limit=2, **parameters)
    listed: list[Json] = page["customers"]
    while page["next_cursor"]:
        page = await got(api, "/v1/customers", limit=2, cursor=page["next_cursor"], **parameters)
        listed += page["customers"]
    return listed


def is_shown(shown: Json, expected: Truth) -> None:
    assert shown["balance"] == expected.balance
    assert shown["felt"] == pytest.approx(expected.felt, abs=0.0051)
    assert (shown["standing"], shown["depth"]) in {(place.standing, place.depth) for place in expected.places}
