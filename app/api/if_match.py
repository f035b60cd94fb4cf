"""If-Match: who adopts a tariff or a policy says which one it was read over."""

from typing import Annotated

from fastapi import Header

from app.domain.errors import IfMatchRequired

_PATTERN = r'^(\*|(W/)?"[0-9]{1,9}")$'  # a proxy that compresses may have made the ETag a weak one

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", pattern=_PATTERN, description="needed: the ETag of the one in force, or * for any"),
]


def expected_version_of(if_match: str | None) -> int | None:
    """The version that If-Match names, None for any. Raises IfMatchRequired if there is no such header."""
    if if_match is None:
        raise IfMatchRequired
    return None if if_match == "*" else int(if_match.removeprefix("W/").strip('"'))
