"""What a caller of the statement would rather read: JSON or CSV."""

from app.api.weighted import weighted
from app.domain.request_errors import NotAcceptable

JSON_TYPE = "application/json"
CSV_TYPE = "text/csv"


def chosen_type(accept: str) -> str:
    """The type that an Accept header likes better, JSON of equals; NotAcceptable if it takes neither.

    A range whose weight is malformed is not looked at.
    """
    ranges = [part for part in accept.split(",") if part.strip()] or ["*/*"]
    liked = [(named, weight) for named, weight in map(weighted, ranges) if weight is not None]
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
