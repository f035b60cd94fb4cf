"""Where traces begin and end. Nothing is traced unless a root hands in traces that go somewhere (`otlp.py`)."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

Fact = str | int | bool
Facts = Mapping[str, Fact | None]
"""What a span says: of books, positions and counts, never of a person. What is None is left out."""
Headers = Iterable[tuple[bytes, bytes]]
Origin = object
"""A place in a trace, to go on from."""


class Span(Protocol):
    """Something that takes its time."""

    @property
    def trace_id(self) -> str | None:
        """The name of all that belongs together, 32 hexadecimal digits; of nothing None."""
        ...

    def note(self, facts: Facts, *, name: str | None = None, failed: bool = False) -> None:
        """Add what is known by now."""
        ...

    def also(self, of: Iterable[Origin | None]) -> None:
        """It is done of these places, too."""
        ...

    def waited(self, name: str, seconds: float) -> None:
        """Until just now it waited so long."""
        ...


class Traces(Protocol):
    """The traces of one process."""

    def here(self) -> Origin | None:
        """Where the caller is."""
        ...

    def request(self, headers: Headers) -> AbstractContextManager[Span]:
        """What is done in the block is done for a request; the caller's trace (W3C traceparent) goes on."""
        ...

    def span(self, name: str, facts: Facts, *, of: Iterable[Origin | None] = ()) -> AbstractContextManager[Span]:
        """What is done in the block is one thing; if it is done `of` several places it belongs to the first."""
        ...

    def close(self) -> None:
        """Send what is left, in a moment."""
        ...


class _Nothing:
    """Neither is traced: a span of no trace, and its context."""

    trace_id = None

    def here(self) -> Origin | None:
        return None

    def request(self, headers: Headers) -> "_Nothing":  # noqa: ARG002 - nobody looks at it
        return self

    def span(self, name: str, facts: Facts, *, of: Iterable[Origin | None] = ()) -> "_Nothing":  # noqa: ARG002
        return self

    def note(self, facts: Facts, *, name: str | None = None, failed: bool = False) -> None:
        pass

    def also(self, of: Iterable[Origin | None]) -> None:
        pass

    def waited(self, name: str, seconds: float) -> None:
        pass

    def close(self) -> None:
        pass

    def __enter__(self) -> "_Nothing":
        return self

    def __exit__(self, *_: object) -> None:
        pass


NO_TRACES: Traces = _Nothing()
