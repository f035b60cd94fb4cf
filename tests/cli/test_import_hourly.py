"""What a replayed file, and time since, record is what a fold by brute force at one-hour steps finds."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from app.domain.instant import DAY
from app.domain.policy import Policy
from app.domain.policy_document import policy_document
from tests.as_booked import crossings_of, lines_by_account
from tests.cli.import_bench import Import
from tests.conftest import Bench
from tests.hourly import compared

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
[kinds.delivered]
keeps = "'order ' + row.order"
[otherwise]
"""
KINDS = [
    "moment.unexpected_gift",
    "apology.first",
    "refund.fast",
    "product.failed",
    "wait.excessive",
    "contact.neutral",
]
CUSTOMERS, ROWS, YEAR_DAYS = 12, 60, 365


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_crossings_of_a_replayed_file_are_those_of_a_fold_by_brute_force(
    bench: Bench, folder: Path, goodwill_import: Import
) -> None:
    (folder / "m.toml").write_text(MAPPING)
    write_rows(folder / "rows.csv", Random(3))
    told = await goodwill_import("rows.csv", "--mapping", "m.toml", "--replay")
    assert told.exit_code == 0, told.output

    lines = await lines_by_account(bench.ledger, bench.book)
    until = max(line["booked_at"] for own in lines.values() for line in own) + YEAR_DAYS * DAY

    policy, causes = json.loads(policy_document(Policy())), list[str]()
    for account, own in lines.items():
        recorded = [each for each in await crossings_of(bench.ledger, bench.book, account) if each.at <= until]
        found = compared(own, policy, recorded, until)
        assert (found.unseen, found.unrecorded) == ((), ())
        causes += [each.cause for each in (*found.agreeing, *found.brief)]
    assert min(causes.count("entry"), causes.count("time")) > CUSTOMERS


def write_rows(path: Path, rng: Random) -> None:
    """A year of orders, some of which come late or never, and of what else happens, by time."""
    rows: list[tuple[datetime, str, str, str, str]] = []
    for number in range(ROWS):
        at = datetime(2017, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(YEAR_DAYS * 24 * 60))
        customer = f"c{rng.randrange(CUSTOMERS)}"
        if rng.random() < 0.6:
            rows.append((at, customer, rng.choice(KINDS), "", ""))
            continue
        rows.append((at, customer, "ordered", str(number), (at + timedelta(days=9)).isoformat()))
        if rng.random() < 0.8:
            rows.append((at + timedelta(days=rng.randrange(1, 20)), customer, "delivered", str(number), ""))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["nr", "at", "who", "what", "order", "due"])
        for number, (at, *rest) in enumerate(sorted(rows)):
            writer.writerow([number, at.isoformat(), *rest])
