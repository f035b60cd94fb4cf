"""What a caller of the statement would rather read: JSON or CSV."""

import re

from app.domain.errors import NotAcceptable

JSON_TYPE = "application/json"
CSV_TYPE = "text/csv"

_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")  # RFC 9110, 12.4.2


def chosen_type(accept: str) -> str:
    """The type that an Accept header likes better, JSON of equals; NotAcceptable if it takes neither.

    A range whose weight is malformed is not looked at.
    """
    ranges = [part for part in accept.split(",") if part.strip()] or ["*/*"]
    liked = [liking for part in ranges if (liking := _liking(part)) is not None]
    best = max((JSON_TYPE, CSV_TYPE), key=lambda offered: _quality(offered, liked))
    if _quality(best, liked) <= 0:
        raise NotAcceptable(f"This address gives {JSON_TYPE} or {CSV_TYPE}.")
    return best


def _quality(offered: str, liked: list[tuple[str, float]]) -> float:
    """How much an offer is liked: the most specific range that covers it says so (RFC 9110, 12.5.1)."""
    for covering in (offered, offered.split("/")[0] + "/*", "*/*"):
        for media_range, quality in liked:
            if media_range == covering:
                return quality
    return 0.0


def _liking(part: str) -> tuple[str, float] | None:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weights = [piece.removeprefix("q=") for piece in parameters if piece.startswith("q=")] or ["1"]
    return (media_range, float(weights[0])) if _WEIGHT.fullmatch(weights[0]) else None
