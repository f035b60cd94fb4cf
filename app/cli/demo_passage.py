"""What happened in the demo's sandbox while its clock was moved ahead, as a person reads it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from app.cli.demo_tables import words_of
from app.domain.crossing import Crossing
from app.domain.entry import Entry
from app.domain.instant import DAY, Instant, moment_of
from app.domain.sandbox import parse_advance
from app.domain.standing import Place, Standing
from app.operations.ledger import Ledger
from app.operations.sandbox import Passage
from app.queries.accounts import keys_of, names_of
from app.queries.crossings import crossings_of_book
from app.queries.ledger_lines import feed
from app.queries.messages import messages_between

SHOWN_MAX = 20
READ_MAX = 100_000  # crossings, and entries; the demo has thousands at most
_SHORT = re.compile(r"([0-9]{1,9})([wdh])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One thing that happened to a customer: a step of a promise was missed, or time alone moved the place."""

    at: Instant
    customer: str
    entry: Entry | None
    crossing: Crossing | None


def span_asked(text: str) -> int | None:
    """`90d`, `12h`, `2w` or an ISO 8601 duration, in microseconds; None if it is none of these or too long."""
    short = _SHORT.fullmatch(text.lower())
    if short is None:
        return parse_advance(text)
    number, unit = short[1], short[2].upper()
    return parse_advance(f"PT{number}H" if unit == "H" else f"P{number}{unit}")


async def happened(ledger: Ledger, book: str, passage: Passage) -> list[Happened]:
    """What was recorded while that time passed, in order; an entry and the crossing that it caused are one."""
    async with ledger.database.read(book) as tx:
        crossed, _ = await crossings_of_book(tx, book, after=passage.begun_at, until=passage.ended_at, limit=READ_MAX)
        lines = await feed(tx, book, after=passage.after, limit=min(READ_MAX, passage.entries))
        account_ids = {account_id for account_id, _ in crossed} | {line.entry.account_id for line in lines}
        names = await names_of(tx, book, await keys_of(tx, book, account_ids, ledger.master_key))
    caused = {each.crossing.position: each.crossing for _, each in crossed}
    booked = [
        Happened(at=entry.booked_at, customer=names[entry.account_id], entry=entry, crossing=caused.get(entry.position))
        for entry in (line.entry for line in lines)
    ]
    by_time = [
        Happened(at=each.crossing.at, customer=names[account_id], entry=None, crossing=each.crossing)
        for account_id, each in crossed
        if each.crossing.position is None
    ]
    return sorted([*booked, *by_time], key=lambda each: each.at)


async def told_by_type(ledger: Ledger, book: str, passage: Passage) -> Counter[str]:
    """How many messages of each type, the gravest of theirs, were written while that time passed."""
    async with ledger.database.read(book) as tx:
        told = await messages_between(tx, book, after=passage.told, until=passage.told_until, limit=READ_MAX)
    return Counter(each.type.value for each in told)


def print_happened(console: Console, passage: Passage, found: Sequence[Happened], told: Counter[str]) -> None:
    """The most telling of it in order, the sum of it all, and what was told to others."""
    shown = sorted(sorted(found, key=_tells_less)[:SHOWN_MAX], key=lambda each: each.at)
    days = round((passage.ended_at - passage.begun_at) / DAY, 1)
    of_all = f" ({len(shown)} of {len(found)})" if len(shown) < len(found) else ""
    title = f"What happened in {days:,g} days{of_all}"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("when", "customer", "because of", "from", "to"):
        table.add_column(name, no_wrap=name in ("when", "customer"))
    for each in shown:
        table.add_row(f"{moment_of(each.at):%Y-%m-%d}", each.customer, *_told(each))
    console.print(table, f"{_summed(found)}\n{_listed('messages', told)}", "", highlight=False)


def _told(each: Happened) -> tuple[str, str, str]:
    because = f"{each.entry.kind} ({each.entry.points:+})" if each.entry else "time"
    if each.crossing is None:
        return because, "", ""
    return because, _words(each.crossing.before), _words(each.crossing.after)


def _words(place: Place) -> str:
    return words_of(place.standing) + (f", {place.depth}" if place.depth else "")


def _tells_less(each: Happened) -> tuple[bool, bool, Instant]:
    """Another standing tells more than another depth, and to be overdrawn more than anything."""
    before, after = (each.crossing.before, each.crossing.after) if each.crossing else (None, None)
    is_moved = before is not None and after is not None and before.standing is not after.standing
    return not is_moved, after is None or after.standing is not Standing.OVERDRAWN, each.at


def _summed(found: Sequence[Happened]) -> str:
    steps = sum(each.entry is not None for each in found)
    counted = Counter(f"to {words_of(each.crossing.after.standing)}" for each in found if each.crossing)
    return f"{steps} entries; {_listed('crossings', counted)}"


def _listed(name: str, counted: Counter[str]) -> str:
    several = ", ".join(f"{number} {each}" for each, number in counted.most_common())
    return f"{counted.total()} {name}{several and f': {several}'}."
