"""The worklist's words: which accounts, in which order, at which one instant."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.domain.account import Account
from app.domain.entry import Head
from app.domain.instant import Instant
from app.domain.memory import felt_at
from app.domain.policy import Policy
from app.domain.standing import Depth, Place, Standing


class Order(StrEnum):
    """What a worklist is ordered by; each says what comes first."""

    STANDING_SINCE = "standing_since"  # the longest in their standing
    BALANCE = "balance"  # the lowest
    LAST_ENTRY_AT = "last_entry_at"  # the latest
    FELT = "felt"  # the lowest
    STAKE = "stake"  # the most value at stake


INDEXED = {Order.STANDING_SINCE, Order.BALANCE, Order.LAST_ENTRY_AT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which accounts: each tuple names the values that are wanted, an empty one wants all."""

    standings: tuple[Standing, ...] = ()
    depths: tuple[Depth, ...] = ()
    segments: tuple[str, ...] = ()

    def wants(self, place: Place, segment: str | None) -> bool:
        """Whether an account that stands there is asked for."""
        return (
            (not self.standings or place.standing in self.standings)
            and (not self.depths or place.depth in self.depths)
            and (not self.segments or segment in self.segments)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The one instant at which a worklist is exact over all its pages; the ledger's position and the policy then.

    `booked_at` is the head's then: whatever is written later has a later one, even where no clock has moved since, or
    the same one while history is replayed.
    """

    at: Instant
    position: int
    booked_at: Instant
    policy_version: int

    @classmethod
    def begun(cls, head: Head, at: Instant) -> "Moment":
        """That of a list that is begun where the head is, and shows what was true at `at`."""
        return cls(at=at, position=head.position, booked_at=head.booked_at, policy_version=head.policy_version)


Rank = tuple[float, str]
"""Where an account comes in a worklist: its sort key, smallest first, then its id; of the latest first its id reversed,
so that all of it is what an index has, backwards."""

_REVERSING = 2**128 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A page of a worklist: which accounts, in which order, and how many.

    It goes on after a rank of the list that began at a moment; or is the first page of one that begins now.
    """

    wanted: Filter
    order: Order
    limit: int
    goes_on: tuple[Moment, Rank] | None = None


def rank(account: Account, order: Order, policy: Policy, t: Instant) -> Rank:
    """The account's place in an order. Requires an account advanced to `t`."""
    return rank_by(_sort_key(account, order, policy, t), account.account_id, order)


def rank_by(key: float, own: UUID, order: Order) -> Rank:
    """The rank of an account in an order whose sort key it is."""
    return key, (_reversed(own) if order is Order.LAST_ENTRY_AT else own).hex


def indexed_place(after: Rank, order: Order) -> tuple[int, UUID]:
    """Where a rank is in the index that has its order: what it is ordered by, and the id. Requires an INDEXED order."""
    key, own = int(after[0]), UUID(after[1])
    return (-key, _reversed(own)) if order is Order.LAST_ENTRY_AT else (key, own)


def felt_balance(account: Account, policy: Policy, t: Instant) -> float:
    """What the customer still feels at `t`, in points."""
    return felt_at(account.masses, policy.half_lives, t).balance


def stake(felt: float, value: float | None) -> float:
    """What is at stake: the felt deficit in points times the customer's value (1 where none is known)."""
    return max(0.0, -felt) * (1.0 if value is None else value)


def _reversed(own: UUID) -> UUID:
    return UUID(int=own.int ^ _REVERSING)


def _sort_key(account: Account, order: Order, policy: Policy, t: Instant) -> float:
    match order:
        case Order.STANDING_SINCE:
            return account.standing_since
        case Order.BALANCE:
            return account.balance
        case Order.LAST_ENTRY_AT:
            return -account.last_entry_at
        case Order.FELT:
            return felt_balance(account, policy, t)
        case Order.STAKE:
            return -stake(felt_balance(account, policy, t), account.value)
