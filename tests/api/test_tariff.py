"""Reading, adopting, searching and trying the tariff; and the feed."""

from typing import Any

import httpx

from tests.api.sentences import APOLOGY, FAILURE, GIFT, LATE, Json, body_of, faults, got, happening, posted, problem_of

TARIFF = "/v1/tariff"


async def put(api: httpx.AsyncClient, document: Any, if_match: str | None = "*") -> httpx.Response:
    return await api.put(TARIFF, json=document, headers={} if if_match is None else {"If-Match": if_match})


async def valued(api: httpx.AsyncClient, *items: Json, **more: Any) -> Json:
    response = await api.post("/v1/tariff/valuations", json={"interactions": list(items), **more})
    assert response.status_code == 200, response.text
    return body_of(response)


async def test_a_tariff_is_adopted_over_the_one_that_was_read(api: httpx.AsyncClient) -> None:
    read = await api.get(TARIFF)
    tariff = body_of(read)
    tariff["kinds"][APOLOGY]["points"] = 4
    assert read.headers["etag"] == '"1"'

    adopted = await put(api, tariff, '"1"')
    assert (adopted.status_code, body_of(adopted), adopted.headers["etag"]) == (200, {"version": 2}, '"2"')
    assert await got(api, TARIFF) == tariff
    problem_of(await put(api, tariff, '"1"'), 412, "tariff_changed")
    problem_of(await put(api, tariff, None), 428, "if_match_required")
    for wrong in ("2", "", "x", '"2', '"2" "3"', '"2",', '*, "2"'):
        fault = ("/header/If-Match", "text_invalid")
        assert faults(problem_of(await put(api, tariff, wrong), 422, "invalid_request")) == [fault]
    for other in ('"1", "3"', '"x"', '""'):
        problem_of(await put(api, tariff, other), 412, "tariff_changed")
    assert (await put(api, tariff, 'W/"2"')).status_code == 200
    assert (await got(api, "/v1/tariff/versions/1"))["kinds"][APOLOGY]["points"] == 3
    problem_of(await api.get("/v1/tariff/versions/4"), 404, "unknown_tariff_version")
    for none in ("0", "x", "99999999999"):
        problem_of(await api.get(f"/v1/tariff/versions/{none}"), 422, "invalid_request")


async def test_if_match_may_list_several_on_one_line_or_more(api: httpx.AsyncClient) -> None:
    tariff = await got(api, TARIFF)

    assert body_of(await put(api, tariff, '"7" , W/"1",\t"9"')) == {"version": 2}
    lines = [("If-Match", '"1"'), ("If-Match", '"2"')]
    assert body_of(await api.put(TARIFF, json=tariff, headers=lines)) == {"version": 3}
    problem_of(await api.put(TARIFF, json=tariff, headers=lines), 412, "tariff_changed")


async def test_a_tariff_is_sent_again_only_when_it_has_changed(api: httpx.AsyncClient) -> None:
    tariff = await got(api, TARIFF)
    one_of_two = [("If-None-Match", '"0"'), ("If-None-Match", '"1"')]

    for known in ({"If-None-Match": '"1"'}, {"If-None-Match": '"7", W/"1"'}, {"If-None-Match": "*"}, one_of_two):
        same = await api.get(TARIFF, headers=known)
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"1"')
    await put(api, tariff)
    later = await api.get(TARIFF, headers={"If-None-Match": '"1"'})
    assert (later.status_code, later.headers["etag"], body_of(later)) == (200, '"2"', tariff)


async def test_an_entry_says_which_version_priced_it(api: httpx.AsyncClient) -> None:
    tariff = await got(api, TARIFF)
    tariff["kinds"][APOLOGY]["points"] = 4
    first = (await posted(api, "1"))["entry"]
    await put(api, tariff)
    second = (await posted(api, "2"))["entry"]

    assert [(entry["points"], entry["tariff_version"]) for entry in (first, second)] == [(3, 1), (4, 2)]


async def test_a_bad_tariff_is_refused_with_kind_and_column_and_the_old_one_stays(api: httpx.AsyncClient) -> None:
    tariff = await got(api, TARIFF)
    tariff["kinds"][LATE]["points"] = "attributes.days_late <= 3 ? -12 : )"
    del tariff["kinds"][GIFT]["label"]

    problem = problem_of(await put(api, tariff), 422, "invalid_tariff")

    assert sorted(faults(problem)) == [
        (f"/kinds/{LATE}/points", "expression_does_not_compile"),
        (f"/kinds/{GIFT}/label", "missing_field"),
    ]
    (compiled,) = (error for error in problem["errors"] if error["code"] == "expression_does_not_compile")
    assert LATE in compiled["detail"]
    assert "column" in compiled["detail"]
    assert (await api.get(TARIFF)).headers["etag"] == '"1"'
    assert (await posted(api, kind=LATE, attributes={"days_late": 2}))["entry"]["points"] == -12


