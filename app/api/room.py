"""How much of what is asked a process takes on at once; whoever comes beyond that is told to come again.

Nothing waits in line unseen: a request is served at once, in its turn for the database, or refused with 429 before
anything of it was done.
"""

from collections.abc import Generator
from contextlib import contextmanager

from app.domain.request_errors import TooManyRequests

BODY_BYTES_MAX = 32 * 1024 * 1024  # four of the largest batches; parsed, each takes some ten times its size


class Held:
    """What one request holds of the room."""

    def __init__(self, room: "Room") -> None:
        self._room = room
        self.body_bytes = 0

    def take(self, size: int) -> None:
        """Hold `size` bytes more of the body, until the request is answered; TooManyRequests if there is no room."""
        if self._room.body_bytes + size > BODY_BYTES_MAX:
            raise TooManyRequests("The requests that are being read fill this server: send the same again.")
        self._room.body_bytes += size
        self.body_bytes += size


class Room:
    """The requests, and the bytes of bodies, that a process holds at once."""

    def __init__(self, requests_max: int) -> None:
        self.requests_max = requests_max
        self.requests = 0
        self.body_bytes = 0

    @contextmanager
    def entered(self) -> Generator[Held]:
        """Room for one request, as long as the block runs; TooManyRequests if there is none."""
        if self.requests >= self.requests_max:
            raise TooManyRequests(f"This server answers {self.requests_max} requests at once: send the same again.")
        held = Held(self)
        self.requests += 1
        try:
            yield held
        finally:
            self.requests -= 1
            self.body_bytes -= held.body_bytes
