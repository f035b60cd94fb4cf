"""The balance as it was, as far as it was known."""

from typing import Any

import httpx

from app.domain.instant import DAY
from app.domain.policy import Policy, Thresholds
from tests.api.sentences import FAILURE, GIFT, faults, got, posted, problem_of, wire_time
from tests.conftest import NOON, Bench


async def balance(api: httpx.AsyncClient, **parameters: Any) -> tuple[int, float]:
    seen = await got(api, "/v1/customers/ada/balance", **parameters)
    return seen["balance"], seen["felt"]


async def test_as_of_goes_by_when_it_mattered_known_at_by_when_it_was_booked(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    await posted(api, "1", kind=GIFT, value_at=wire_time(NOON - 90 * DAY))
    bench.clock.pass_days(10)
    await posted(api, "2", kind=FAILURE, value_at=wire_time(NOON - 90 * DAY))
    before, between = wire_time(NOON - 90 * DAY), wire_time(NOON + 5 * DAY)

    assert await balance(api, as_of=before) == (25, 25.0)
    assert await balance(api, as_of=before, known_at=between) == (45, 45.0)
    assert await balance(api, known_at=between) == (45, round(45 * 2 ** (-95 / 180), 2))
    assert await balance(api, as_of=wire_time(NOON + 90 * DAY)) == (25, round(45 * 0.5 - 20 * 0.25, 2))
    assert await balance(api) == await balance(api, known_at=wire_time(bench.clock.now))


async def test_what_was_reversed_is_absent_once_that_was_known(api: httpx.AsyncClient, bench: Bench) -> None:
    entry = (await posted(api, kind=GIFT))["entry"]
    bench.clock.pass_days(1)
    assert (await api.post(f"/v1/entries/{entry['id']}/reversal", json={"reason": "x"})).status_code == 201

    assert await balance(api, as_of=wire_time(NOON)) == (0, 0.0)
    assert await balance(api, as_of=wire_time(NOON), known_at=wire_time(NOON)) == (45, 45.0)


async def test_a_look_back_goes_by_the_segment_that_was_known(api: httpx.AsyncClient, bench: Bench) -> None:
    vip = Thresholds(marked=-5.0, deep=-10.0)
    bench.ledger.policies[bench.book, 1] = Policy(segments={"vip": vip})
    await posted(api, kind=FAILURE)
    depths: dict[int, str] = {}
    for segment, depth in [(None, "marked"), ("vip", "deep"), ("other", "marked"), (None, "marked"), ("vip", "deep")]:
        bench.clock.pass_days(1)
        assert (await api.patch("/v1/customers/ada", json={"segment": segment})).status_code == 200
        depths[bench.clock.now] = depth

    seen = {at: await got(api, "/v1/customers/ada/balance", known_at=wire_time(at)) for at in depths}
    assert {at: then["depth"] for at, then in seen.items()} == depths
    mattered = await got(api, "/v1/customers/ada/balance", as_of=wire_time(NOON))
    assert (mattered["felt"], mattered["depth"]) == (-20.0, "deep")
    unknown = await got(api, "/v1/customers/ada/balance", as_of=wire_time(NOON), known_at=wire_time(NOON))
    assert (unknown["felt"], unknown["depth"]) == (-20.0, "marked")


async def test_nobody_knows_the_future_and_nothing_was_known_before_the_first_entry(api: httpx.AsyncClient) -> None:
    await posted(api)
    path = "/v1/customers/ada/balance"

    ahead = await api.get(path, params={"known_at": wire_time(NOON + DAY)})
    assert faults(problem_of(ahead, 422, "invalid_request")) == [("/query/known_at", "time_in_the_future")]
    earlier = await api.get(path, params={"as_of": wire_time(NOON - DAY)})
    assert problem_of(earlier, 404, "unknown_customer")["standing"] == "no_evidence"
    for wrong in ("2026-05-20", "2026-05-20T10:00:00", "now", "1779271200", "", "9999-12-31T23:59:59-23:59"):
        response = await api.get(path, params={"as_of": wrong})
        assert faults(problem_of(response, 422, "invalid_request"))[0][0] == "/query/as_of"
