"""What support tools ask all day is read in one statement each."""

from typing import Any

import httpx
import pytest

from tests.api.sentences import FAILURE, GIFT, WAIT, body_of, posted, wire_time
from tests.conftest import NOON, Bench
from tests.statements import listening_to_reads

CUSTOMERS = ["ada", "bob", "eve", "mia"]
LIST = "/v1/customers"
STATEMENT = "/v1/customers/ada/statement"


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("GET", "/v1/customers/ada/balance", {}),
        ("GET", "/v1/customers/ada", {}),
        ("POST", "/v1/customers/lookup", {"json": {"customers": [*CUSTOMERS, "nobody"]}}),
        ("GET", STATEMENT, {}),
        ("GET", STATEMENT, {"params": {"from": wire_time(NOON), "to": wire_time(NOON + 1), "limit": 1}}),
        ("GET", LIST, {}),
        ("GET", LIST, {"params": {"order": "balance", "limit": 2}}),
        ("GET", LIST, {"params": {"order": "last_entry_at", "depth": "deep,marked", "segment": ["gold", "silver"]}}),
        ("GET", LIST, {"params": {"standing": ["overdrawn", "steady"]}}),
    ],
    ids=lambda each: str(each) if each else "",
)
async def test_it_is_one_statement(
    api: httpx.AsyncClient, bench: Bench, method: str, path: str, asked: dict[str, Any]
) -> None:
    await told(api, bench)
    assert len(await statements_of(api, bench, method, path, **asked)) == 1


@pytest.mark.parametrize("path", [STATEMENT, LIST, f"{LIST}?order=balance", f"{LIST}?order=last_entry_at"])
async def test_so_is_a_page_that_goes_on(api: httpx.AsyncClient, bench: Bench, path: str) -> None:
    await told(api, bench)
    path = f"{path}{'&' if '?' in path else '?'}limit=1"
    cursor = body_of(await api.get(path))["next_cursor"]

    assert len(await statements_of(api, bench, "GET", f"{path}&cursor={cursor}")) == 1


async def told(api: httpx.AsyncClient, bench: Bench) -> None:
    """A few entries of each customer; what is touched at the very instant of a list is read again, so a day passes."""
    for customer in CUSTOMERS:
        for kind in (FAILURE, WAIT, GIFT):
            await posted(api, f"{customer} {kind}", customer, kind=kind)
    bench.clock.pass_days(1)


async def statements_of(api: httpx.AsyncClient, bench: Bench, method: str, path: str, **asked: Any) -> list[str]:
    """What the same request, once the book's rules and its own key are known, asks the database of the book."""
    first = await api.request(method, path, **asked)
    assert first.status_code == 200, first.text
    heard = await listening_to_reads(bench.ledger.database)
    heard.clear()
    again = await api.request(method, path, **asked)
    assert again.content == first.content
    return [each for each in heard if each.startswith(("SELECT", "WITH")) and "FROM api_keys" not in each]
