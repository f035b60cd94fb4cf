"""An answer whose body is JSON already and whose headers are bytes: to lay them out would cost as much as the rest."""

from collections.abc import Iterable

from fastapi import Response

from app.api.body import JSON_TYPE

_TYPE = (b"content-type", JSON_TYPE.encode())


class JsonAnswer(Response):
    """The JSON bytes, with `headers` beside those that say what they are."""

    media_type = JSON_TYPE

    def __init__(self, body: bytes, *, status_code: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.body = body
        self.status_code = status_code
        self.background = None
        self.raw_headers = [_TYPE, (b"content-length", b"%d" % len(body)), *headers]
