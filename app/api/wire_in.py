"""What callers send. Inputs forbid unknown fields and want times with an offset."""

import json
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar, cast
from urllib.parse import unquote
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.domain.errors import Fault, InvalidRequest, Refusal
from app.domain.instant import Instant, instant_of
from app.domain.interaction import (
    CONTEXT_FIELDS,
    IDENTIFIER_CHARACTERS_MAX,
    SYSTEM_SOURCE,
    Interaction,
    ReversalRequest,
)

NOTE_BYTES_MAX = 4 * 1024
ATTRIBUTES_BYTES_MAX = 8 * 1024
LOOKUP_MAX = 500
LISTED_MAX = 100  # values of one filter
NUMBER_MAX = 1e12
WITHOUT_NUL = r"^[^\x00]*$"
WITHOUT_NUL_OR_COMMA = r"^[^\x00,]*$"

_RFC3339 = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)


def _rfc3339(value: object) -> object:
    if not isinstance(value, str) or not _RFC3339.match(value):
        raise PydanticCustomError("time_invalid", "send an RFC 3339 time with an offset, such as 2026-05-03T09:30:00Z")
    return value


def _in_range(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("time_invalid", "send a time of the years 1 to 9999 in UTC") from None


def _parts(values: object) -> object:
    """One value, several, or comma-separated lists of them, as one list."""
    if not isinstance(values, list):
        return values
    return [part for value in cast("list[object]", values) for part in str(value).split(",")]


def _whole_number(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError("int_type", "send a whole number")
    return value


def unquoted(value: object) -> object:
    """A path segment, percent-decoded."""
    try:
        return unquote(str(value), errors="strict")
    except UnicodeDecodeError:
        raise PydanticCustomError("text_invalid", "percent-encode UTF-8") from None


def _short_note(note: str) -> str:
    if len(note.encode()) > NOTE_BYTES_MAX:
        raise PydanticCustomError("too_long", "a note holds at most 4 KiB")
    return note


def _small_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(attributes, ensure_ascii=False, separators=(",", ":")).encode()) > ATTRIBUTES_BYTES_MAX:
        raise PydanticCustomError("too_long", "attributes hold at most 8 KiB")
    return attributes


def _not_ours(source: str) -> str:
    if source == SYSTEM_SOURCE:
        raise PydanticCustomError("source_reserved", "the source goodwill is the system's own")
    return source


_T = TypeVar("_T")

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=IDENTIFIER_CHARACTERS_MAX, pattern=WITHOUT_NUL)]
Segment = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=WITHOUT_NUL_OR_COMMA)]
KindName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=WITHOUT_NUL)]
Source = Annotated[Identifier, AfterValidator(_not_ours)]
AttributesIn = Annotated[dict[str, Any], AfterValidator(_small_attributes)]
Listed = Annotated[list[_T], BeforeValidator(_parts), Field(min_length=1, max_length=LISTED_MAX)]
WireTime = Annotated[datetime, BeforeValidator(_rfc3339, json_schema_input_type=datetime), AfterValidator(_in_range)]
Number = Annotated[float, Field(ge=-NUMBER_MAX, le=NUMBER_MAX, allow_inf_nan=False, strict=True)]
WholeNumber = Annotated[int, BeforeValidator(_whole_number, json_schema_input_type=int)]
CustomerPath = Annotated[Identifier, BeforeValidator(unquoted), Path(description="the customer, percent-encoded")]


class WireIn(BaseModel):
    """What callers send."""

    model_config = ConfigDict(extra="forbid")


class Motive(StrEnum):
    """Why the customer was in touch."""

    PROBLEM = "problem"
    INFORMATION = "information"


class DeclaredBy(StrEnum):
    """Who says that it happened."""

    CUSTOMER = "customer"
    SYSTEM = "system"
    EMPLOYEE = "employee"


