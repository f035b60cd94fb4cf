"""How much of what is asked a process takes on at once; whoever comes beyond that is told to come again.

Nothing waits in line unseen: a request is served at once, in its turn for the database, or refused with 429 before
anything of it was done.
"""

from app.domain.request_errors import TooManyRequests

BODY_BYTES_MAX = 32 * 1024 * 1024  # four of the largest batches; parsed, each takes some ten times its size


class Held:
    """What one request holds of the room: within the block its place, and what it takes meanwhile."""

    def __init__(self, room: "Room") -> None:
        self._room = room
        self.body_bytes = 0

    def take(self, size: int) -> None:
        """Hold `size` bytes more of the body, until the request is answered; TooManyRequests if there is no room."""
        if self._room.body_bytes + size > BODY_BYTES_MAX:
            raise TooManyRequests("The requests that are being read fill this server: send the same again.")
        self._room.body_bytes += size
        self.body_bytes += size

    def __enter__(self) -> "Held":
        if self._room.requests >= self._room.requests_max:
            most = self._room.requests_max
            raise TooManyRequests(f"This server answers {most} requests at once: send the same again.")
        self._room.requests += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._room.requests -= 1
        self._room.body_bytes -= self.body_bytes


class Room:
    """The requests, and the bytes of bodies, that a process holds at once."""

    def __init__(self, requests_max: int) -> None:
        self.requests_max = requests_max
        self.requests = 0
        self.body_bytes = 0

    def entered(self) -> Held:
        """Room for one request, as long as its block runs; TooManyRequests at its begin if there is none."""
        return Held(self)
