"""A customer's statement, as JSON and as CSV."""

import csv
import io

import httpx

from app.domain.instant import DAY
from tests.api.sentences import FAILURE, GIFT, WAIT, got, posted, problem_of, wire_time
from tests.conftest import NOON, Bench

STATEMENT = "/v1/customers/ada/statement"


async def three_days(api: httpx.AsyncClient, bench: Bench) -> None:
    """+45, -20 and -6, a day apart, between entries of somebody else."""
    for number, kind in enumerate((GIFT, FAILURE, WAIT), start=1):
        await posted(api, str(number), kind=kind, source=f"=source{number}")
        await posted(api, f"other {number}", "bob")
        bench.clock.pass_days(1)


async def test_a_statement_is_opened_and_closed_by_balances(api: httpx.AsyncClient, bench: Bench) -> None:
    await three_days(api, bench)
    second, third = wire_time(NOON + DAY), wire_time(NOON + 2 * DAY)

    whole = await got(api, STATEMENT)
    assert (whole["customer"], whole["opening_balance"], whole["closing_balance"]) == ("ada", 0, 19)
    assert [entry["points"] for entry in whole["entries"]] == [45, -20, -6]
    assert [entry["sequence"] for entry in whole["entries"]] == [1, 2, 3]

    for parameters, opening, points, closing in [
        ({"from": second}, 45, [-20, -6], 19),
        ({"to": third}, 0, [45, -20], 25),
        ({"from": second, "to": third}, 45, [-20], 25),
        ({"from": third, "to": second}, 25, [], 25),
        ({"from": second, "to": second}, 45, [], 45),
        ({"to": wire_time(NOON - DAY)}, 0, [], 0),
    ]:
        part = await got(api, STATEMENT, **parameters)
        assert [entry["points"] for entry in part["entries"]] == points
        assert (part["opening_balance"], part["closing_balance"]) == (opening, closing), parameters


async def test_pages_follow_each_other(api: httpx.AsyncClient, bench: Bench) -> None:
    await three_days(api, bench)

    first = await got(api, STATEMENT, limit=2)
    second = await got(api, STATEMENT, limit=2, cursor=first["next_cursor"])

    assert [entry["sequence"] for entry in first["entries"] + second["entries"]] == [1, 2, 3]
    assert second["next_cursor"] is None
    assert (second["opening_balance"], second["closing_balance"]) == (0, 19)


async def test_a_cursor_is_good_for_its_own_statement_only(api: httpx.AsyncClient, bench: Bench) -> None:
    await three_days(api, bench)
    cursor = (await got(api, STATEMENT, limit=1))["next_cursor"]

    for path, parameters in [
        ("/v1/customers/bob/statement", {"cursor": cursor}),
        ("/v1/customers/ada/crossings", {"cursor": cursor}),
        (STATEMENT, {"cursor": cursor, "to": wire_time(NOON + DAY)}),
        (STATEMENT, {"cursor": cursor[:-1]}),
        (STATEMENT, {"cursor": ""}),
        (STATEMENT, {"cursor": "é"}),
        (STATEMENT, {"cursor": "W10"}),
    ]:
        problem = problem_of(await api.get(path, params=parameters), 422, "invalid_request")
        assert problem["errors"][0]["code"] == "cursor_invalid"


async def test_csv_says_the_same_and_starts_no_formula(api: httpx.AsyncClient, bench: Bench) -> None:
    await three_days(api, bench)

    response = await api.get(STATEMENT, params={"limit": 2}, headers={"Accept": "text/csv"})

    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert [(row["points"], row["balance_after"], row["source"]) for row in rows] == [
        ("45", "45", "'=source1"),
        ("-20", "25", "'=source2"),
    ]
    assert (response.headers["x-opening-balance"], response.headers["x-closing-balance"]) == ("0", "19")
    assert response.headers["x-next-cursor"] == (await got(api, STATEMENT, limit=2))["next_cursor"]
    rest = await api.get(
        STATEMENT, params={"cursor": response.headers["x-next-cursor"]}, headers={"Accept": "text/csv"}
    )
    assert "x-next-cursor" not in rest.headers


async def test_the_caller_says_what_it_would_rather_read(api: httpx.AsyncClient) -> None:
    await posted(api)
    for accept, media_type in {
        "*/*": "application/json",
        "": "application/json",
        "text/html, */*;q=0.1": "application/json",
        "text/csv, application/json": "application/json",
        "text/csv, application/json;q=0.5": "text/csv; charset=utf-8",
        "TEXT/*": "text/csv; charset=utf-8",
        "application/json;q=0, */*": "text/csv; charset=utf-8",
        "text/csv;q=1.0, application/json;q=0.999": "text/csv; charset=utf-8",
        "text/csv;q=2, application/json;q=0.1": "application/json",
        "text/csv;q=inf, application/json;q=0.1": "application/json",
        "text/csv;q=0.1234, text/csv;q=1_0, application/json;q=0.1": "application/json",
    }.items():
        response = await api.get(STATEMENT, headers={"Accept": accept})
        assert (response.status_code, response.headers["content-type"]) == (200, media_type), accept
    for accept in (
        "text/html",
        "text/csv;q=0",
        "application/json;q=x",
        "application/json;q=-1",
        "text/html;q=x, , text/csv;q=0.",
    ):
        problem_of(await api.get(STATEMENT, headers={"Accept": accept}), 406, "not_acceptable")
    lines = [("Accept", "text/html"), ("Accept", "text/csv")]
    assert (await api.get(STATEMENT, headers=lines)).headers["content-type"] == "text/csv; charset=utf-8"