async def test_a_tariff_is_an_object_of_at_most_a_mebibyte(api: httpx.AsyncClient) -> None:
    shapes: list[Any] = [[], "tariff", 1, True]
    for wrong in shapes:
        problem_of(await put(api, wrong), 422, "invalid_request")
    problem_of(await put(api, {}), 422, "invalid_tariff")
    problem_of(await put(api, {"name": "x" * 1024 * 1024}), 413, "body_too_large")


async def test_kinds_are_found_by_words_in_both_languages(api: httpx.AsyncClient) -> None:
    async def found(**parameters: str) -> list[str]:
        return [kind["kind"] for kind in (await got(api, "/v1/tariff/kinds", **parameters))["kinds"]]

    whole = await found()
    assert whole == sorted((await got(api, TARIFF))["kinds"])
    assert GIFT in await found(q="unexpected gift")
    assert GIFT in await found(q="cadeau")
    assert (await found(q="product.failed"))[0] == FAILURE
    assert await found(q="zzzz") == []
    assert await found(q="%") == []
    problem_of(await api.get("/v1/tariff/kinds", params={"q": "x" * 201}), 422, "invalid_request")


async def test_interactions_are_valued_without_being_posted(api: httpx.AsyncClient) -> None:
    answer = await valued(
        api,
        {"kind": GIFT},
        {"kind": LATE, "attributes": {"days_late": "9"}},
        {"kind": "no.such_kind"},
        {"kind": "interaction.priced_by_source", "points": -7},
    )

    assert answer["tariff_version"] == 1
    assert [each.get("points") for each in answer["valuations"]] == [45, -48, None, -7]
    assert answer["valuations"][1]["memory"] == "deep"
    assert answer["valuations"][2]["problem"]["code"] == "unknown_kind"
    assert (await got(api, "/v1/entries"))["entries"] == []


async def test_a_tariff_of_ones_own_is_tried_without_being_adopted(api: httpx.AsyncClient) -> None:
    tariff = await got(api, TARIFF)
    tariff["kinds"] = {"own.kind": {**tariff["kinds"][GIFT], "points": 44}}

    answer = await valued(api, {"kind": "own.kind"}, {"kind": GIFT}, tariff=tariff)

    assert answer["tariff_version"] is None
    assert [each["outcome"] for each in answer["valuations"]] == ["valued", "refused"]
    broken = {"interactions": [{"kind": GIFT}], "tariff": {"kinds": {}}}
    problem_of(await api.post("/v1/tariff/valuations", json=broken), 422, "invalid_tariff")
    assert (await api.get(TARIFF)).headers["etag"] == '"1"'


async def test_the_feed_is_read_on_from_a_position(api: httpx.AsyncClient) -> None:
    batch = [happening(str(number), f"customer {number % 3}") for number in range(7)]
    await api.post("/v1/interactions/batch", json={"interactions": batch})

    positions, after = [], 0
    while True:
        page = await got(api, "/v1/entries", after=after, limit=2)
        positions += [entry["position"] for entry in page["entries"]]
        if not page["entries"]:
            break
        after = page["next_after"]
    assert positions == [1, 2, 3, 4, 5, 6, 7]
    assert page == {"entries": [], "next_after": 7}
    assert (await got(api, "/v1/entries"))["entries"][4]["customer"] == "customer 1"
    for wrong in ({"after": -1}, {"after": "x"}, {"after": 2**60}, {"limit": 1001}, {"cursor": "x"}):
        problem_of(await api.get("/v1/entries", params=wrong), 422, "invalid_request")


async def test_a_dry_run_refuses_what_a_posting_would(api: httpx.AsyncClient) -> None:
    dry = await api.post("/v1/tariff/valuations", json={"interactions": [{"kind": "promise.made"}]})
    posted = await api.post("/v1/interactions", json={"id": "1", "customer": "ada", "kind": "promise.made"})

    assert dry.json()["valuations"][0]["problem"]["code"] == posted.json()["code"] == "system_kind"
