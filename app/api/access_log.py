"""The access log: a line for each request that is over. It holds no name, no query and nothing of a body."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import to_json

from app.domain.instant import Instant, wire_time


class AccessLog:
    """Lines that come in one turn of the event loop are written together: a system call each would cost as much."""

    def __init__(self, *, is_json: bool, now: Callable[[], Instant], write: Callable[[str], object]) -> None:
        self._layout = json_line if is_json else text_line
        self._now = now
        self._write = write
        self._lines: list[str] = []

    def tell(self, **facts: Any) -> None:
        """Write down one request: of the facts those that are not None."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(
            self._layout(self._now(), {name: value for name, value in facts.items() if value is not None})
        )

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        self._write("".join(lines))


def json_line(at: Instant, facts: Mapping[str, Any]) -> str:
    """A JSON object, as the process's other lines are."""
    own = {"time": wire_time(at), "level": "info", "logger": "goodwill.access", "message": "request"}
    return to_json({**own, **facts}).decode() + "\n"


def text_line(_at: Instant, facts: Mapping[str, Any]) -> str:
    """The same for the eye, without the time, as the process's other lines are."""
    return f"INFO: request {' '.join(f'{name}={value}' for name, value in facts.items())}\n"
