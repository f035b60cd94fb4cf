"""Why a customer stands where they stand, and what would help."""

from typing import Any

import httpx
import pytest

from app.domain.instant import DAY, SECOND
from app.operations.post_due_steps import post_due_steps
from tests.api.sentences import FAILURE, GIFT, LATE, WAIT, Json, body_of, faults, got, posted, problem_of, wire_time
from tests.conftest import NOON, Bench

EXPLANATION = "/v1/customers/ada/explanation"


async def story(api: httpx.AsyncClient) -> None:
    """The README's."""
    await posted(api, "1", kind=FAILURE, value_at=wire_time(NOON - 14 * DAY))
    await posted(api, "2", kind=WAIT, value_at=wire_time(NOON - 7 * DAY))
    await posted(api, "3", kind=GIFT)


async def test_the_story_is_explained(api: httpx.AsyncClient) -> None:
    await story(api)

    told = await got(api, EXPLANATION)

    assert (told["customer"], told["standing"], told["depth"]) == ("ada", "delighted", None)
    assert (told["felt"], told["credits"], told["debits"], told["big_credits"]) == (21.36, 45.0, 23.64, 45.0)
    assert {part["memory"]: (part["credits"], part["debits"]) for part in told["by_memory"]} == {
        "lasting": (45.0, 0.0),
        "passing": (0.0, 23.64),
        "deep": (0.0, 0.0),
        "observed": (0.0, 0.0),
    }
    assert [(each["kind"], each["felt"], each["share_percent"], each["avoidable"]) for each in told["entries"]] == [
        (GIFT, 45.0, 65.56, None),
        (FAILURE, -17.96, 26.16, True),
        (WAIT, -5.69, 8.28, True),
    ]
    assert told["debits_by_cause"]["avoidable"] == {"count": 2, "felt": -23.64}
    assert told["lighter"] == {"count": 0, "felt": 0.0}
    assert told["next"]["says"] == (
        "If nothing happens, the standing becomes steady on 2 January 2027: the felt balance falls below 15."
    )
    assert told["next"]["at"] == (await got(api, "/v1/customers/ada"))["next_crossing_at"]


async def test_what_was_foretold_comes_true(api: httpx.AsyncClient, bench: Bench) -> None:
    await story(api)
    ahead = (await got(api, EXPLANATION))["next"]

    bench.clock.pass_days(310)

    crossings = (await got(api, "/v1/customers/ada/crossings"))["crossings"]
    assert (crossings[-1]["at"], crossings[-1]["to"]["standing"]) == (ahead["at"], ahead["standing"])


async def test_the_words_are_in_the_language_that_is_liked(api: httpx.AsyncClient) -> None:
    await posted(api, kind=LATE, attributes={"days_late": 9}, value_at=wire_time(NOON - 25 * DAY))

    async def answered(liked: str, path: str = EXPLANATION, **parameters: str) -> Json:
        response = await api.get(path, params=parameters, headers={"Accept-Language": liked})
        assert (response.headers["content-language"], response.headers["vary"]) == (liked[:2], "Accept-Language")
        return body_of(response)

    french = await answered("fr-CA, en;q=0.8")
    english = await answered("en-GB, fr;q=0.8")
    assert [told["entries"][0]["for_agent"] for told in (french, english)] == [
        "A reçu sa livraison en retard le 3 mai\u202f; pèse encore 46 points sur 48. Rien n'a été fait depuis.",
        "Got the delivery late on 3 May; still weighs 46 of its 48 points. Nothing has been done since.",
    ]
    account = await answered("fr", "/v1/customers/ada", include="gestures")
    assert account["gestures"]["says"].startswith("Un seul de ces gestes suffit")
    account = await answered("en", "/v1/customers/ada", include="gestures,explanation")
    assert account["gestures"]["says"] == "Any one of these makes the account slightly overdrawn, or better."
    assert (account["explanation"]["entries"], await got(api, EXPLANATION)) == (english["entries"], english)


async def test_an_account_without_words_names_no_language(api: httpx.AsyncClient) -> None:
    await posted(api)

    response = await api.get("/v1/customers/ada", params={"include": "recent"}, headers={"Accept-Language": "fr"})
    assert "content-language" not in response.headers
    assert (body_of(response)["explanation"], body_of(response)["gestures"]) == (None, None)


async def test_an_included_explanation_is_the_explanation(api: httpx.AsyncClient) -> None:
    await story(api)

    account = await got(api, "/v1/customers/ada", include="explanation,recent,gestures")
    assert account["explanation"] == await got(api, EXPLANATION)
    assert len(account["recent"]) == 3


async def test_nobody_is_explained_who_is_unknown(api: httpx.AsyncClient) -> None:
    problem = problem_of(await api.get("/v1/customers/nobody/explanation"), 404, "unknown_customer")
    assert problem["standing"] == "no_evidence"
    problem = problem_of(await api.get(EXPLANATION, params={"as_of": "x"}), 422, "invalid_request")
    assert faults(problem) == [("/query/as_of", "unknown_parameter")]


