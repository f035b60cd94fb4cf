"""What a field or a parameter of a request may hold."""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar, cast
from urllib.parse import unquote

from fastapi import Path
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StringConstraints, Tag
from pydantic_core import PydanticCustomError

from app.domain.instant import Instant, instant_of
from app.domain.interaction import IDENTIFIER_CHARACTERS_MAX, SYSTEM_SOURCE

NOTE_BYTES_MAX = 4 * 1024
ATTRIBUTES_BYTES_MAX = 8 * 1024
LISTED_MAX = 100  # values of one filter
NAMESPACED_ID_MAX = 159  # so that with its namespace it is no longer than any other customer
NAMES_MAX = 10
ONE_NAME, SEVERAL_NAMES = "name", "names"
PAGE_SIZE_MAX = 1_000
NUMBER_MAX = 1e12
WITHOUT_NUL = r"^[^\x00]*$"
WITHOUT_NUL_OR_COMMA = r"^[^\x00,]*$"
UNADDRESSABLE = (".", "..")  # every client resolves them away in a path, percent-encoded or not

ADDRESSABLE = r"^(\.{3,}|[^\x00]*[^\x00.][^\x00]*)$"  # as UNADDRESSABLE says, for the OpenAPI document
_RFC3339 = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
_DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,15}")


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
        raise PydanticCustomError("number_invalid", "send a whole number")
    return value


def decimal(value: object) -> object:
    """A whole number in the one way of writing it: neither 1_0 nor +1, 1.0 or 01."""
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise PydanticCustomError("number_invalid", "send a whole number in decimal digits")
    return int(value)


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


def _addressable(customer: str) -> str:
    if customer in UNADDRESSABLE:
        raise PydanticCustomError(
            "customer_invalid", "a customer cannot be named . or .., which no client can address in a path"
        )
    return customer


def instant_or_none(moment: datetime | None) -> Instant | None:
    """The instant of a time on the wire, if there is one."""
    return None if moment is None else instant_of(moment)


def _form_of_customer(sent: object) -> str:
    return SEVERAL_NAMES if isinstance(sent, dict) else ONE_NAME


_T = TypeVar("_T")

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=IDENTIFIER_CHARACTERS_MAX, pattern=WITHOUT_NUL)]
Segment = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=WITHOUT_NUL_OR_COMMA)]
KindName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=WITHOUT_NUL)]
Source = Annotated[Identifier, AfterValidator(_not_ours)]
Customer = Annotated[Identifier, AfterValidator(_addressable), Field(json_schema_extra={"pattern": ADDRESSABLE})]
CustomerPath = Annotated[Identifier, BeforeValidator(unquoted), Path(description="the customer, percent-encoded")]
Namespace = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}$")]
NamespacedId = Annotated[str, StringConstraints(min_length=1, max_length=NAMESPACED_ID_MAX, pattern=WITHOUT_NUL)]
CustomerNames = Annotated[dict[Namespace, NamespacedId], Field(min_length=1, max_length=NAMES_MAX)]
CustomerIn = Annotated[
    Annotated[Customer, Tag(ONE_NAME)] | Annotated[CustomerNames, Tag(SEVERAL_NAMES)],
    Discriminator(_form_of_customer),
]
Note = Annotated[str, StringConstraints(pattern=WITHOUT_NUL), AfterValidator(_short_note)]
AttributesIn = Annotated[dict[str, Any], AfterValidator(_small_attributes)]
Listed = Annotated[list[_T], BeforeValidator(_parts), Field(min_length=1, max_length=LISTED_MAX)]
WireTime = Annotated[datetime, BeforeValidator(_rfc3339, json_schema_input_type=datetime), AfterValidator(_in_range)]
Number = Annotated[float, Field(ge=-NUMBER_MAX, le=NUMBER_MAX, allow_inf_nan=False, strict=True)]
WholeNumber = Annotated[int, BeforeValidator(_whole_number, json_schema_input_type=int)]
PageSize = Annotated[int, Field(ge=1, le=PAGE_SIZE_MAX), BeforeValidator(decimal)]
Position = Annotated[int, Field(ge=0, le=2**53 - 1), BeforeValidator(decimal)]
TariffVersion = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(decimal)]
