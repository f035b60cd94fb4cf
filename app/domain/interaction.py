"""An interaction as it was reported, and its content: what makes a resend the same or another one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import rfc8785

from app.domain.errors import Fault, InvalidInteraction
from app.domain.immutable import immutable
from app.domain.instant import MINUTE, Instant
from app.domain.plain_json import plain_json

AHEAD_MAX = 5 * MINUTE
EARLIEST: Instant = -2_208_988_800_000_000  # 1900-01-01T00:00:00Z

IDENTIFIER_CHARACTERS_MAX = 200
SYSTEM_SOURCE = "goodwill"  # of what the system posts by itself; callers may not use it

CONTEXT_FIELDS = (
    "channel",
    "touchpoint",
    "journey",
    "case",
    "motive",
    "actor",
    "declared_by",
    "cause",
    "settles",
    "promise",
    "cost",
)

Content = Mapping[str, Any]


@immutable
class Interaction:
    """What happened with a customer, as its source reported it.

    `aliases` are further names of the customer. `value_at` None means "when it is booked". `context` holds only the
    fields that were sent. `attributes` and `note` are personal and leave the process sealed only.
    """

    source: str
    id: str
    customer: str
    kind: str
    aliases: tuple[str, ...] = ()
    value_at: Instant | None = None
    attributes: Mapping[str, Any] | None = None
    note: str | None = None
    points: int | None = None
    context: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def names(self) -> tuple[str, ...]:
        """All that the customer is called."""
        return (self.customer, *self.aliases)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalRequest:
    """A correction: the entry to cancel, by id or by its interaction's (source, id), and why.

    With an `id` of its own the same request again is replayed; `replacement` is posted in the same append.
    """

    source: str
    id: str | None = None
    entry_id: UUID | None = None
    interaction: tuple[str, str] | None = None
    reason: str
    replacement: Interaction | None = None


def content_of(interaction: Interaction) -> dict[str, Any]:
    """The interaction as sent: no defaults, no valuation, and neither its name (source, id) nor its customer.

    Times are microseconds, so that the offset of equal instants does not matter; absent stays absent.
    """
    sent: dict[str, Any] = {
        "kind": interaction.kind,
        "value_at": interaction.value_at,
        "attributes": interaction.attributes,
        "note": interaction.note,
        "points": interaction.points,
    }
    return {name: value for name, value in {**sent, **interaction.context}.items() if value is not None}


def reversal_content_of(request: ReversalRequest, reverses: str) -> dict[str, Any]:
    """The content of a reversal: which entry it cancels, why, and the name of what replaces it.

    What that says is in its own entry: it may be another customer's, whom this one's key is not to tell of.
    """
    content: dict[str, Any] = {"reverses": reverses, "reason": request.reason}
    if request.replacement is not None:
        content["replacement"] = {"source": request.replacement.source, "id": request.replacement.id}
    return content


def whole_reversal_content(content: Content, replacement: Interaction) -> dict[str, Any]:
    """The same as releases before kept it: with all that the replacement says."""
    return {**content, "replacement": {**content["replacement"], **content_of(replacement)}}


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value: key order and 1 against 1.0 do not matter.

    JSON's integers end at 2^53 there. A larger one was a double (1e20 is written out as an integer), or is a time
    after the year 2255, which no entry has.
    """
    plain = plain_json(value)
    if plain is not None:
        return plain.encode()
    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError:
        return rfc8785.dumps(_with_doubles(value))


def fields_that_differ(first: Content, second: Content) -> tuple[str, ...]:
    """The names of the fields in which two contents differ, sorted; attributes one by one."""
    names = sorted(first.keys() | second.keys())
    differing = [name for name in names if not _same(first.get(name), second.get(name))]
    if "attributes" not in differing:
        return tuple(differing)
    a: Content = first.get("attributes") or {}
    b: Content = second.get("attributes") or {}
    same = {name for name in a.keys() & b.keys() if _same(a[name], b[name])}
    inner = [f"attributes.{name}" for name in sorted((a.keys() | b.keys()) - same)]
    at = differing.index("attributes")
    return (*differing[:at], *(inner or ["attributes"]), *differing[at + 1 :])


def settled_value_at(value_at: Instant | None, booked_at: Instant) -> Instant:
    """When it mattered: up to five minutes ahead counts as now; InvalidInteraction beyond that or before 1900."""
    if value_at is None:
        return booked_at
    if value_at > booked_at + AHEAD_MAX:
        raise _refused_time("time_in_the_future", "value_at may lie at most 5 minutes ahead of the server's clock")
    if value_at < EARLIEST:
        raise _refused_time("time_too_early", "value_at may not lie before 1900-01-01T00:00:00Z")
    return min(value_at, booked_at)


def _refused_time(code: str, detail: str) -> InvalidInteraction:
    return InvalidInteraction(detail, faults=(Fault(pointer="/value_at", code=code, detail=detail),))


def _same(a: Any, b: Any) -> bool:
    return canonical(a) == canonical(b)


def _with_doubles(value: Any) -> Any:
    return json.loads(json.dumps(value), parse_int=_double_if_large)


def _double_if_large(text: str) -> int | float:
    return float(text) if abs(int(text)) >= 2**53 else int(text)
