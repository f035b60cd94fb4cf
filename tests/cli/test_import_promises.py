"""`goodwill import` of rows that make and keep promises."""

import json
from pathlib import Path

import pytest

from app.domain.instant import DAY
from app.operations.verify import verify
from tests.cli.import_bench import Import, counts, none, on_the_ledger
from tests.conftest import Bench

MAPPING = """
source = "shop"
time_zone = "UTC"
id = "row.nr"
customer = "row.who"
value_at = "row.at"
kind_from = "row.what"
[kinds.ordered]
kind = "contact.neutral"
makes.id = "'order ' + row.order"
makes.kind = "delivery.date_missed"
makes.due_at = "row.due"
makes.steps = [{ after = "P1D", points = -12 }, { after = "P3D", points = -35 }, { after = "P7D", points = -48 }]
makes.kept_kind = "delivery.on_time"
[kinds.delivered]
keeps = "'order ' + row.order"
[kinds.asked]
kind = "contact.neutral"
"""
ROWS = """nr,who,at,what,order,due
1,ada,2018-02-01 10:00:00,ordered,a,2018-02-10
2,bob,2018-02-02 10:00:00,ordered,b,2018-02-10
3,cleo,2018-02-03 10:00:00,ordered,c,
4,dora,2018-02-03 11:00:00,ordered,d,2018-02-10
5,ada,2018-02-09 10:00:00,delivered,a,
6,cleo,2018-02-12 10:00:00,asked,c,
7,bob,2018-02-14 10:00:00,delivered,b,
"""
POSTED = [
    ("promise.made", 0),
    ("promise.made", 0),
    ("contact.neutral", 0),
    ("promise.made", 0),
    ("delivery.on_time", 5),
    ("delivery.date_missed", -12),
    ("delivery.date_missed", -12),
    ("contact.neutral", 0),
    ("delivery.date_missed", -23),
    ("delivery.date_missed", -23),
    ("promise.kept", 0),
    ("delivery.date_missed", -13),
]


@pytest.fixture
def orders(folder: Path) -> Path:
    """Rows and their mapping."""
    (folder / "m.toml").write_text(MAPPING)
    (folder / "rows.csv").write_text(ROWS)
    return folder


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize("batch_size", ["1", "3", "1000"])
async def test_promises_of_history_are_made_kept_and_broken_at_their_own_times(
    bench: Bench, goodwill_import: Import, batch_size: str
) -> None:
    first = await goodwill_import("rows.csv", "--mapping", "m.toml", "--replay", "--batch-size", batch_size)
    again = await goodwill_import("rows.csv", "--mapping", "m.toml", "--replay")

    assert none(read=7, created=7) == counts(first), first.output
    assert none(read=7, replayed=7) == counts(again), again.output
    booked = await on_the_ledger(bench)
    assert [(entry.kind, entry.points) for entry in booked] == POSTED
    steps = [entry for entry in booked if entry.source == "goodwill"]
    assert all(entry.booked_at == entry.value_at for entry in booked)
    assert [step.value_at - steps[0].value_at for step in steps] == [0, 0, 2 * DAY, 2 * DAY, 6 * DAY]
    assert (await verify(bench.ledger, bench.book)).findings == ()


async def test_a_row_that_keeps_no_promise_or_makes_one_too_late_is_refused(
    bench: Bench, orders: Path, goodwill_import: Import
) -> None:
    (orders / "rows.csv").write_text(
        ROWS + "8,cleo,2018-02-15,delivered,c,\n9,ada,2018-02-16,ordered,e,2018-02-16\n10,ada,2018-02-17,delivered,a,\n"
    )

    result = await goodwill_import("rows.csv", "--mapping", "m.toml", "--replay")

    assert none(read=10, created=7, refused=2, conflict=1) == counts(result), result.output
    reasons = [json.loads(line) for line in (orders / "rows.csv.rejects.ndjson").read_text().splitlines()]
    assert [(each["line"], each["code"]) for each in reasons] == [
        (9, "unknown_promise"),
        (10, "invalid_promise"),
        (11, "interaction_conflict"),
    ]
    assert len(await on_the_ledger(bench)) == len(POSTED)


async def test_a_guess_says_what_is_promised(bench: Bench, orders: Path, goodwill_import: Import) -> None:
    result = await goodwill_import("rows.csv", "--mapping", "m.toml", "--guess")

    assert (result.exit_code, await on_the_ledger(bench)) == (0, []), result.output
    for expected in ("promise.made", "promise.kept", "due 2018-02-10"):
        assert expected in result.stderr
