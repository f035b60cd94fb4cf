"""How fast one caller may go on: requests of one key, and wrong secrets for one."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api import pace
from app.api.pace import WRONG_AT_ONCE, Pace
from app.domain.api_key import Scope
from app.domain.request_errors import TooManyRequests
from app.main import Opened, create_app
from app.operations.manage_keys import create_key
from app.settings import Settings
from tests.api.sentences import got, problem_of
from tests.conftest import Bench


def caller(bench: Bench, token: str, *, per_second: float | None, address: str = "10.0.0.1") -> httpx.AsyncClient:
    service = Opened(Settings(database_url=bench.url, key_requests_per_second=per_second), ledger=bench.ledger)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(service), client=(address, 1)),
        base_url="http://goodwill.test",
        headers={"Authorization": f"Bearer {token}"},
    )


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.floats(1, 20))
def test_in_no_time_more_is_taken_than_was_there_and_came_in(pauses: list[float], per_second: float) -> None:
    own, now, taken = Pace(per_second, per_second), 0.0, 0
    for pause in pauses:
        now += pause
        try:
            own.check("k", now)
        except TooManyRequests:
            continue
        own.spend("k", now)
        taken += 1
    assert taken <= per_second + per_second * now + 1e-6
    assert taken >= 1


def test_a_process_remembers_no_more_names_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "NAMES_MAX", 3)
    own = Pace(1.0, 2.0)
    for n in range(10):
        own.spend(n, 0.0)
        own.spend(n, 0.0)
        with pytest.raises(TooManyRequests):
            own.check(n, 0.5)
    for n in range(10):
        own.check(n, 100.0)


async def test_more_requests_of_a_key_than_it_may_send_are_told_to_come_again_and_no_others(bench: Bench) -> None:
    _, other = await create_key(bench.ledger, bench.book, name="other", scopes=[Scope.ADMIN])
    async with caller(bench, bench.token, per_second=3) as api:
        answers = [await api.get("/v1/entries") for _ in range(6)]
        api.headers["Authorization"] = f"Bearer {other.text}"
        assert (await api.get("/v1/entries")).status_code == 200

    assert [each.status_code for each in answers[:3]] == [200] * 3
    refused = [each for each in answers if each.status_code != 200]
    assert len(refused) >= 2
    for each in refused:
        problem_of(each, 429, "too_many_requests")
        assert each.headers["retry-after"] == "1"


async def test_who_tries_wrong_secrets_for_a_key_is_told_to_wait_and_whoever_has_it_is_not(bench: Bench) -> None:
    wrong = bench.token[:-1] + ("0" if bench.token[-1] != "0" else "1")
    async with caller(bench, wrong, per_second=None) as guessing:
        found = [(await guessing.get("/v1/entries")).status_code for _ in range(WRONG_AT_ONCE + 5)]
        assert found[:WRONG_AT_ONCE] == [401] * WRONG_AT_ONCE
        problem_of(await guessing.get("/v1/entries"), 429, "too_many_requests")
        assert set(found[WRONG_AT_ONCE:]) <= {401, 429}
    async with caller(bench, bench.token, per_second=None, address="10.0.0.2") as api:
        await got(api, "/v1/entries")
