"""Preview a policy: how many standings would change if it were adopted now, from what to what."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from uuid import UUID

from app.domain.policy import Policy
from app.domain.standing import Place
from app.operations.audit import Progress, unwatched
from app.operations.read_customer import Reading
from app.operations.switching import BATCH_ACCOUNTS, switched_accounts
from app.queries.accounts import account_ids_of, accounts_by_id

ALL_ACCOUNTS_MAX = 100_000
SAMPLE_ACCOUNTS = 10_000  # of more accounts so many are drawn: a share of 1 in 100 is then right within 0.2 in 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would change: of `accounts` in the book `looked_at` were worked out; `moves` the most frequent first."""

    accounts: int
    looked_at: int
    moves: tuple[tuple[Place, Place, int], ...]

    @property
    def is_sample(self) -> bool:
        """Whether not all accounts were looked at."""
        return self.looked_at < self.accounts

    @property
    def changed(self) -> int:
        """How many of the accounts looked at would stand elsewhere."""
        return sum(count for _, _, count in self.moves)


async def preview_policy(view: Reading, policy: Policy, *, seed: int = 0, progress: Progress = unwatched) -> Preview:
    """What adopting `policy` at the reading's instant would change: of all accounts up to ALL_ACCOUNTS_MAX.

    Of more accounts SAMPLE_ACCOUNTS are drawn; the same seed draws the same ones of the same book.
    """
    account_ids = await account_ids_of(view.tx, view.book)
    drawn = _drawn(account_ids, seed)
    moves: Counter[tuple[Place, Place]] = Counter()
    done = 0
    for batch in _batches(drawn):
        stored = list((await accounts_by_id(view.tx, view.book, batch)).values())
        found = await switched_accounts(view.tx, view.book, stored, before=view.policy, after=policy, at=view.now)
        moves.update((each.before.place, each.after.place) for each in found)
        done += len(batch)
        progress(done, len(drawn))
    changed = [(before, after, count) for (before, after), count in moves.items() if before != after]
    changed.sort(key=lambda move: (-move[2], str(move[0]), str(move[1])))
    return Preview(accounts=len(account_ids), looked_at=len(drawn), moves=tuple(changed))


def _drawn(account_ids: Sequence[UUID], seed: int) -> Sequence[UUID]:
    if len(account_ids) <= ALL_ACCOUNTS_MAX:
        return account_ids
    return sorted(Random(seed).sample(account_ids, SAMPLE_ACCOUNTS))  # noqa: S311 - no secret: a sample


def _batches(account_ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for begin in range(0, len(account_ids), BATCH_ACCOUNTS):
        yield account_ids[begin : begin + BATCH_ACCOUNTS]
