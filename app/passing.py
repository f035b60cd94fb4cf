"""What is found out about a request on its way, for its line in the log and its trace; nothing if nobody asks."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Passing:
    """A request that is being served; `position` is that of the last entry that it appended, if it did."""

    position: int | None = None


PASSING: ContextVar[Passing | None] = ContextVar("passing", default=None)


def note_position(position: int | None) -> None:
    """Note it for the request that is being served, if anybody wants to know."""
    passing = PASSING.get()
    if passing is not None and position is not None:
        passing.position = position
