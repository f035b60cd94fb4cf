"""What was written of an account beside its entries, for law 6: its messages, and which crossings they tell of."""

from dataclasses import dataclass

from app.domain.announcing import Told
from app.domain.crossing import Cause, Crossing
from app.domain.instant import Instant
from app.domain.message import MessageType
from app.domain.standing import Standing

OF_ENTRIES = (Cause.ENTRY, Cause.REVERSAL, Cause.MERGE)


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


def is_possible(crossing: Crossing, recorded_at: Instant | None, *, is_silent: bool, in_sandbox: bool) -> bool:
    """Whether a crossing can have been recorded then.

    An entry's is recorded as it comes, unless the entry is silent; that of time then or later, or as history; that of a
    segment as it comes, or as history; that of a policy always as history. A sandbox's clock is never late.
    """
    if crossing.cause in OF_ENTRIES:
        return recorded_at == (None if is_silent else crossing.at)
    if recorded_at is None:
        return True
    if crossing.cause is Cause.TIME and not in_sandbox:
        return recorded_at >= crossing.at
    return recorded_at == crossing.at and crossing.cause is not Cause.POLICY
