"""What was written of an account beside its entries, for law 6: its messages, and which crossings they tell of."""

from dataclasses import dataclass

from app.domain.announcing import Told
from app.domain.crossing import Crossing
from app.domain.instant import Instant
from app.domain.message import MessageType
from app.domain.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Written(Told):
    """A message as it is kept."""

    number: int
    type: MessageType
    standing: Standing | None
    position: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRecord:
    """A crossing as it is kept: when it was recorded live, None of history, and whether a message tells of it."""

    crossing: Crossing
    recorded_at: Instant | None
    announced: bool
