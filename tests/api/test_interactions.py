"""Posting one interaction."""

import httpx

from app.domain.instant import DAY, MINUTE
from tests.api.sentences import (
    APOLOGY,
    FAILURE,
    GIFT,
    LATE,
    Json,
    body_of,
    faults,
    got,
    happening,
    head_position,
    posted,
    problem_of,
    wire_time,
)
from tests.conftest import NOON, Bench

FIRST = happening(
    value_at="2026-05-20T10:00:00Z",
    note="kind words",
    cost=1,
    channel="phone",
    attributes={"a": 1, "b": {"c": [1, 2], "d": None}},
)


async def test_a_new_interaction_becomes_an_entry_and_moves_the_account(api: httpx.AsyncClient) -> None:
    answer = await posted(api, kind=GIFT, customer="ada@example.com")

    entry, account = answer["entry"], answer["account"]
    assert answer["replayed"] is False
    assert (entry["position"], entry["sequence"], entry["interaction"]) == (1, 1, {"source": "crm", "id": "1"})
    assert (entry["points"], entry["direction"], entry["magnitude"], entry["balance_after"]) == (45, "credit", 45, 45)
    assert (account["customer"], account["balance"], account["felt"]) == ("ada@example.com", 45, 45.0)
    assert (account["standing"], account["depth"]) == ("delighted", None)
    assert [share["entry"] for share in account["because"]] == [entry["id"]]


async def test_the_same_interaction_again_is_answered_with_the_first_entry(api: httpx.AsyncClient) -> None:
    first = await posted(api)

    again = await api.post("/v1/interactions", json=happening())

    assert again.status_code == 200
    assert body_of(again)["replayed"] is True
    assert body_of(again)["entry"] == first["entry"]
    assert await head_position(api) == 1


CONFLICTS: list[tuple[Json, list[str]]] = [
    ({"kind": GIFT}, ["kind"]),
    ({"customer": "bob"}, ["customer"]),
    ({"note": "other words", "channel": "mail"}, ["channel", "note"]),
    ({"value_at": "2026-05-20T10:00:01Z"}, ["value_at"]),
    ({"value_at": None}, ["value_at"]),
    ({"attributes": {"a": 2, "b": {"c": [1, 2], "d": None}}}, ["attributes.a"]),
    ({"attributes": {"a": 1, "b": {"c": [2, 1], "d": None}}}, ["attributes.b"]),
    ({"attributes": {"a": 1, "b": {"c": [1, 2]}}}, ["attributes.b"]),
    ({"attributes": None}, ["attributes.a", "attributes.b"]),
    ({"cost": 2}, ["cost"]),
]


async def test_other_content_under_the_same_id_is_a_conflict_that_names_the_fields(api: httpx.AsyncClient) -> None:
    await posted(api, **{name: value for name, value in FIRST.items() if name != "id"})

    for change, fields in CONFLICTS:
        response = await api.post("/v1/interactions", json={**FIRST, **change})
        assert problem_of(response, 409, "interaction_conflict")["fields"] == fields
    assert await head_position(api) == 1


SAME_AGAIN = [
    '{"kind":"apology.first","customer":"ada","id":"1","note":"kind words","channel":"phone","cost":1,'
    '"attributes":{"b":{"d":null,"c":[1,2]},"a":1},"value_at":"2026-05-20T10:00:00Z"}',
    '{"id":"1","customer":"ada","kind":"apology.first","note":"kind words","channel":"phone","cost":1.0,'
    '"attributes":{"a":1.0,"b":{"c":[1.0,2e0],"d":null}},"value_at":"2026-05-20T10:00:00Z"}',
    '{"id":"1","customer":"ada","kind":"apology.first","note":"kind w\\u006frds","channel":"phone","cost":1,'
    '"attributes":{"a":1,"b":{"c":[1,2],"d":null}},"value_at":"2026-05-20T12:30:00.000+02:30","motive":null}',
]


async def test_how_the_same_content_is_written_does_not_matter(api: httpx.AsyncClient) -> None:
    await posted(api, **{name: value for name, value in FIRST.items() if name != "id"})

    for text in SAME_AGAIN:
        again = await api.post("/v1/interactions", content=text, headers={"content-type": "application/json"})
        assert again.status_code == 200, again.text


async def test_an_absent_attribute_is_not_null(api: httpx.AsyncClient) -> None:
    await posted(api, attributes={"a": None})

    response = await api.post("/v1/interactions", json=happening(attributes={}))

    assert problem_of(response, 409, "interaction_conflict")["fields"] == ["attributes.a"]


async def test_a_resend_without_a_time_or_after_a_tariff_change_is_replayed(
    api: httpx.AsyncClient, bench: Bench
) -> None:
    first = await posted(api, kind=FAILURE)
    tariff = await got(api, "/v1/tariff")
    del tariff["kinds"][FAILURE]
    assert (await api.put("/v1/tariff", json=tariff, headers={"If-Match": "*"})).status_code == 200
    bench.clock.pass_days(400)

    again = await api.post("/v1/interactions", json=happening(kind=FAILURE))

    assert (again.status_code, body_of(again)["entry"]) == (200, first["entry"])


async def test_an_idempotency_key_serves_as_the_id_only_where_there_is_none(api: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "of the header"}
    sent = await api.post("/v1/interactions", json=happening(own_id=None), headers=key)
    again = await api.post("/v1/interactions", json=happening(own_id="of the header"))
    other = await api.post("/v1/interactions", json=happening(own_id="of the body"), headers=key)

    assert [sent.status_code, again.status_code, other.status_code] == [201, 200, 201]
    assert body_of(other)["entry"]["interaction"]["id"] == "of the body"


