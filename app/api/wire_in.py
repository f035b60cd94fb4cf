"""What callers send. Inputs forbid unknown fields and want times with an offset."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.api.wire_fields import (
    ATTRIBUTES_BYTES_MAX,
    NOTE_BYTES_MAX,
    WITHOUT_NUL,
    AttributesIn,
    Customer,
    CustomerIn,
    Identifier,
    KindName,
    Note,
    Number,
    Segment,
    Source,
    WholeNumber,
    WireTime,
    instant_or_none,
)
from app.domain.alias import alias_name
from app.domain.errors import Fault, InvalidRequest, Refusal
from app.domain.interaction import CONTEXT_FIELDS, Interaction, ReversalRequest

LOOKUP_MAX = 500


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
    customer: CustomerIn = Field(
        description='a name, or ids by the systems that gave them: `{"zendesk": "88"}` is the name `zendesk:88`'
    )
    kind: KindName
    value_at: WireTime | None = Field(None, description="when it mattered to the customer; now if left out")
    attributes: AttributesIn | None = Field(
        None, description=f"at most {ATTRIBUTES_BYTES_MAX} bytes, as JSON in UTF-8 without spaces"
    )
    note: Note | None = Field(None, description=f"at most {NOTE_BYTES_MAX} bytes in UTF-8")
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
        first, *aliases = names_in(self.customer)
        sent = self.__dict__  # asking each field for itself would take longer than all the rest
        return Interaction(
            source=required(self.source or source, "source", "name the source, or give the API key one"),
            id=required(self.id or idempotency_key, "id", "send an id of your own, or an Idempotency-Key header"),
            customer=first,
            aliases=tuple(aliases),
            kind=self.kind,
            value_at=instant_or_none(self.value_at),
            attributes=self.attributes,
            note=self.note,
            points=self.points,
            context={name: value for name in CONTEXT_FIELDS if (value := sent[name]) is not None},
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

    customers: Annotated[list[Customer], Field(min_length=1, max_length=LOOKUP_MAX)]


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


def names_in(customer: str | dict[str, str]) -> list[str]:
    """The names of a customer, in the order in which they were sent."""
    if isinstance(customer, str):
        return [customer]
    return [alias_name(namespace, own_id) for namespace, own_id in customer.items()]


def required(value: str | None, field: str, detail: str) -> str:
    """The value; InvalidRequest naming the field where it is missing."""
    if not value:
        raise InvalidRequest(faults=(Fault(pointer=f"/{field}", code="missing", detail=detail),))
    return value
