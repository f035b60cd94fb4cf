"""The rules of the model: price lists and policies, as documents to adopt and as what they mean (DESIGN 2 and 3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

MICROSECOND = 1
SECOND = 1_000_000 * MICROSECOND
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

DEEP_AT = -40
BIG = 20
MEMORIES = ("lasting", "passing", "deep", "observed")
CONTEXT = ("channel", "case", "cause", "motive", "cost")
FIELDS = frozenset({"id", "source", "customer", "kind", "value_at", "attributes", "note", "points", *CONTEXT})
SYSTEM_KINDS = ("promise.made", "promise.moved", "promise.withdrawn")


class Refused(Exception):
    """An answer that changes nothing: its status and the problem's code; of a conflict also which fields differ."""

    def __init__(self, status: int, code: str, fields: frozenset[str] = frozenset()) -> None:
        super().__init__(code)
        self.status, self.code, self.fields = status, code, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a kind is worth: a number, or an expression and what it says in Python."""

    points: int | str
    meaning: Callable[[Mapping[str, Any]], int] = lambda _attributes: 0
    needs: str | None = None
    bounds: tuple[int, int] = (-100, 100)
    memory: str | None = None
    explicit: bool = False
    steps: tuple[tuple[int, int], ...] = ()

    def memory_of(self, points: int) -> str:
        """How so many points of this kind fade: the kind's own memory before any default."""
        if self.memory is not None:
            return self.memory
        if points > 0:
            return "lasting"
        return "deep" if points <= DEEP_AT else "passing"


def tariff(lenient: int) -> dict[str, Price]:
    """One of several price lists: debits are milder by `lenient`, credits greater, and the last knows no gifts."""
    prices = {
        "thanks.small": Price(points=3 + lenient),
        "praise.heard": Price(points=15, memory="observed"),
        "gift.big": Price(points=45 - lenient),
        "repair.done": Price(points=20),
        "wait.long": Price(points=-6 + lenient),
        "product.failed": Price(points=-20 + lenient),
        "order.cancelled": Price(points=-45 + lenient),
        "insult.grave": Price(points=-90),
        "contact.neutral": Price(points=0),
        "delivery.late": Price(
            points=f"attributes.days <= 3 ? -12 : {-36 + lenient}",
            meaning=lambda given: -12 if given["days"] <= 3 else -36 + lenient,
            needs="days",
            steps=((0, -12), (3 * DAY, -35), (7 * DAY, -48)),
        ),
        "priced.by_source": Price(points=1, explicit=True, bounds=(-60, 60)),
        "promise.broken": Price(points=-15),
        "promise.kept": Price(points=4 + lenient),
        "promise.moved": Price(points=-4),
    }
    return prices if lenient < 2 else {kind: price for kind, price in prices.items() if kind != "gift.big"}


def tariff_document(prices: Mapping[str, Price]) -> Json:
    """The price list as it is adopted."""
    memories = {"credit": "lasting", "debit": "passing", "deep_debit": "deep", "neutral": "passing"}
    kinds = {kind: _kind_document(kind, price) for kind, price in prices.items()}
    return {"name": "laws", "deep_at": DEEP_AT, "memory_by_default": memories, "kinds": kinds}


def _kind_document(kind: str, price: Price) -> Json:
    document: Json = {"label": {"en": kind, "fr": kind}, "points": price.points, "group": "observation"}
    document |= {"least": price.bounds[0], "most": price.bounds[1]}
    if price.memory is not None:
        document["memory"] = price.memory
    if price.explicit:
        document["explicit"] = True
    if price.needs is not None:
        document["needs"] = {price.needs: {"type": "integer", "says": "how many"}}
    if price.steps:
        document["steps"] = [{"after": f"P{after // DAY}D", "points": total} for after, total in price.steps]
    return document


