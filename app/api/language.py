"""The language of an answer's words, as the caller would rather have them (RFC 9110, 12.5.4)."""

from typing import Annotated

from fastapi import Header

from app.api.openapi import header
from app.api.weighted import weighted
from app.api.words import en, fr
from app.api.words.told import Voice

DEFAULT = "en"
VOICES: dict[str, Voice] = {"en": en, "fr": fr}

AcceptLanguage = Annotated[
    str,
    Header(alias="Accept-Language", description="the language of the words: en (also where none is liked) or fr"),
]
LANGUAGE_HEADERS = {
    "Content-Language": header("the language of the words", {"type": "string", "enum": sorted(VOICES)}),
    "Vary": header("what the words depend on", {"type": "string"}),
}


def chosen_language(accept: str) -> str:
    """The language that an Accept-Language header likes best, the one named first of equals; English if it likes none.

    `fr-CA` likes French: a region's words are better than another language's.
    """
    liked = [_liking(part) for part in accept.split(",")]
    named = [primary for primary, _ in liked if primary in VOICES]
    offered = [*dict.fromkeys([*named, DEFAULT, *VOICES])]
    best = max(offered, key=lambda language: _quality(language, liked))
    return best if _quality(best, liked) > 0 else DEFAULT


def language_headers(language: str) -> dict[str, str]:
    """What an answer with words says of them."""
    return {"Content-Language": language, "Vary": "Accept-Language"}


def _quality(language: str, liked: list[tuple[str, float]]) -> float:
    """How much a language is liked: by its own name, of several the best; else by the wildcard."""
    own = [quality for primary, quality in liked if primary == language]
    return max(own or [quality for primary, quality in liked if primary == "*"], default=0.0)


def _liking(part: str) -> tuple[str, float]:
    """A primary subtag and its weight; a weight that is none counts as 0."""
    language_range, weight = weighted(part)
    return language_range.split("-")[0], weight or 0.0
