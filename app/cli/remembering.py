"""The file of `goodwill verify --remember`: a small JSON file, to be kept where whoever tampers cannot reach it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from app.cli.session import fail
from app.domain.instant import wire_time
from app.domain.remembered import Halfway, Mark, Remembered
from app.durable import put_text
from app.main import clock


def first_fault(error: ValidationError) -> str:
    """What is wrong with a small file first, and where, without what stands there."""
    first = error.errors(include_input=False, include_url=False)[0]
    return ": ".join(filter(None, ("/".join(map(str, first["loc"])), first["msg"])))


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_bytes="hex", val_json_bytes="hex")


class _Book(_Shape):
    verified_at: str | None = None
    noted: Mark | None = None
    head: Mark | None = None
    halfway: Halfway | None = None


class _Heads(_Shape):
    remembered: Literal[1] = 1
    books: dict[str, _Book] = {}


class HeadsFile:
    """What is remembered of books, in a file that is written anew, durably and at once, whenever more is known."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._heads = _Heads.model_validate_json(path.read_bytes()) if path.exists() else _Heads()
        except ValidationError as error:
            fail(f"{path} is no file of `goodwill verify --remember`: {first_fault(error)}")
        except OSError as error:
            fail(f"{path}: {error.strerror}")

    @property
    def books(self) -> list[str]:
        """The names of the books of which something is remembered."""
        return sorted(self._heads.books)

    def verified_at(self, book: str) -> str:
        """When the book was last found sound, as text."""
        return (self._heads.books[book].verified_at if book in self._heads.books else None) or "never"

    def of(self, book: str) -> Remembered:
        """What is remembered of a book."""
        known = self._heads.books.get(book, _Book())
        return Remembered(noted=known.noted, sound=known.head, halfway=known.halfway)

    def keep_noted(self, marks: Mapping[str, Mark]) -> None:
        """Where books stand that nobody has verified yet."""
        self._heads = _Heads(books={book: _Book(noted=mark) for book, mark in marks.items()})
        self._write()

    def keep_halfway(self, book: str, halfway: Halfway | None) -> None:
        """How far a verification of a book has come; None once it is over."""
        known = self._heads.books.setdefault(book, _Book())
        known.halfway = halfway
        self._write()

    def keep_sound(self, book: str, mark: Mark) -> None:
        """Where a book stood that was found sound."""
        self._heads.books[book] = _Book(verified_at=wire_time(clock()), head=mark)
        self._write()

    def _write(self) -> None:
        try:
            put_text(self._heads.model_dump_json(indent=2, exclude_none=True) + "\n", self._path)
        except OSError as error:
            fail(f"{self._path}: {error.strerror}")
