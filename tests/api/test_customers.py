"""Reading one customer."""

import httpx

from app.domain.instant import DAY
from app.tables import accounts, books, crossings, customer_changes
from tests.api.sentences import (
    FAILURE,
    GIFT,
    WAIT,
    Json,
    address,
    body_of,
    faults,
    got,
    posted,
    problem_of,
    wire_time,
)
from tests.conftest import NOON, Bench
from tests.operations.stories import stored

NAMES = [
    "a/b",
    "a+b@example.com",
    "50%",
    "50%25",
    "...",
    ".a",
    "é 世界 🎈",
    "lookup",
    "a?b#c",
    "a;b=c&d",
    " ",
    "%2F",
    "a\\b",
]


async def test_any_name_works_in_a_path(api: httpx.AsyncClient) -> None:
    for number, name in enumerate(NAMES):
        await posted(api, str(number), name)

    for name in NAMES:
        path = address(name).replace(".", "%2E")
        for below in ("", "/balance", "/statement", "/crossings"):
            answer = await api.get(httpx.URL("http://goodwill.test", raw_path=(path + below).encode()))
            assert answer.status_code == 200, (name, below)
        assert body_of(await api.get(httpx.URL("http://goodwill.test", raw_path=path.encode())))["customer"] == name


async def test_a_path_may_be_percent_encoded_more_than_it_need_be(api: httpx.AsyncClient) -> None:
    await posted(api, customer="ada")

    assert (await got(api, "/v1/%63ustomers/%61%64%61"))["customer"] == "ada"


async def test_an_unknown_customer_is_a_404_without_evidence(api: httpx.AsyncClient) -> None:
    for path in ("/v1/customers/nobody", "/v1/customers/nobody/balance", "/v1/customers/nobody/statement"):
        assert problem_of(await api.get(path), 404, "unknown_customer")["standing"] == "no_evidence"
    problem_of(await api.patch("/v1/customers/nobody", json={"value": 1}), 404, "unknown_customer")


async def test_a_name_that_is_none_is_refused(api: httpx.AsyncClient) -> None:
    for name, fault in {"%00": "text_invalid", "a" * 201: "too_long", "%FF": "text_invalid"}.items():
        response = await api.get(f"/v1/customers/{name}")
        assert faults(problem_of(response, 422, "invalid_request")) == [("/path/customer", fault)]


async def test_the_account_says_when_it_will_move_and_what_it_rests_on(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api, "1", kind=FAILURE, value_at=wire_time(NOON - 14 * DAY))
    await posted(api, "2", kind=WAIT, value_at=wire_time(NOON - 7 * DAY))
    await posted(api, "3", kind=GIFT)

    account = await got(api, "/v1/customers/ada", include="recent")
    assert (account["standing"], account["balance"]) == ("delighted", 19)
    assert [share["kind"] for share in account["because"]] == [GIFT, FAILURE, WAIT]
    assert [entry["interaction"]["id"] for entry in account["recent"]] == ["3", "2", "1"]

    bench.clock.pass_days(3650)
    assert (await got(api, "/v1/customers/ada"))["standing"] == "no_evidence"
    assert (await got(api, "/v1/customers/ada"))["recent"] is None


async def test_only_known_parts_can_be_included(api: httpx.AsyncClient) -> None:
    await posted(api)

    assert len((await got(api, "/v1/customers/ada", include="recent,recent"))["recent"]) == 1
    for wrong in ("gossip", "recent,gossip", ""):
        problem = problem_of(await api.get("/v1/customers/ada", params={"include": wrong}), 422, "invalid_request")
        assert faults(problem)[0][1] == "unknown_value"


async def test_the_segment_and_the_value_are_set_kept_and_taken_away(api: httpx.AsyncClient) -> None:
    await posted(api)

    async def patched(**body: object) -> tuple[object, object]:
        response = await api.patch("/v1/customers/ada", json=body)
        assert response.status_code == 200, response.text
        return body_of(response)["segment"], body_of(response)["value"]

    assert await patched(segment="vip", value=1200.5) == ("vip", 1200.5)
    assert await patched(value=7) == ("vip", 7.0)
    assert await patched() == ("vip", 7.0)
    assert await patched(segment=None) == (None, 7.0)
    for body in ({"segment": ""}, {"segment": "a,b"}, {"value": -1}, {"value": "7"}, {"value": True}, {"name": "x"}):
        problem_of(await api.patch("/v1/customers/ada", json=body), 422, "invalid_request")
    assert (await got(api, "/v1/customers/ada"))["value"] == 7.0


