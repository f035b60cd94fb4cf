"""Lists of a sandbox: after it was emptied, and while its clock is ahead."""

from datetime import datetime
from typing import Any

import pytest

from app.domain.api_key import Scope
from app.domain.instant import DAY, HOUR, instant_of
from app.operations.manage_keys import create_key
from tests.api.sentences import FAILURE, GIFT, WAIT, body_of, faults, posted, problem_of, wire_time
from tests.conftest import NOON, Bench

LIST = "/v1/customers"


@pytest.mark.parametrize("asked", [{}, {"as_of": wire_time(NOON + HOUR), "order": "felt"}])
async def test_a_page_from_before_the_emptying_does_not_go_on(bench: Bench, asked: dict[str, Any]) -> None:
    _, token = await create_key(bench.ledger, "test_acme", name="tests", scopes=[Scope.ADMIN], source="crm")
    async with bench.client(token.text) as api:
        for customer in ("ada", "bob", "eve"):
            await posted(api, customer, customer, FAILURE)
        bench.clock.pass_days(1)
        cursor = body_of(await api.get(LIST, params={"limit": 1, **asked}))["next_cursor"]
        assert (await api.get(LIST, params={"limit": 1, **asked, "cursor": cursor})).status_code == 200

        await api.delete("/v1/sandbox")
        for customer in ("ada", "bob", "eve", "mia"):
            await posted(api, customer, customer, FAILURE)

        refused = await api.get(LIST, params={"limit": 1, **asked, "cursor": cursor})
        assert faults(problem_of(refused, 422, "invalid_request")) == [("/query/cursor", "cursor_invalid")]


@pytest.mark.parametrize("path", [LIST, f"{LIST}/ada/statement"])
async def test_a_list_goes_on_though_another_process_emptied_the_sandbox_before_it_began(
    bench: Bench, path: str
) -> None:
    """This process knows the book's key of before, with which it can read no cursor of now."""
    _, token = await create_key(bench.ledger, "test_acme", name="tests", scopes=[Scope.ADMIN], source="crm")
    async with bench.client(token.text) as api:
        await posted(api, "1", "ada", FAILURE)
        await api.get(path)
        known = dict(bench.ledger.book_keys)
        await api.delete("/v1/sandbox")
        for number, customer in enumerate(("ada", "bob", "ada", "eve")):
            await posted(api, str(number), customer, FAILURE)
        bench.clock.pass_days(1)
        cursor = body_of(await api.get(path, params={"limit": 1}))["next_cursor"]
        expected = await api.get(path, params={"cursor": cursor})

        bench.ledger.book_keys.update(known)
        goes_on = await api.get(path, params={"cursor": cursor})
        bench.ledger.book_keys.update(known)
        refused = await api.get(path, params={"cursor": cursor[:-4]})

    assert known
    assert (goes_on.status_code, goes_on.content) == (200, expected.content)
    assert len(body_of(goes_on).get("entries") or body_of(goes_on)["customers"]) in (1, 2)
    assert faults(problem_of(refused, 422, "invalid_request")) == [("/query/cursor", "cursor_invalid")]


async def test_a_list_stands_at_the_sandboxs_own_instant_though_nobody_has_moved_its_clock_lately(bench: Bench) -> None:
    _, token = await create_key(bench.ledger, "test_acme", name="tests", scopes=[Scope.ADMIN], source="crm")
    async with bench.client(token.text) as api:
        for number, kind in enumerate((GIFT, FAILURE, WAIT, "agent.insult_or_threat")):
            await posted(api, str(number), f"c{number}", kind)
        assert (await api.post("/v1/sandbox/clock", json={"advance": "P20D"})).status_code == 200
        bench.clock.pass_days(300)

        listed = body_of(await api.get(LIST))
        accounts = [body_of(await api.get(f"{LIST}/{each['customer']}")) for each in listed["customers"]]

    assert instant_of(datetime.fromisoformat(listed["at"])) == NOON + 320 * DAY
    assert listed["customers"] == accounts
    assert len({account["standing_since"] for account in accounts}) > 1
