"""What happened in the demo's sandbox while its clock was moved ahead, as a person reads it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

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

SHOWN_MAX = 20
READ_MAX = 100_000  # crossings, and entries; the demo has thousands at most
_TELLING = (Standing.OVERDRAWN, Standing.DELIGHTED, Standing.ABOUT_TO_BE_DELIGHTED, Standing.STEADY)
_SHORT = re.compile(r"([0-9]{1,9})([wdh])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One thing that happened to a customer: a step of a promise was missed, or time moved the standing."""

    at: Instant
    customer: str
    what: Entry | Crossing


def span_asked(text: str) -> int | None:
    """`90d`, `12h`, `2w` or an ISO 8601 duration, in microseconds; None if it is none of these or too long."""
    short = _SHORT.fullmatch(text.lower())
    if short is None:
        return parse_advance(text)
    number, unit = short[1], short[2].upper()
    return parse_advance(f"PT{number}H" if unit == "H" else f"P{number}{unit}")


async def happened(ledger: Ledger, book: str, passage: Passage) -> list[Happened]:
    """What was recorded while that time passed, in order."""
    async with ledger.database.read() as tx:
        crossed, _ = await crossings_of_book(tx, book, after=passage.begun_at, until=passage.ended_at, limit=READ_MAX)
        lines = await feed(tx, book, after=passage.after, limit=min(READ_MAX, passage.until - passage.after))
        entries = [line.entry for line in lines]
        account_ids = {account_id for account_id, _ in crossed} | {entry.account_id for entry in entries}
        names = await names_of(tx, book, await keys_of(tx, book, account_ids, ledger.master_key))
    steps = [Happened(at=entry.booked_at, customer=names[entry.account_id], what=entry) for entry in entries]
    crossings = [
        Happened(at=each.crossing.at, customer=names[account_id], what=each.crossing) for account_id, each in crossed
    ]
    return sorted([*steps, *crossings], key=lambda each: each.at)


def print_happened(console: Console, passage: Passage, found: Sequence[Happened]) -> None:
    """The most telling of it in order, and the sum of it all."""
    shown = sorted(sorted(found, key=_tells_less)[:SHOWN_MAX], key=lambda each: each.at)
    days = (passage.ended_at - passage.begun_at) / DAY
    title = f"While {days:,.1f} days passed ({len(shown)} of {len(found)})"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("when", "customer", "what", "from", "to"):
        table.add_column(name, no_wrap=name != "what")
    for each in shown:
        table.add_row(f"{moment_of(each.at):%Y-%m-%d %H:%M}", each.customer, *_told(each.what))
    console.print(table, "")
    steps = sum(isinstance(each.what, Entry) for each in found)
    console.print(f"{steps} missed steps of promises; {_summed(found)}.", "", highlight=False)


def _told(what: Entry | Crossing) -> tuple[str, str, str]:
    if isinstance(what, Entry):
        return f"{what.kind} ({what.points:+})", "", ""
    return f"by {what.cause.value}", _words(what.before), _words(what.after)


def _words(place: Place) -> str:
    return place.standing.replace("_", " ") + (f" ({place.depth})" if place.depth else "")


def _tells_less(each: Happened) -> tuple[int, Instant]:
    """Steps first, then who came to stand where somebody should act; who is forgotten comes last."""
    what = each.what
    if isinstance(what, Entry):
        return 0, each.at
    standing = what.after.standing
    return (1 + _TELLING.index(standing) if standing in _TELLING else 1 + len(_TELLING)), each.at


def _summed(found: Sequence[Happened]) -> str:
    counted = Counter(each.what.after.standing for each in found if isinstance(each.what, Crossing))
    each = ", ".join(f"{counted[standing]} to {standing.replace('_', ' ')}" for standing in Standing)
    return f"{counted.total()} crossings: {each}"
