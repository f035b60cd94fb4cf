"""What callers send of webhooks."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from app.api.wire_fields import WITHOUT_NUL, Segment, WholeNumber, WireTime
from app.api.wire_in import WireIn
from app.domain.subscription import BodyForm
from app.operations.subscribe import Wish
from app.webhooks.guard import URL_CHARACTERS_MAX

TYPES_MAX = 50
SEGMENTS_MAX = 100
IN_FLIGHT = 8
IN_FLIGHT_MAX = 64
MAGNITUDE_MAX = 1_000_000

Url = Annotated[str, StringConstraints(min_length=1, max_length=URL_CHARACTERS_MAX, pattern=WITHOUT_NUL)]
SecretText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=WITHOUT_NUL)]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=WITHOUT_NUL)]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=TYPES_MAX)]
Segments = Annotated[list[Segment], Field(min_length=1, max_length=SEGMENTS_MAX)]
Description = Annotated[str, StringConstraints(max_length=500, pattern=WITHOUT_NUL)]
Magnitude = Annotated[WholeNumber, Field(ge=1, le=MAGNITUDE_MAX)]
InFlight = Annotated[WholeNumber, Field(ge=1, le=IN_FLIGHT_MAX)]
Ordered = Annotated[bool, Field(strict=True)]

_TYPES = "types of message, such as debit.deep, and wildcards: debit.*, account.*, * (about_to_be_delighted is named)"
_SEGMENTS = "only of accounts in these segments; of all if null"
_LEAST = "only what an entry of at least this magnitude caused, and what time alone did; all if null"
_ORDERED = "per customer, send a message only once the one before is delivered or given up"
_IN_FLIGHT = "at most so many at once from each worker; one while the receiver fails"


class SubscriptionIn(WireIn):
    """Who wants to be told, and of what."""

    url: Url = Field(description="https, and reachable from the internet; kept sealed")
    message_types: Patterns = Field(description=_TYPES)
    description: Description = Field("", description="what this is, for people")
    segments: Segments | None = Field(None, description=_SEGMENTS)
    least_magnitude: Magnitude | None = Field(None, description=_LEAST)
    ordered: Ordered = Field(default=False, description=_ORDERED)
    body: BodyForm = Field(BodyForm.STANDARD, description="standard, or what a chat's incoming webhook wants")
    max_in_flight: InFlight = Field(IN_FLIGHT, description=_IN_FLIGHT)
    secret: SecretText | None = Field(None, description="whsec_ and base64 of 24 to 64 bytes; made if left out")

    def to_domain(self) -> Wish:
        """The wish as it was sent."""
        return Wish(
            url=self.url,
            message_types=tuple(self.message_types),
            description=self.description,
            segments=None if self.segments is None else tuple(self.segments),
            least_magnitude=self.least_magnitude,
            ordered=self.ordered,
            body=self.body,
            max_in_flight=self.max_in_flight,
            secret=self.secret,
        )


class SubscriptionChangeIn(WireIn):
    """What changes; what is left out stays. A secret is replaced at /secret."""

    # By factories, since what is left out has no default here: it stays as it is.
    url: Url = Field(default_factory=str)
    message_types: Patterns = Field(default_factory=list, description=_TYPES)
    description: Description = Field(default_factory=str)
    segments: Segments | None = Field(default_factory=lambda: None, description=_SEGMENTS)
    least_magnitude: Magnitude | None = Field(default_factory=lambda: None, description=_LEAST)
    ordered: Ordered = Field(default_factory=bool, description=_ORDERED)
    body: BodyForm = Field(default_factory=lambda: BodyForm.STANDARD)
    max_in_flight: InFlight = Field(default_factory=int, description=_IN_FLIGHT)

    def to_domain(self) -> dict[str, Any]:
        """The fields that were sent."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in sent.items()}


class SecretIn(WireIn):
    """Another secret, beside which the one before may sign for a while."""

    secret: SecretText | None = Field(None, description="whsec_ and base64 of 24 to 64 bytes; made if left out")
    old_expires_at: WireTime | None = Field(
        None, description="until when the one before signs too, at most 30 days ahead; it ends at once if left out"
    )


class RecoverIn(WireIn):
    """Since when what was given up is to be offered anew."""

    since: WireTime
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=1_000)] | None = Field(
        None, description="the next_cursor of the answer before"
    )
