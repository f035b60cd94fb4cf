"""A member of a header that lists what the caller likes, and how much (RFC 9110, 12.4.2)."""

import re

_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


def weighted(member: str) -> tuple[str, float | None]:
    """What a member names, in lower case, and its weight: 1 where it says none, None where it is malformed."""
    named, *parameters = (piece.strip().lower() for piece in member.split(";"))
    weights = [piece.removeprefix("q=") for piece in parameters if piece.startswith("q=")] or ["1"]
    return named, float(weights[0]) if _WEIGHT.fullmatch(weights[0]) else None
