"""Who was overdrawn before the bad review came: with deliveries only, with the missed date, and with steps.

`python -m benchmarks.olist_promises FILE MAPPING` replays the file into three books. The promised date of an order is
where its file shows one: its row `…_at_promised_date`, or what `value` of its delivery counts from. An order is unhappy
if a review of 1 or 2 stars came; it was foretold if the account was overdrawn at some instant from the order until just
before that review (of other orders: the first one). So nothing that the review itself says counts.

Lateness is priced once. With deliveries only `delivery.late` is posted; with a promise its steps are instead, and the
delivery only keeps it. What the mapping makes of the promised date (missed, cancelled, unavailable) is history only in
all three: an order that never comes is a promise that nobody keeps.
"""

import asyncio
import csv
import gzip
import json
import sys
import tempfile
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import select

from app.cli.importing.mapping import mapped
from app.cli.importing.mapping_document import parse_mapping
from app.domain.instant import DAY, Instant, instant_of
from app.operations.ledger import Ledger
from app.tables import crossings, entries
from benchmarks.replayed_book import BOOK, replayed_book

Row = dict[str, str]
Document = dict[str, Any]

DELIVERED = ("delivery.on_time", "delivery.late")
AT_PROMISED_DATE = "_at_promised_date"
UNHAPPY_STARS_MAX = 2
PROMISED = "promised_at"
MISSED: Document = {
    "id": "row.order_id",
    "kind": "delivery.date_missed",
    "kept_kind": "delivery.on_time",
    "due_at": f"row.{PROMISED}",
}
STEPS = [{"after": "P1D", "points": -12}, {"after": "P3D", "points": -35}, {"after": "P7D", "points": -48}]
SETTINGS = {"deliveries only": None, "missed date": MISSED, "steps": {**MISSED, "steps": STEPS}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A reviewed order: when it was placed, and the review that counts, by the id of its entry."""

    placed_at: Instant
    review: str
    is_unhappy: bool
    is_delivered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """An order, and how long before its review the account was overdrawn first; None if it was not."""

    order: Order
    warning: Instant | None


async def measure(rows: list[Row], mapping: str) -> None:
    """Replay under each setting, and print the tables."""
    document = tomllib.loads(mapping)
    orders = list(reviewed(rows, mapping))
    found: dict[str, list[Foretold]] = {}
    for name, making in SETTINGS.items():
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            write_rows(place / "rows.csv", rows)
            (place / "mapping.toml").write_text(toml(with_promises(document, making)), encoding="utf-8")
            async with replayed_book(place / "rows.csv", place / "mapping.toml", watched_for=0) as ledger:
                found[name] = await foretold(ledger, orders)
        print(f"{name}: {time.perf_counter() - begun:.0f} s", flush=True)
    tell("all reviewed orders", found)
    tell("delivered ones", {name: [each for each in all_ if each.order.is_delivered] for name, all_ in found.items()})


def read_rows(file: Path) -> list[Row]:
    """The rows of the file, by time."""
    with gzip.open(file, "rt", newline="") if file.suffix == ".gz" else file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def dated(rows: list[Row]) -> list[Row]:
    """The rows with the promised date of their order, where the file shows one after the order was placed."""
    placed = {row["order_id"]: row["occurred_at"] for row in rows if row["event_type"] == "order.placed"}
    promised = {row["order_id"]: date for row in rows if (date := promised_date(row))}
    shown = {order: date for order, date in promised.items() if placed.get(order, date) < date}
    print(f"{len(placed):,} orders, {len(promised):,} with a promised date, {len(shown):,} of these after the order")
    return [{**row, PROMISED: shown.get(row["order_id"], "")} for row in rows]


def promised_date(row: Row) -> str | None:
    """The date that a row shows: promises are of days, and `value` is rounded to a quarter of an hour."""
    if row["event_type"].endswith(AT_PROMISED_DATE):
        return row["occurred_at"]
    if row["event_type"] not in DELIVERED:
        return None
    about = datetime.fromisoformat(row["occurred_at"]) - timedelta(days=float(row["value"]))
    return f"{about + timedelta(hours=12):%Y-%m-%d} 00:00:00"


def reviewed(rows: Iterable[Row], mapping: str) -> Iterable[Order]:
    """Every order with a review: the first unhappy one counts, else the first."""
    of_order: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of_order[row["order_id"]].append(row)
    rules = parse_mapping(mapping)
    for own in of_order.values():
        placed = next((row for row in own if row["event_type"] == "order.placed"), None)
        reviews = [row for row in own if row["event_type"] == "review.score"]
        unhappy = [row for row in reviews if int(row["value"]) <= UNHAPPY_STARS_MAX]
        if placed and reviews:
            order, review = mapped(rules, placed), mapped(rules, (unhappy or reviews)[0])
            assert order is not None
            assert review is not None
            yield Order(
                placed_at=instant_of(datetime.fromisoformat(order.body["value_at"])),
                review=review.body["id"],
                is_unhappy=bool(unhappy),
                is_delivered=any(row["event_type"] in DELIVERED for row in own),
            )


def with_promises(document: Document, making: Document | None) -> Document:
    """The mapping with or without promises; what it makes of the promised date is history."""
    kinds: Document = {
        name: {"kind": "contact.neutral"} if name.endswith(AT_PROMISED_DATE) else rule
        for name, rule in document["kinds"].items()
    }
    if making:
        kinds["order.placed"] = {**kinds["order.placed"], "makes": making}
        for name in DELIVERED:
            kinds[name] = {**kinds[name], "keeps": f"row.{PROMISED} == '' ? null : row.order_id"}
    return {**document, "kinds": kinds}


def toml(document: Document) -> str:
    """A mapping as text again."""
    top = [f"{name} = {_inline(value)}" for name, value in document.items() if name != "kinds"]
    kinds = [f"kinds.{json.dumps(name)} = {_inline(rule)}" for name, rule in document["kinds"].items()]
    return "\n".join([*top, *kinds, ""])


def _inline(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(name)} = {_inline(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def write_rows(path: Path, rows: list[Row]) -> None:
    """The rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


async def foretold(ledger: Ledger, orders: Iterable[Order]) -> list[Foretold]:
    """What the book knew of each order before its review was booked."""
    async with ledger.database.read(BOOK) as tx:
        query = select(entries.c.external_id, entries.c.account_id, entries.c.position, entries.c.booked_at)
        reviews = {row.external_id: row for row in await tx.execute(query.where(entries.c.book == BOOK))}
        lives: defaultdict[Any, list[Any]] = defaultdict(list)
        by_account = select(crossings).where(crossings.c.book == BOOK).order_by(*crossings.primary_key)
        for row in await tx.execute(by_account):
            lives[row.account_id].append(row)
    return [
        Foretold(order=order, warning=warning(lives[review.account_id], order.placed_at, review))
        for order in orders
        if (review := reviews[order.review])
    ]


def warning(life: Iterable[Any], placed_at: Instant, review: Any) -> Instant | None:
    """How long before the review the account was overdrawn first, from the order on; None if it was not."""
    before = [each for each in life if (each.position or 0) < review.position and each.at <= review.booked_at]
    ends = [*(later.at for later in before[1:]), review.booked_at + 1]
    for each, end in zip(before, ends, strict=False):
        since = max(each.at, placed_at)
        if each.to_standing == "overdrawn" and since < end:
            return Instant(review.booked_at - since)
    return None


def tell(title: str, found: Mapping[str, list[Foretold]]) -> None:
    """Print one table."""
    some = next(iter(found.values()))
    unhappy = sum(each.order.is_unhappy for each in some)
    print(f"\n{title}: {len(some):,}, of which {unhappy:,} unhappy ({unhappy / len(some):.0%})")
    print(f"{'setting':<18}{'overdrawn':>10}{'rightly':>9}{'recall':>8}{'precision':>11}{'days of warning':>17}")
    for name, all_ in found.items():
        told = [each for each in all_ if each.warning is not None]
        right = [each.warning / DAY for each in told if each.order.is_unhappy and each.warning is not None]
        shares = f"{len(right) / unhappy:>8.1%}{len(right) / max(1, len(told)):>11.1%}"
        days = f"{median(right):>17.1f}" if right else f"{'-':>17}"
        print(f"{name:<18}{len(told):>10,}{len(right):>9,}{shares}{days}")


def main() -> None:
    asyncio.run(measure(dated(read_rows(Path(sys.argv[1]))), Path(sys.argv[2]).read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