async def test_a_promise_kept_late_is_settled_and_its_date_is_not_taken_for_that_of_the_promise(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    for own_id, customer in (("p", "ada"), ("q", "bob")):
        promise = {"id": own_id, "customer": customer, "kind": "promise.broken", "due_at": wire_time(NOON + DAY)}
        await api.post("/v1/promises", json=promise)
    bench.clock.now = NOON + 3 * DAY
    await post_due_steps(bench.ledger, bench.book)
    broken = (await got(api, EXPLANATION))["entries"][0]
    await api.post("/v1/promises/p/kept", json={})
    await posted(api, "r", "bob", "recovery.satisfactory", settles="q")

    kept = (await got(api, EXPLANATION))["entries"][0]
    repair, repaired = (await got(api, "/v1/customers/bob/explanation"))["entries"]
    happened = "Did not get what we had promised, on 29 May; still weighs all of its 15 points."
    assert broken["for_agent"] == f"{happened} Nothing has been done since."
    assert kept["for_agent"] == f"{happened} Settled on 31 May."
    assert "It has been taken care of since" in kept["to_say"]
    assert repaired["settled_by"] == repair["entry"]
    assert repair["to_say"].startswith("I can see that we could put something right for you recently")


async def test_what_was_reversed_is_absent_and_settles_nothing(api: httpx.AsyncClient) -> None:
    await posted(api, "late", kind=LATE, attributes={"days_late": 9})
    repair = await posted(api, "repair", kind="recovery.satisfactory", settles="late")
    late, settling = sorted((await got(api, EXPLANATION))["entries"], key=points)
    assert (late["settled_by"], late["credits_since"]) == (settling["entry"], 1)
    assert late["for_agent"].endswith("Settled on 28 May.")

    reversal = await api.post(f"/v1/entries/{repair['entry']['id']}/reversal", json={"reason": "not done"})

    assert reversal.status_code == 201
    (late,) = (await got(api, EXPLANATION))["entries"]
    assert (late["settled_by"], late["credits_since"], late["share_percent"]) == (None, 0, 100.0)
    assert late["for_agent"].endswith("Nothing has been done since.")


async def test_small_entries_are_summed_up(api: httpx.AsyncClient) -> None:
    for number in range(60):
        await posted(api, str(number), kind="recognition.history_used")
    await posted(api, "late", kind=LATE, attributes={"days_late": 9})

    told = await got(api, EXPLANATION)
    assert [each["kind"] for each in told["entries"]] == [LATE]
    assert told["lighter"] == {"count": 60, "felt": 180.0}


async def test_a_kind_that_the_tariff_dropped_keeps_its_words(api: httpx.AsyncClient) -> None:
    await posted(api, kind="disruption.force_majeure")
    current = await api.get("/v1/tariff")
    document = body_of(current)
    del document["kinds"]["disruption.force_majeure"]
    adopted = await api.put("/v1/tariff", json=document, headers={"If-Match": current.headers["etag"]})
    assert adopted.status_code == 200, adopted.text

    (told,) = (await got(api, EXPLANATION))["entries"]
    assert (told["label"]["en"], told["group"]) == ("Was hit by a disruption beyond our control", "unavoidable_debit")
    assert told["avoidable"] is False


STARTS: list[tuple[str, list[tuple[str, dict[str, Any]]]]] = [
    ("overdrawn", [(FAILURE, {}), (WAIT, {})]),
    ("overdrawn", [(WAIT, {})]),
    ("overdrawn", [(LATE, {"days_late": 9}), (FAILURE, {})]),
    ("overdrawn", [("agent.insult_or_threat", {}), (FAILURE, {})]),
    ("about_to_be_delighted", [("contact.resolved_first", {}), ("onboarding.milestone_reached", {})]),
    ("steady", [("purchase.repeat", {}), ("contact.resolved_first", {}), (WAIT, {})]),
]


@pytest.mark.parametrize(("standing", "kinds"), STARTS)
async def test_each_gesture_leads_where_it_promised(
    api: httpx.AsyncClient, bench: Bench, standing: str, kinds: list[tuple[str, dict[str, Any]]]
) -> None:
    async def lived(customer: str) -> Json:
        for number, (kind, attributes) in enumerate(kinds):
            own_id = f"{customer} {number}"
            await posted(api, own_id, customer, kind, attributes=attributes, value_at=wire_time(NOON - 9 * DAY))
        return await got(api, f"/v1/customers/{customer}", include="gestures")

    account = await lived("ada")
    assert account["standing"] == standing
    options = account["gestures"]["options"]
    assert options
    for number, option in enumerate(options):
        customer = f"twin {number}"
        bench.clock.now += SECOND
        assert (await lived(customer))["gestures"]["towards"] == account["gestures"]["towards"]
        bench.clock.now += SECOND
        promised = (await got(api, f"/v1/customers/{customer}", include="gestures"))["gestures"]["options"][number]
        assert promised["kinds"] == option["kinds"]
        for kind in option["kinds"]:
            entry = (await posted(api, f"{customer} {kind['kind']}", customer, kind["kind"]))["entry"]
            assert entry["points"] == kind["points"]
        after = await got(api, f"/v1/customers/{customer}/balance")
        assert (after["standing"], after["depth"], after["felt"]) == (
            promised["standing"],
            promised["depth"],
            promised["felt"],
        )


async def test_there_may_be_no_gesture(api: httpx.AsyncClient) -> None:
    await posted(api, "1", "lost", "agent.insult_or_threat")
    await posted(api, "2", "lost", "misselling_or_fraud_by_agent")
    await posted(api, "3", "glad", GIFT)
    await posted(api, "4", "new", "purchase.repeat")

    found = {
        name: (await got(api, f"/v1/customers/{name}", include="gestures"))["gestures"]
        for name in ("lost", "glad", "new")
    }
    assert found["lost"]["towards"] == {"standing": "overdrawn", "depth": "marked"}
    assert found["glad"]["towards"] is found["new"]["towards"] is None
    assert [each["options"] for each in found.values()] == [[], [], []]


def points(entry: Json) -> int:
    worth: int = entry["points"]
    return worth
