"""The demo's worklist as a person reads it: who is overdrawn and why, who is ready to be delighted."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.domain.account import Account
from app.domain.crossing import changes
from app.domain.instant import Instant, moment_of
from app.domain.outlook import FORESIGHT
from app.domain.standing import Depth, Place, Standing
from app.domain.tariff import Tariff
from app.domain.worklist import Asked, Filter, Order, felt_balance
from app.operations.ledger import Ledger, tariff_in_force
from app.operations.list_customers import Listing, list_customers
from app.operations.read_customer import weighing_most

OVERDRAWN_SHOWN = 12
READY_SHOWN = 10
DELIGHTED_SHOWN = 6
FAR_PAST_DAYS = 30
WEIGHS_AT_LEAST = 0.1
NARROW = 95  # columns; below, a long label is cut rather than stacked word by word
NEVER: Instant = 2**63
EVERYONE = Asked(wanted=Filter(), order=Order.FELT, limit=sys.maxsize)

_OVERDRAWN = Standing.OVERDRAWN

_STYLE_OF_DEPTH = {Depth.SLIGHT: "yellow", Depth.MARKED: "dark_orange", Depth.DEEP: "bold red"}
_STYLE_OF_STANDING = {Standing.ABOUT_TO_BE_DELIGHTED: "cyan", Standing.DELIGHTED: "green"}
_WORDS = {Standing.ABOUT_TO_BE_DELIGHTED: "ready to be delighted", Standing.NO_EVIDENCE: "no evidence"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One account as a table shows it: `because` are (felt points, label), `next_places` what time alone brings."""

    customer: str
    account: Account
    felt: float
    because: Sequence[tuple[float, str]]
    next_places: Sequence[tuple[Instant, Place]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a book holds at one instant; `ready` begins with whoever will not be for long."""

    at: Instant
    entries: int
    places: Counter[Place]
    overdrawn: Sequence[Shown]
    ready: Sequence[Shown]

    def count(self, standing: Standing) -> int:
        """How many accounts stand there, at whatever depth."""
        return sum(count for place, count in self.places.items() if place.standing is standing)


async def holding(ledger: Ledger, book: str) -> Holding:
    """Every account at the present instant, those to be shown with their reasons."""
    async with ledger.database.read(book) as tx:
        listing = await list_customers(ledger, tx, book, lambda _: EVERYONE)
        view, accounts = listing.view, [account for _, account in listing.page]
        ready = await _shown(listing, _standing(accounts, Standing.ABOUT_TO_BE_DELIGHTED))
        delighted = await _shown(listing, _standing(accounts, Standing.DELIGHTED))
        return Holding(
            at=view.now,
            entries=view.head.position,
            places=Counter(account.place for account in accounts),
            overdrawn=await _shown(listing, _standing(accounts, Standing.OVERDRAWN)[:OVERDRAWN_SHOWN]),
            ready=[
                *sorted(ready, key=_lasts_until)[:READY_SHOWN],
                *sorted(delighted, key=_lasts_until)[:DELIGHTED_SHOWN],
            ],
        )


def print_holding(console: Console, found: Holding) -> None:
    """The two tables and the sum of it all."""
    is_narrow = console.width < NARROW
    console.print(_overdrawn_table(found, is_narrow), "", _ready_table(found, is_narrow), "")
    counted = ", ".join(_count(found, standing) for standing in Standing)
    sums = f"{found.entries:,} entries, {found.places.total():,} customers: {counted}."
    console.print(sums, highlight=False)


def _count(found: Holding, standing: Standing) -> str:
    depths = ", ".join(f"{found.places[Place(standing=_OVERDRAWN, depth=depth)]} {depth}" for depth in Depth)
    return f"{found.count(standing)} {words_of(standing)}" + (f" ({depths})" if standing is _OVERDRAWN else "")


def _standing(accounts: Sequence[Account], standing: Standing) -> list[Account]:
    return [account for account in accounts if account.place.standing is standing]


async def _shown(listing: Listing, accounts: Sequence[Account]) -> list[Shown]:
    view = listing.view
    tariff = await tariff_in_force(view.ledger, view.tx, view.book, view.head.tariff_version)
    return [
        Shown(
            customer=listing.names[account.account_id],
            account=account,
            felt=felt_balance(account, view.policy, view.now),
            because=[(share.felt, _label(tariff, share.entry.kind)) for share in await weighing_most(view, account)],
            next_places=changes(account, view.policy, after=view.now, until=view.now + FORESIGHT),
        )
        for account in accounts
    ]


def _overdrawn_table(found: Holding, is_narrow: bool) -> Table:
    in_all = found.count(_OVERDRAWN)
    table = _table("Overdrawn, the deepest first", in_all, len(found.overdrawn))
    table.add_column("depth")
    table.add_column("since")
    table.add_column("felt", justify="right")
    table.add_column("balance", justify="right")
    table.add_column("because of (felt points)", ratio=1)
    for shown in found.overdrawn:
        depth = shown.account.place.depth
        assert depth is not None
        table.add_row(
            shown.customer,
            Text(depth, style=_STYLE_OF_DEPTH[depth]),
            f"{moment_of(shown.account.standing_since):%Y-%m-%d}",
            f"{shown.felt:.1f}",
            str(shown.account.balance),
            _because(shown.because, is_narrow),
        )
    return table


def _ready_table(found: Holding, is_narrow: bool) -> Table:
    in_all = found.count(Standing.ABOUT_TO_BE_DELIGHTED) + found.count(Standing.DELIGHTED)
    table = _table("Ready to be delighted, one gesture away; and delighted", in_all, len(found.ready))
    table.add_column("standing")
    table.add_column("felt", justify="right")
    table.add_column("if nothing happens")
    table.add_column("because of (felt points)", ratio=1)
    for shown in found.ready:
        standing = shown.account.place.standing
        table.add_row(
            shown.customer,
            Text(
                "ready" if standing is Standing.ABOUT_TO_BE_DELIGHTED else standing, style=_STYLE_OF_STANDING[standing]
            ),
            f"{shown.felt:.1f}",
            _next(shown.next_places),
            _because(shown.because, is_narrow),
        )
    return table


def _table(title: str, in_all: int, shown: int) -> Table:
    table = Table(
        title=f"{title} ({shown} of {in_all})" if shown < in_all else f"{title} ({in_all or 'nobody'})",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        expand=True,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("customer", no_wrap=True)
    return table


def _because(reasons: Sequence[tuple[float, str]], is_narrow: bool) -> Table | Text:
    """One reason a line; what weighs next to nothing beside the heaviest is no reason."""
    heaviest = max((abs(felt) for felt, _ in reasons), default=0.0)
    weighty = [(f"{felt:+6.1f}", label) for felt, label in reasons if abs(felt) >= heaviest * WEIGHS_AT_LEAST]
    if is_narrow:
        return Text("\n".join(f"{felt} {label}" for felt, label in weighty), no_wrap=True, overflow="ellipsis")
    grid = Table.grid(padding=(0, 1))
    for felt, label in weighty:
        grid.add_row(Text(felt, style="dim"), label)
    return grid


def _lasts_until(shown: Shown) -> Instant:
    return shown.next_places[0][0] if shown.next_places else NEVER


def _next(places: Sequence[tuple[Instant, Place]]) -> str:
    if not places:
        return "stays so"
    at, place = places[0]
    return f"{words_of(place.standing)} on {moment_of(at):%Y-%m-%d}"


def words_of(standing: Standing) -> str:
    """The standing as a person says it."""
    return _WORDS.get(standing, standing.value)


def _label(tariff: Tariff, kind: str) -> str:
    rule = tariff.kinds.get(kind)
    return rule.label.en if rule else kind
