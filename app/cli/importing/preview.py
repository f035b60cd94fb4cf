"""`goodwill import --guess`: a mapping proposed, and what five rows would be worth under it. Nothing is posted."""

import re
from itertools import islice
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.table import Column
from rich.table import Table as Printed

from app.cli.importing.file_lines import STDIN
from app.cli.importing.guess import proposed_mapping
from app.cli.importing.mapping import Mapping
from app.cli.importing.mapping_document import InvalidMapping, parse_mapping
from app.cli.importing.prepare import Prepared, Told, prepared
from app.cli.importing.table import Row, Table
from app.cli.session import existing_book, fail, opened_ledger
from app.domain.errors import Refusal
from app.domain.instant import Instant, moment_of
from app.domain.interaction import Interaction
from app.domain.promise_request import KEPT_KIND, MakePromise, SettlePromise
from app.domain.tariff import Tariff
from app.domain.tariff_document import default_tariff
from app.domain.valuation import value
from app.operations.ledger import tariff_in_force
from app.queries.books import head
from app.queries.keys import first_book

SAMPLE_ROWS = 1_000  # enough to meet the usual kinds, and read at once
SHOWN_ROWS = 5


async def guess(table: Table, mapping: Mapping | None, file: str, book: str | None) -> None:
    """Print a proposal for the table's mapping, unless one is given, and then the value of five rows."""
    sample = list(islice(table.rows, SAMPLE_ROWS))
    tariff = await _tariff(book)
    if mapping is None:
        text = _proposal(sample, tariff, file)
        print(text)
        try:
            mapping = parse_mapping(text)
        except InvalidMapping as error:
            fail(f"the proposal needs your hand before rows can be valued: {error}")
    Console(stderr=True).print(_valued(sample, mapping, tariff))


async def _tariff(book: str | None) -> Tariff:
    """The tariff of the book, the default one as long as there is no book."""
    async with opened_ledger() as ledger:
        async with ledger.database.oversee() as tx:
            if book is None and await first_book(tx) is None:
                return default_tariff()
        name = await existing_book(ledger, book)
        async with ledger.database.read(name) as tx:
            stands = await head(tx, name)
            assert stands is not None
            return await tariff_in_force(ledger, tx, name, stands.tariff_version)


def _proposal(sample: list[Row], tariff: Tariff, file: str) -> str:
    rows = [cast("dict[str, Any]", row.values) for row in sample if isinstance(row.values, dict)]
    if not rows:
        fail("the file holds no row that can be read")
    stem = "" if file == STDIN else Path(file).name.partition(".")[0]
    return proposed_mapping(rows, tariff, source=re.sub(r"\W+", "-", stem).strip("-")[:100] or "import")


def _valued(sample: list[Row], mapping: Mapping, tariff: Tariff) -> Printed:
    whole = [Column(name, no_wrap=True) for name in ("value_at", "kind")]
    printed = Printed("line", "customer", *whole, "points", title="Valued, not posted")
    for line, found in _told_apart(sample, mapping):
        value_at = "" if isinstance(found, Refusal) else _time(found.value_at)
        customer = found.customer if isinstance(found, Interaction | MakePromise) else ""
        printed.add_row(str(line), customer, value_at, _kind(found), _worth(found, tariff))
    return printed


def _told_apart(sample: list[Row], mapping: Mapping) -> list[tuple[int, Told | Refusal]]:
    """Five rows, of as many kinds as there are, in the file's order."""
    tried = [(row.line, _tried(row, mapping)) for row in sample]
    ready = [(line, found.item if isinstance(found, Prepared) else found) for line, found in tried if found]
    first_of_kind = {_kind(found): (line, found) for line, found in ready[::-1]}
    chosen = [*first_of_kind.values()][::-1][:SHOWN_ROWS]
    others = [each for each in ready if each not in chosen]
    return sorted([*chosen, *others[: SHOWN_ROWS - len(chosen)]], key=lambda each: each[0])


def _tried(row: Row, mapping: Mapping) -> Prepared | Refusal | None:
    try:
        return prepared(row, mapping, source=None)
    except Refusal as refusal:
        return refusal


def _kind(found: Told | Refusal) -> str:
    match found:
        case Interaction():
            return found.kind
        case MakePromise():
            return "promise.made"
        case SettlePromise():
            return KEPT_KIND
        case _:
            return ""


def _worth(found: Told | Refusal, tariff: Tariff) -> str:
    match found:
        case Interaction():
            return _points(found, tariff)
        case MakePromise():
            return f"due {moment_of(found.due_at):%Y-%m-%d}"
        case Refusal():
            return _reason(found)
        case _:
            return ""


def _time(instant: Instant | None) -> str:
    return "" if instant is None else moment_of(instant).strftime("%Y-%m-%d %H:%M:%SZ")


def _points(interaction: Interaction, tariff: Tariff) -> str:
    context = {name: interaction.context.get(name) for name in ("channel", "touchpoint", "motive")}
    try:
        valuation = value(
            tariff,
            0,
            kind=interaction.kind,
            attributes=interaction.attributes or {},
            source=interaction.source,
            points=interaction.points,
            **context,
        )
    except Refusal as refusal:
        return _reason(refusal)
    return f"{valuation.points:+d}" if valuation.points else "0"


def _reason(refusal: Refusal) -> str:
    return "; ".join(f"{fault.pointer} {fault.detail}" for fault in refusal.faults) or refusal.detail