async def test_an_idempotency_key_is_one_line_of_printable_ascii(api: httpx.AsyncClient) -> None:
    bad: list[tuple[list[tuple[bytes, bytes]], str]] = [
        ([(b"Idempotency-Key", b"a"), (b"Idempotency-Key", b"a")], "repeated"),
        ([(b"Idempotency-Key", b"")], "too_short"),
        ([(b"Idempotency-Key", b"a" * 201)], "too_long"),
        ([(b"Idempotency-Key", "é".encode())], "text_invalid"),
        ([(b"Idempotency-Key", b"a\tb")], "text_invalid"),
    ]
    for lines, code in bad:
        response = await api.post("/v1/interactions", json=happening(own_id=None), headers=lines)
        assert faults(problem_of(response, 422, "invalid_request")) == [("/header/Idempotency-Key", code)]
        assert (await api.post("/v1/interactions", json=happening(), headers=lines)).status_code in (200, 201)
    longest = {"Idempotency-Key": "~" * 200}
    assert (await api.post("/v1/interactions", json=happening(own_id=None), headers=longest)).status_code == 201


async def test_without_any_id_nothing_is_posted(api: httpx.AsyncClient) -> None:
    response = await api.post("/v1/interactions", json=happening(own_id=None))

    assert faults(problem_of(response, 422, "invalid_request")) == [("/id", "missing")]


async def test_a_source_of_its_own_is_another_name(api: httpx.AsyncClient) -> None:
    await posted(api)

    assert (await posted(api, source="shop"))["entry"]["interaction"] == {"source": "shop", "id": "1"}


REFUSED: list[tuple[Json, str, tuple[str, str]]] = [
    ({"kind": "product.faild"}, "unknown_kind", ("/kind", "unknown_kind")),
    ({"kind": "account.merged"}, "system_kind", ("/kind", "system_kind")),
    ({"kind": LATE}, "invalid_attributes", ("/attributes/days_late", "missing_attribute")),
    (
        {"kind": LATE, "attributes": {"days_late": "two"}},
        "invalid_attributes",
        ("/attributes/days_late", "wrong_type"),
    ),
    (
        {"kind": LATE, "attributes": {"days_late": 0}},
        "requirement_not_met",
        ("/attributes/days_late", "requirement_not_met"),
    ),
    ({"points": 5}, "points_not_explicit", ("/points", "points_not_explicit")),
    (
        {"kind": "interaction.priced_by_source", "points": 101},
        "points_out_of_bounds",
        ("/points", "points_out_of_bounds"),
    ),
    ({"unknown": 1}, "invalid_request", ("/unknown", "unknown_field")),
    ({"value_at": "2026-05-20T10:00:00"}, "invalid_request", ("/value_at", "time_invalid")),
    ({"value_at": 1779271200}, "invalid_request", ("/value_at", "time_invalid")),
    ({"value_at": "0001-01-01T00:00:00+01:00"}, "invalid_request", ("/value_at", "time_invalid")),
    ({"value_at": "1899-12-31T23:59:59Z"}, "invalid_interaction", ("/value_at", "time_too_early")),
    ({"value_at": wire_time(NOON + 6 * MINUTE)}, "invalid_interaction", ("/value_at", "time_in_the_future")),
    ({"customer": ""}, "invalid_request", ("/customer", "too_short")),
    ({"customer": "a" * 201}, "invalid_request", ("/customer", "too_long")),
    ({"customer": 7}, "invalid_request", ("/customer", "text_invalid")),
    ({"source": "goodwill"}, "invalid_request", ("/source", "source_reserved")),
    ({"points": True}, "invalid_request", ("/points", "number_invalid")),
    ({"cost": "12"}, "invalid_request", ("/cost", "number_invalid")),
    ({"note": "é" * 2049}, "invalid_request", ("/note", "too_long")),
    ({"attributes": {"a": "x" * 8192}}, "invalid_request", ("/attributes", "too_long")),
    ({"motive": "boredom"}, "invalid_request", ("/motive", "unknown_value")),
]


async def test_what_is_not_acceptable_is_refused_with_its_place(api: httpx.AsyncClient) -> None:
    for change, code, fault in REFUSED:
        response = await api.post("/v1/interactions", json={**happening(), **change})
        assert faults(problem_of(response, 422, code)) == [fault]
    assert await head_position(api) == 0


async def test_an_unknown_kind_is_told_the_close_ones_and_a_missing_attribute_what_it_is(
    api: httpx.AsyncClient,
) -> None:
    misspelt = await api.post("/v1/interactions", json=happening(kind="product.faild"))
    bare = await api.post("/v1/interactions", json=happening(kind=LATE))

    assert problem_of(misspelt, 422, "unknown_kind")["close"][0] == FAILURE
    assert "integer" in problem_of(bare, 422, "invalid_attributes")["errors"][0]["detail"]


async def test_up_to_five_minutes_ahead_counts_as_now(api: httpx.AsyncClient) -> None:
    entry = (await posted(api, value_at=wire_time(NOON + 5 * MINUTE)))["entry"]

    assert entry["value_at"] == entry["booked_at"]


async def test_the_entry_shows_its_context_and_never_its_note_or_attributes(api: httpx.AsyncClient) -> None:
    context: Json = {"channel": "phone", "case": "c-7", "motive": "problem", "declared_by": "employee", "cost": 2.5}
    answer = await posted(
        api, note="secret words", attributes={"secret": "words"}, value_at=wire_time(NOON - DAY), **context
    )

    entry = answer["entry"]
    assert {name: entry[name] for name in context} == context
    assert "secret" not in str(answer)
    assert entry["kind"] == APOLOGY