async def test_setting_what_is_known_already_writes_nothing(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api, kind=FAILURE)
    tables = (accounts, books, crossings, customer_changes)

    async def patched(**body: object) -> bool:
        """Whether a PATCH writes anything."""
        bench.clock.pass_days(100)
        before = await stored(bench, *tables)
        assert (await api.patch("/v1/customers/ada", json=body)).status_code == 200
        return await stored(bench, *tables) != before

    assert not await patched()
    assert not await patched(segment=None, value=None)
    assert await patched(segment="vip", value=7)
    assert not await patched(segment="vip", value=7.0)
    assert not await patched(value=7)
    assert await patched(value=0)
    assert await patched(value=None)
    assert [(row["segment"], row["value"]) for row in (await stored(bench, customer_changes))["customer_changes"]] == [
        ("vip", 7.0),
        ("vip", 0.0),
        ("vip", None),
    ]


async def test_a_balance_is_sent_again_only_when_it_has_changed(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api, kind=GIFT)
    path = "/v1/customers/ada/balance"
    first = await api.get(path)
    tag = first.headers["etag"]
    assert body_of(first) == {"balance": 45, "felt": 45.0, "standing": "delighted", "depth": None}

    for sent in (tag, f'"other", W/{tag}', "*"):
        same = await api.get(path, headers={"If-None-Match": sent})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert (await api.get(path, headers={"If-None-Match": '"other"'})).status_code == 200
    bench.clock.pass_days(30)
    later = await api.get(path, headers={"If-None-Match": tag})
    assert later.status_code == 200
    assert later.headers["etag"] != tag


async def test_up_to_five_hundred_are_looked_up_at_once_in_the_order_asked_for(api: httpx.AsyncClient) -> None:
    await posted(api, "1", "ada", GIFT)
    await posted(api, "2", "bob", FAILURE)
    strangers = ["é" * 190 + str(number) for number in range(497)]

    response = await api.post("/v1/customers/lookup", json={"customers": ["bob", *strangers, "ada", "bob"]})

    found = body_of(response)["customers"]
    assert [found[0]["customer"], found[-2]["customer"], found[-1]["customer"]] == ["bob", "ada", "bob"]
    assert found[0] == await got(api, "/v1/customers/bob")
    assert found[1] == {"customer": strangers[0], "found": False, "standing": "no_evidence"}


async def test_no_more_than_five_hundred_are_looked_up(api: httpx.AsyncClient) -> None:
    shapes: list[Json] = [{"customers": ["a"] * 501}, {"customers": []}, {"customers": [""]}, {"customers": "ada"}, {}]
    for wrong in shapes:
        problem_of(await api.post("/v1/customers/lookup", json=wrong), 422, "invalid_request")


async def test_crossings_come_in_pages_and_tell_what_led_where(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api, "1", kind=GIFT)
    bench.clock.pass_days(2000)
    await posted(api, "2", kind=FAILURE)

    whole = await got(api, "/v1/customers/ada/crossings")
    first, *_, last = whole["crossings"]
    assert first["from"] == {"standing": "no_evidence", "depth": None}
    assert (first["to"]["standing"], first["cause"], first["position"]) == ("delighted", "entry", 1)
    assert (last["to"], last["position"]) == ({"standing": "overdrawn", "depth": "marked"}, 2)
    assert {crossing["cause"] for crossing in whole["crossings"][1:-1]} == {"time"}

    paged, cursor = [], None
    while True:
        page = await got(api, "/v1/customers/ada/crossings", limit=1, **({"cursor": cursor} if cursor else {}))
        paged += page["crossings"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert paged == whole["crossings"]


async def test_crossings_that_nobody_recorded_yet_are_told_too(api: httpx.AsyncClient, bench: Bench) -> None:
    await posted(api, kind=GIFT)
    bench.clock.pass_days(3000)

    crossings = (await got(api, "/v1/customers/ada/crossings"))["crossings"]

    assert [crossing["ordinal"] for crossing in crossings] == list(range(1, len(crossings) + 1))
    assert crossings[-1]["to"]["standing"] == "no_evidence"
