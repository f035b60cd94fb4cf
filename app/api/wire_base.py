"""The smallest shapes of the wire, of which the others are made."""

from pydantic import BaseModel, ConfigDict

# `as`: the other rooms of the wire find it here.
from app.domain.shown import shown as shown
from app.domain.standing import Depth, Place, Standing
from app.domain.tariff import KindRule


class WireOut(BaseModel):
    """What callers get."""

    model_config = ConfigDict(frozen=True)


class InteractionNameOut(WireOut):
    """An interaction by the name its reporter gave it; `id` is null for a reversal that had none."""

    source: str
    id: str | None


class LabelOut(WireOut):
    """What a support agent would say of the customer."""

    en: str
    fr: str

    @classmethod
    def of(cls, rule: KindRule | None) -> "LabelOut | None":
        """The label of a tariff's kind."""
        return cls(en=rule.label.en, fr=rule.label.fr) if rule else None


class PlaceOut(WireOut):
    """A standing, and how deep it is if it is overdrawn."""

    standing: Standing
    depth: Depth | None

    @classmethod
    def of(cls, place: Place) -> "PlaceOut":
        """The place as the wire shows it."""
        return cls(standing=place.standing, depth=place.depth)
