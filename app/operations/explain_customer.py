"""Explain an account, and propose what to do: read-only, exact at the reading's instant."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.account import Account
from app.domain.entry import Entry
from app.domain.explanation import Explanation, explain, kept_of
from app.domain.gestures import Proposal, propose
from app.domain.tariff import KindRule, Tariff
from app.operations.ledger import tariff_in_force
from app.operations.read_customer import Reading, tariff_of
from app.queries.ledger_lines import lines_of_account


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What an account rests on: its entries that nothing reversed, and the tariff in force."""

    account: Account
    kept: Sequence[Entry]
    tariff: Tariff


async def grounds_of(view: Reading, account: Account) -> Grounds:
    """Read what an account rests on. Requires an account advanced to the reading's instant."""
    lines = await lines_of_account(view.tx, view.book, account.account_id)
    return Grounds(
        account=account,
        kept=kept_of((line.entry for line in lines), up_to=account.sequence),
        tariff=await tariff_of(view),
    )


async def explain_account(view: Reading, grounds: Grounds) -> Explanation:
    """Why the account stands where it stands."""
    rules = await _rules_of(view, grounds)
    return explain(grounds.account, grounds.kept, view.policy, rules, view.now)


def propose_gestures(view: Reading, grounds: Grounds) -> Proposal:
    """The smallest gestures that cross the account's next threshold now."""
    return propose(view.head, grounds.account, grounds.kept, view.policy, grounds.tariff, view.now)


async def _rules_of(view: Reading, grounds: Grounds) -> dict[str, KindRule]:
    """Each kind by the tariff in force; one that it has dropped by the latest version that valued an entry of it."""
    rules = dict(grounds.tariff.kinds)
    valued_by = {entry.kind: entry.tariff_version for entry in grounds.kept if entry.kind not in rules}
    for kind, version in valued_by.items():
        rule = (await tariff_in_force(view.ledger, view.tx, view.book, version)).kinds.get(kind)
        if rule is not None:
            rules[kind] = rule
    return rules
