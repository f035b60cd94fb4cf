"""Reading, trying and adopting the policy; and what was read across a switch."""

from dataclasses import asdict
from typing import Any

import httpx
import pytest

from app.api import policy as api_policy
from app.domain.api_key import Scope
from app.domain.policy import HalfLives, Policy, Thresholds
from app.operations.manage_keys import create_key
from tests.api.sentences import APOLOGY, FAILURE, GIFT, WAIT, body_of, faults, got, posted, problem_of, wire_time
from tests.conftest import Bench

POLICY = "/v1/policy"
SHORT = {
    "half_lives": {"lasting": 30, "passing": 10, "deep": 60, "observed": 20, "fresh": 3},
    "thresholds": asdict(Thresholds()),
}


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adoption that is followed is told of in a test of its own; elsewhere a busy machine makes no difference."""
    monkeypatch.setattr(api_policy, "ADOPTED_WITHIN_SECONDS", 60.0)


async def put(api: httpx.AsyncClient, document: Any, if_match: str | None = "*") -> httpx.Response:
    return await api.put(POLICY, json=document, headers={} if if_match is None else {"If-Match": if_match})


async def test_a_policy_is_adopted_over_the_one_that_was_read(api: httpx.AsyncClient) -> None:
    read = await api.get(POLICY)
    document = body_of(read)
    assert document == {
        "half_lives": asdict(HalfLives()),
        "thresholds": asdict(Thresholds()),
        "segments": {},
        "alert_within": "P2D",
        "quiet_for": "P1D",
    }
    assert read.headers["etag"] == '"1"'
    document["segments"]["vip"] = {"marked": -5}

    adopted = await put(api, document, '"1"')
    assert (adopted.status_code, body_of(adopted), adopted.headers["etag"]) == (200, {"version": 2}, '"2"')
    assert await got(api, POLICY) == document
    problem_of(await put(api, document, '"1"'), 412, "policy_changed")
    problem_of(await put(api, document, None), 428, "if_match_required")
    assert faults(problem_of(await put(api, document, "x"), 422, "invalid_request"))[0][0] == "/header/If-Match"
    assert (await put(api, document, 'W/"2"')).status_code == 200
    for none_of_them in ('"1", "2"', '"sunday"', 'W/"0"'):
        problem_of(await put(api, document, none_of_them), 412, "policy_changed")
    for malformed in ("3", '"3', '* , "3"', ""):
        refused = problem_of(await put(api, document, malformed), 422, "invalid_request")
        assert faults(refused) == [("/header/If-Match", "text_invalid")]
    assert (await put(api, document, '"1",W/"3" , "sunday"')).status_code == 200
    assert (await got(api, "/v1/policy/versions/1"))["segments"] == {}
    problem_of(await api.get("/v1/policy/versions/5"), 404, "unknown_policy_version")
    problem_of(await api.get("/v1/policy/versions/0"), 422, "invalid_request")


async def test_a_bad_policy_is_refused_with_its_places_and_the_old_one_stays(api: httpx.AsyncClient) -> None:
    document = {
        "half_lives": {**SHORT["half_lives"], "passing": 31},
        "thresholds": {**SHORT["thresholds"], "deep": -15},
        "segments": {"vip": {"heights": 1}},
    }
    expected = [
        ("/half_lives/passing", "passing_exceeds_lasting"),
        ("/segments/vip/heights", "unknown_field"),
        ("/thresholds/deep", "deep_not_below_marked"),
    ]

    assert sorted(faults(problem_of(await put(api, document), 422, "invalid_policy"))) == [
        ("/half_lives/passing", "passing_exceeds_lasting"),
        ("/segments/vip/deep", "deep_not_below_marked"),
        *expected[1:],
    ]
    previewed = await api.post("/v1/policy/preview", json={"policy": document})
    assert {(f"/policy{pointer}", code) for pointer, code in expected} <= set(
        faults(problem_of(previewed, 422, "invalid_policy"))
    )
    assert (await api.get(POLICY)).headers["etag"] == '"1"'
    shapes: list[Any] = [[], "policy", 1, {"policy": 1}]
    for wrong in shapes:
        assert (await api.put(POLICY, json=wrong, headers={"If-Match": "*"})).status_code == 422
        assert (await api.post("/v1/policy/preview", json=wrong)).status_code == 422


async def test_a_preview_says_from_what_to_what_and_the_adoption_does_it(api: httpx.AsyncClient, bench: Bench) -> None:
    for number, kind in enumerate((GIFT, FAILURE, APOLOGY, WAIT)):
        await posted(api, str(number), f"customer {number}", kind)
    bench.clock.pass_days(60)

    preview = body_of(await api.post("/v1/policy/preview", json={"policy": SHORT, "seed": 7}))

    assert preview == {
        "accounts": 4,
        "looked_at": 4,
        "is_sample": False,
        "changed": 3,
        "moves": [
            {
                "from": {"standing": "overdrawn", "depth": "slight"},
                "to": {"standing": "no_evidence", "depth": None},
                "accounts": 2,
            },
            {
                "from": {"standing": "delighted", "depth": None},
                "to": {"standing": "steady", "depth": None},
                "accounts": 1,
            },
        ],
    }
    assert (await put(api, SHORT)).status_code == 200
    causes = (await got(api, "/v1/customers/customer 0/crossings"))["crossings"]
    assert {each["cause"] for each in causes} == {"entry", "policy"}
    assert (await got(api, "/v1/customers/customer 0"))["felt"] == round(45 * 2 ** (-60 / 30), 2)


async def test_what_was_known_before_a_switch_is_told_under_the_policy_of_then(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    await posted(api, "1", "ada", GIFT)
    bench.clock.pass_days(60)
    before = bench.clock.now
    bench.clock.pass_days(1)
    await put(api, SHORT)

    then = await got(api, "/v1/customers/ada/balance", as_of=wire_time(before), known_at=wire_time(before))
    now = await got(api, "/v1/customers/ada/balance", as_of=wire_time(before))
    assert (then["felt"], then["standing"]) == (round(45 * 2 ** (-60 / 180), 2), "delighted")
    assert (now["felt"], now["standing"]) == (round(45 * 2 ** (-60 / 30), 2), "steady")


@pytest.mark.parametrize("parameters", [{}, {"order": "felt"}])
async def test_a_worklist_goes_on_as_it_began_though_the_policy_changes_between_its_pages(
    api: httpx.AsyncClient, bench: Bench, parameters: dict[str, str]
) -> None:
    for number, kind in enumerate((GIFT, FAILURE, APOLOGY, WAIT, GIFT, FAILURE)):
        await posted(api, str(number), f"customer {number}", kind)
        bench.clock.pass_days(9)
    whole = (await got(api, "/v1/customers", **parameters))["customers"]
    page = await got(api, "/v1/customers", limit=2, **parameters)
    bench.clock.pass_days(1)
    await put(api, SHORT)

    shown = page["customers"]
    while page["next_cursor"]:
        page = await got(api, "/v1/customers", limit=2, cursor=page["next_cursor"], **parameters)
        shown += page["customers"]
    assert [(each["customer"], each["felt"], each["standing"]) for each in shown] == [
        (each["customer"], each["felt"], each["standing"]) for each in whole
    ]
    fresh = (await got(api, "/v1/customers", **parameters))["customers"]
    assert {each["felt"] for each in fresh}.isdisjoint({each["felt"] for each in whole})


async def test_an_adoption_that_takes_longer_is_followed_and_cancelled(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_policy, "ADOPTED_WITHIN_SECONDS", 0.0)
    await posted(api)
    problem_of(await api.get("/v1/policy/adoption"), 404, "no_adoption")
    problem_of(await api.delete("/v1/policy/adoption"), 404, "no_adoption")

    begun = await put(api, SHORT)
    assert begun.status_code == 202
    assert {name: body_of(begun)[name] for name in ("version", "accounts")} == {"version": 2, "accounts": 1}
    assert (await api.get(POLICY)).headers["etag"] == '"1"'
    problem_of(await put(api, SHORT), 409, "adoption_under_way")
    assert (await got(api, "/v1/policy/adoption"))["version"] == 2
    assert (await api.delete("/v1/policy/adoption")).status_code == 204
    assert (await api.get(POLICY)).headers["etag"] == '"1"'


async def test_who_may_do_what(bench: Bench) -> None:
    _, reader = await create_key(bench.ledger, bench.book, name="r", scopes=[Scope.ACCOUNTS_READ])
    async with bench.client(reader.text) as api:
        assert (await api.get(POLICY)).status_code == 200
        for refused in (
            await put(api, SHORT),
            await api.post("/v1/policy/preview", json={"policy": SHORT}),
            await api.delete("/v1/policy/adoption"),
        ):
            assert problem_of(refused, 403, "forbidden")["scope"] == "rules:manage"


async def test_a_segments_thresholds_count_from_the_switch_on(api: httpx.AsyncClient) -> None:
    await posted(api, "1", "ada", WAIT)
    await api.patch("/v1/customers/ada", json={"segment": "vip"})
    document = {"half_lives": asdict(HalfLives()), "thresholds": asdict(Policy().thresholds)}

    await put(api, {**document, "segments": {"vip": {"marked": -5}}})

    assert (await got(api, "/v1/customers/ada"))["depth"] == "marked"
    last = (await got(api, "/v1/customers/ada/crossings"))["crossings"][-1]
    assert last["cause"] == "policy"