class InteractionIn(WireIn):
    """What happened with a customer. `attributes` and `note` may be personal; identifiers carry no personal data."""

    id: Identifier | None = Field(None, description="the reporter's own id; or the Idempotency-Key header")
    source: Source | None = Field(None, description="who reports; the API key's own source if left out")
    customer: Identifier
    kind: KindName
    value_at: WireTime | None = Field(None, description="when it mattered to the customer; now if left out")
    attributes: AttributesIn | None = None
    note: Annotated[str, StringConstraints(pattern=WITHOUT_NUL), AfterValidator(_short_note)] | None = None
    points: WholeNumber | None = Field(None, description="only where the kind is priced by its source")
    channel: Identifier | None = None
    touchpoint: Identifier | None = None
    journey: Identifier | None = None
    case: Identifier | None = None
    motive: Motive | None = None
    actor: Identifier | None = None
    declared_by: DeclaredBy | None = None
    cause: Identifier | None = None
    settles: Identifier | None = Field(None, description="the id of the interaction that this one repairs")
    promise: Identifier | None = None
    cost: Number | None = None

    def to_domain(self, *, source: str | None, idempotency_key: str | None = None) -> Interaction:
        """The interaction; `source` and `idempotency_key` are what stands in where the body is silent.

        Raises InvalidRequest naming the field where neither is there.
        """
        sent = {name: getattr(self, name) for name in CONTEXT_FIELDS}
        return Interaction(
            source=required(self.source or source, "source", "name the source, or give the API key one"),
            id=required(self.id or idempotency_key, "id", "send an id of your own, or an Idempotency-Key header"),
            customer=self.customer,
            kind=self.kind,
            value_at=instant_or_none(self.value_at),
            attributes=self.attributes,
            note=self.note,
            points=self.points,
            context={name: value for name, value in sent.items() if value is not None},
        )


class InteractionNameIn(WireIn):
    """An interaction by the name its reporter gave it."""

    source: Identifier | None = None
    id: Identifier


class EntryReversalIn(WireIn):
    """Why an entry is reversed, and what replaces it."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=WITHOUT_NUL)]
    id: Identifier | None = Field(None, description="an own id makes the call safe to repeat")
    source: Source | None = None
    replacement: InteractionIn | None = None

    def to_domain(
        self, *, source: str | None, entry_id: UUID | None = None, interaction: tuple[str, str] | None = None
    ) -> ReversalRequest:
        """The request to reverse an entry, named by its id or by its interaction."""
        own = required(self.source or source, "source", "name the source, or give the API key one")
        return ReversalRequest(
            source=own,
            id=self.id,
            entry_id=entry_id,
            interaction=interaction,
            reason=self.reason,
            replacement=None if self.replacement is None else _replacing(self.replacement, own),
        )


class ReversalIn(EntryReversalIn):
    """The same for an entry that is named by its interaction."""

    interaction: InteractionNameIn

    def named(self, source: str | None) -> tuple[str, str]:
        """The (source, id) of the interaction to reverse."""
        own = self.interaction.source or self.source or source
        return required(own, "source", "name the source of the interaction"), self.interaction.id


class LookupIn(WireIn):
    """Customers to look up at once."""

    customers: Annotated[list[Identifier], Field(min_length=1, max_length=LOOKUP_MAX)]


class CustomerPatch(WireIn):
    """What is known of a customer beside the ledger. A field that is left out stays; null takes it away."""

    segment: Segment | None = Field(None, description="whose thresholds may differ; no comma, which separates filters")
    value: Annotated[Number, Field(ge=0)] | None = Field(
        None, description="what the customer is worth to you: ranks the worklist, never prices an interaction"
    )


def _replacing(replacement: InteractionIn, source: str) -> Interaction:
    try:
        return replacement.to_domain(source=source)
    except Refusal as refusal:
        raise refusal.under("/replacement") from None


def required(value: str | None, field: str, detail: str) -> str:
    """The value; InvalidRequest naming the field where it is missing."""
    if not value:
        raise InvalidRequest(faults=(Fault(pointer=f"/{field}", code="missing", detail=detail),))
    return value


def instant_or_none(moment: datetime | None) -> Instant | None:
    """The instant of a time on the wire, if there is one."""
    return None if moment is None else instant_of(moment)
