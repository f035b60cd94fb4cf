"""How accounts and entries are put together for the wire, wherever they are shown."""

from collections.abc import Sequence

from app.api.wire import AccountOut, BecauseOut, EntryOut, shown
from app.api.wire_pages import HindsightOut
from app.domain.account import Account
from app.domain.instant import moment_of
from app.domain.share import because, shares
from app.operations.ledger import tariff_in_force
from app.operations.look_back import Seen
from app.operations.read_customer import Reading, weighing_most
from app.queries.accounts import keys_of, names_of
from app.queries.ledger_lines import Line, lines_of_account

RECENT = 10


async def account_view(view: Reading, account: Account, customer: str, *, with_recent: bool = False) -> AccountOut:
    """The account at the reading's instant, with what it rests on."""
    tariff = await tariff_in_force(view.ledger, view.tx, view.book, view.head.tariff_version)
    weighing = [BecauseOut.of(share, tariff) for share in await weighing_most(view, account)]
    recent = None
    if with_recent:
        after = max(0, account.sequence - RECENT)
        lines = await lines_of_account(view.tx, view.book, account.account_id, after=after)
        recent = [EntryOut.of(line.entry, customer, line.reversed_by) for line in reversed(lines)]
    return AccountOut.of(account, customer, view.policy, view.now, because=weighing, recent=recent)


async def entry_views(view: Reading, lines: Sequence[Line]) -> list[EntryOut]:
    """The lines as the wire shows them, each with its customer's name."""
    account_ids = {line.entry.account_id for line in lines}
    keys = await keys_of(view.tx, view.book, account_ids, view.ledger.master_key)
    names = await names_of(view.tx, view.book, keys)
    return [EntryOut.of(line.entry, names[line.entry.account_id], line.reversed_by) for line in lines]


async def hindsight_view(view: Reading, seen: Seen) -> HindsightOut:
    """An account in hindsight, as the wire shows it."""
    then = seen.hindsight
    tariff = await tariff_in_force(view.ledger, view.tx, view.book, view.head.tariff_version)
    keys = await keys_of(view.tx, view.book, [then.account_id], view.ledger.master_key)
    names = await names_of(view.tx, view.book, keys)
    return HindsightOut(
        customer=names[then.account_id],
        balance=then.balance,
        felt=shown(then.felt.balance),
        standing=then.place.standing,
        depth=then.place.depth,
        segment=seen.segment,
        value=seen.value,
        last_entry_at=moment_of(then.last_entry_at),
        because=[BecauseOut.of(share, tariff) for share in because(shares(then.kept, view.policy, then.at))],
    )
