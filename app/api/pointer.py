"""RFC 6901 pointers into what was sent, without carrying what was sent."""

from app.domain.document_place import Place


def pointer_to(*steps: str | int) -> str:
    """The pointer of these steps; a name too long or unprintable to stand in an answer shows as `?`."""
    place = Place()
    for step in steps:
        place = place.at(step)
    return place.pointer
