"""The tariff: what each kind of interaction is worth. `tariff_document` reads it, `valuation` applies it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from app.domain.expression import Expression
from app.domain.policy import Memory

# No single interaction is worth more: a book's figures stay far inside the database's integers, and a slip of the
# keyboard (-4500 for -45) is met at adoption.
POINTS_MIN = -1000
POINTS_MAX = 1000

_SYSTEM_PREFIX = "account."
_SYSTEM_KINDS = frozenset({"promise.made", "promise.moved", "promise.withdrawn"})


class AttributeType(StrEnum):
    """What a needed attribute is. In expressions a `number` is always a double, an `integer` always an int."""

    NUMBER = "number"
    INTEGER = "integer"
    STRING = "string"
    BOOLEAN = "boolean"


class Group(StrEnum):
    """Where a kind stands in the price list, by the size of its points; the last three have no limits of size."""

    SMALL_CREDIT = "small_credit"
    BIG_CREDIT = "big_credit"
    SMALL_DEBIT = "small_debit"
    BIG_DEBIT = "big_debit"
    UNAVOIDABLE_DEBIT = "unavoidable_debit"
    NEUTRAL = "neutral"
    OBSERVATION = "observation"


class Basis(StrEnum):
    """Where a kind's figure comes from."""

    MEASURED = "measured"
    SEED = "seed"
    PUBLISHED_DIRECTION = "published-direction"
    PROPOSAL = "proposal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a support agent would say of the customer, in the past."""

    en: str
    fr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """An attribute that a kind uses. `otherwise` is taken when it is absent; None means that it may not be."""

    type: AttributeType
    says: str
    otherwise: float | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A running total by lateness: `points` in all, once a promise is `after` past its due time."""

    after: timedelta
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRule:
    """One line of the tariff. `least` and `most` bound what an expression or a caller gives.

    `context_used` names those of channel, touchpoint, motive and source that its expressions read.
    """

    name: str
    label: Label
    points: int | Expression
    requires: Expression | None = None
    least: int = POINTS_MIN
    most: int = POINTS_MAX
    group: Group
    memory: Memory | None = None
    gesture: bool = False
    declared_by_employee: bool = False
    explicit: bool = False
    needs: Mapping[str, Need] = field(default_factory=dict[str, Need])
    steps: tuple[Step, ...] = ()
    basis: Basis = Basis.PROPOSAL
    context_used: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryByDefault:
    """How an entry fades when its kind names no memory."""

    credit: Memory = Memory.LASTING
    debit: Memory = Memory.PASSING
    deep_debit: Memory = Memory.DEEP
    neutral: Memory = Memory.PASSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A whole price list. `document` is the JSON object it was read from, kept so that it can be shown as adopted."""

    name: str
    deep_at: int
    memory_by_default: MemoryByDefault
    kinds: Mapping[str, KindRule]
    document: Mapping[str, object]

    def memory_of(self, rule: KindRule, points: int) -> Memory:
        """How an entry of this kind and of so many points fades: the kind's own memory before any default.

        A promise's step passes its running total, so that the step which passes `deep_at` is deep.
        """
        if rule.memory is not None:
            return rule.memory
        defaults = self.memory_by_default
        if points > 0:
            return defaults.credit
        if points == 0:
            return defaults.neutral
        return defaults.deep_debit if points <= self.deep_at else defaults.debit


def is_system_kind(kind: str) -> bool:
    """Whether only the system posts this kind. A tariff may price it all the same: `promise.moved` has a price."""
    return kind in _SYSTEM_KINDS or kind.startswith(_SYSTEM_PREFIX)
