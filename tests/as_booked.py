"""A book as the fold by brute force takes it: its export account by account, and what it recorded of each."""

import io
import json
from collections import defaultdict
from uuid import UUID

from app.cli.export import write_export
from app.domain.crossing import Crossing
from app.domain.standing import Place
from app.operations.ledger import Ledger
from app.queries.crossings import recorded_crossings
from tests.hourly import Line, Recorded


async def lines_by_account(ledger: Ledger, book: str) -> dict[str, list[Line]]:
    """The lines of the export, by account in the order of their first ones."""
    file = io.StringIO()
    await write_export(ledger, book, file)
    found: defaultdict[str, list[Line]] = defaultdict(list)
    for line in file.getvalue().splitlines()[1:]:
        entry = json.loads(line)
        found[entry["account_id"]].append(entry)
    return dict(found)


async def crossings_of(ledger: Ledger, book: str, account: str) -> list[Recorded]:
    """What the ledger recorded of an account, in order."""
    async with ledger.database.read(book) as tx:
        return [recorded(each.crossing) for each in await recorded_crossings(tx, book, UUID(account))]


def recorded(crossing: Crossing) -> Recorded:
    """A crossing in plain words."""
    return Recorded(
        at=crossing.at, cause=crossing.cause.value, before=_plain(crossing.before), now=_plain(crossing.after)
    )


def _plain(place: Place) -> tuple[str, str | None]:
    return place.standing.value, place.depth.value if place.depth else None
