"""Why an account stands where it stands: what is felt by memory and by entry, and what lies ahead."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain.account import Account
from app.domain.entry import Entry, felt_of
from app.domain.foretold import Ahead, foretold
from app.domain.instant import Instant
from app.domain.memory import Felt, fadings, felt_at
from app.domain.merging import counted
from app.domain.policy import MEMORIES, Memory, Policy
from app.domain.repair import Since, repairs
from app.domain.tariff import Group, KindRule

WEIGHTY_SHARE = 0.02  # of all that is felt: so at most fifty entries are told one by one, however long the history


@dataclass(frozen=True, slots=True, kw_only=True)
class InMemory:
    """What is felt in one memory: credits and debits, both >= 0, in points."""

    memory: Memory
    credits: float
    debits: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """One entry's part in what is felt. `felt` is signed, `share` is of credits and debits together (0 to 1).

    `rule` is the tariff's line in whose words it is told; None for a kind that no tariff lists.
    """

    entry: Entry
    felt: float
    share: float
    rule: KindRule | None
    since: Since

    @property
    def is_unavoidable(self) -> bool:
        """Whether it is a debit that the company could not have prevented."""
        return self.felt < 0 and self.rule is not None and self.rule.group is Group.UNAVOIDABLE_DEBIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """How many entries, and what is felt of them in points, signed."""

    count: int
    felt: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """An account at `at`. `weighty` holds the heaviest entry first; every other one is in `lighter`.

    `avoidable` and `unavoidable` part all debits, weighty or not.
    """

    at: Instant
    felt: Felt
    by_memory: tuple[InMemory, ...]
    weighty: tuple[Weight, ...]
    lighter: Sum
    avoidable: Sum
    unavoidable: Sum
    ahead: Ahead | None


def explain(
    account: Account, kept: Sequence[Entry], policy: Policy, rules: Mapping[str, KindRule], t: Instant
) -> Explanation:
    """The account at `t`. Requires an account advanced to `t`, and of `kept_of` what the account rests on."""
    weights = _weights(kept, policy, rules, t)
    debits = [weight for weight in weights if weight.felt < 0]
    return Explanation(
        at=t,
        felt=felt_at(account.masses, policy.half_lives, t),
        by_memory=_by_memory(account, policy, t),
        weighty=tuple(weight for weight in weights if weight.share >= WEIGHTY_SHARE),
        lighter=_sum(weight for weight in weights if weight.share < WEIGHTY_SHARE),
        avoidable=_sum(weight for weight in debits if not weight.is_unavoidable),
        unavoidable=_sum(weight for weight in debits if weight.is_unavoidable),
        ahead=foretold(account, policy, t),
    )


def kept_of(entries: Iterable[Entry], *, up_to: int) -> list[Entry]:
    """Of an account's entries up to a sequence those that make up what it holds."""
    return counted(entry for entry in entries if entry.sequence <= up_to)


def _weights(kept: Sequence[Entry], policy: Policy, rules: Mapping[str, KindRule], t: Instant) -> list[Weight]:
    """Of every entry with points, the heaviest first; of equal ones the later first."""
    felt = [(felt_of(entry, policy.half_lives, t), entry) for entry in kept if entry.points or entry.carried]
    felt.sort(key=lambda each: (-abs(each[0]), -each[1].sequence))
    # What has faded to nothing at all, even in a float, has no share.
    whole = sum(abs(points) for points, _ in felt) or 1.0
    done = repairs(kept, rules)
    return [
        Weight(
            entry=entry,
            felt=points,
            share=abs(points) / whole,
            rule=rules.get(entry.kind),
            since=done.since(entry) if abs(points) / whole >= WEIGHTY_SHARE else Since(),
        )
        for points, entry in felt
    ]


def _by_memory(account: Account, policy: Policy, t: Instant) -> tuple[InMemory, ...]:
    masses = account.masses
    left = fadings(policy.half_lives, t - masses.at)
    return tuple(
        InMemory(memory=memory, credits=credit * share, debits=debit * share)
        for memory, credit, debit, share in zip(MEMORIES, masses.credits, masses.debits, left, strict=True)
    )


def _sum(weights: Iterable[Weight]) -> Sum:
    felt = [weight.felt for weight in weights]
    return Sum(count=len(felt), felt=sum(felt))