def valued(prices: Mapping[str, Price], sent: Mapping[str, Any]) -> tuple[int, str]:
    """The points and the memory of an interaction as sent. Raises Refused."""
    price = priced(prices, sent["kind"])
    points = price.points if isinstance(price.points, int) else 0
    if price.needs is not None:
        given = (sent.get("attributes") or {}).get(price.needs)
        if not isinstance(given, int | float) or given != int(given):
            raise Refused(422, "invalid_attributes")
        points = price.meaning({price.needs: given})
    if sent.get("points") is not None:
        if not price.explicit:
            raise Refused(422, "points_not_explicit")
        points = sent["points"]
        if not price.bounds[0] <= points <= price.bounds[1]:
            raise Refused(422, "points_out_of_bounds")
    return points, price.memory_of(points)


def refuse_system_kind(kind: str) -> None:
    """Callers post none of these. Raises Refused."""
    if kind in SYSTEM_KINDS or kind.startswith("account."):
        raise Refused(422, "system_kind")


def priced(prices: Mapping[str, Price], kind: str) -> Price:
    """The price of a kind that callers may post. Raises Refused."""
    refuse_system_kind(kind)
    if kind not in prices:
        raise Refused(422, "unknown_kind")
    return prices[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where standings begin (DESIGN 3)."""

    evidence: float = 3.0
    marked: float = -15.0
    deep: float = -50.0
    glow: float = 15.0
    clean_ratio: float = 4.0
    fresh: float = 10.0
    rising_ratio: float = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Half-lives in days (None never fades), limits, and for how long what is told of."""

    lives: Mapping[str, float | None] = field(
        default_factory=lambda: {"lasting": 180.0, "passing": 90.0, "deep": 365.0, "observed": 120.0, "fresh": 14.0}
    )
    limits: Limits = field(default_factory=Limits)
    segments: Mapping[str, Limits] = field(default_factory=dict[str, Limits])
    alert_within: int = 48 * HOUR
    quiet_for: int = 24 * HOUR

    def limits_of(self, segment: str | None) -> Limits:
        """Those of a segment, or the book's own."""
        return self.segments.get(segment or "", self.limits)


_TOUCHY = Limits(marked=-5.0, deep=-20.0, glow=40.0)
_DOUBTFUL = Limits(evidence=30.0, rising_ratio=0.05, clean_ratio=2.0)
POLICIES = (
    Policy(segments={"vip": _TOUCHY, "new": _DOUBTFUL}),
    Policy(limits=Limits(evidence=1.0, marked=-8.0, deep=-30.0, glow=10.0), segments={"vip": _DOUBTFUL}),
    Policy(
        lives={"lasting": 60.0, "passing": 30.0, "deep": 90.0, "observed": 10.0, "fresh": 7.0},
        segments={"vip": _TOUCHY},
        alert_within=6 * HOUR,
        quiet_for=0,
    ),
    Policy(
        lives={"lasting": None, "passing": 45.0, "deep": None, "observed": 45.0, "fresh": 30.0},
        limits=Limits(clean_ratio=1.5, fresh=3.0, rising_ratio=0.02),
        quiet_for=10 * DAY,
    ),
)


def policy_document(policy: Policy) -> Json:
    """The policy as it is adopted."""
    return {
        "half_lives": dict(policy.lives),
        "thresholds": _limits_document(policy.limits),
        "segments": {name: _limits_document(limits) for name, limits in policy.segments.items()},
        "alert_within": f"PT{policy.alert_within // HOUR}H",
        "quiet_for": f"PT{policy.quiet_for // HOUR}H",
    }


def _limits_document(limits: Limits) -> Json:
    return {name: getattr(limits, name) for name in Limits.__dataclass_fields__}


def content_of(sent: Json) -> Json:
    """The interaction as sent, but for its name and its customer."""
    return {
        name: value for name, value in sent.items() if name not in ("id", "source", "customer") and value is not None
    }


def differing(line: Mapping[str, Any], content: Json) -> set[str]:
    """The names of the fields in which two contents differ; attributes one by one."""
    fields = {name for name in {*line, *content} if line.get(name) != content.get(name)}
    if "attributes" not in fields:
        return fields
    first, second = line.get("attributes") or {}, content.get("attributes") or {}
    inner = {f"attributes.{name}" for name in {*first, *second} if first.get(name) != second.get(name)}
    return (fields - {"attributes"}) | (inner or {"attributes"})
