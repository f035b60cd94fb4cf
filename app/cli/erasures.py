"""The list of erasures: a small JSON file without anything personal, which lies beside each backup."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from app.cli.remembering import first_fault
from app.cli.session import fail
from app.domain.instant import wire_time
from app.durable import put_text
from app.queries.erasures import Erased


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Erasure(_Shape):
    account: UUID
    erased_at: str


class _Erasures(_Shape):
    erasures: Literal[1] = 1
    books: dict[str, list[_Erasure]] = {}


def keep_erasures(path: Path, found: Mapping[str, Sequence[Erased]]) -> None:
    """Write who was forgotten in each book."""
    books = {
        book: [_Erasure(account=each.account_id, erased_at=wire_time(each.erased_at)) for each in erased]
        for book, erased in found.items()
    }
    try:
        put_text(_Erasures(books=books).model_dump_json(indent=2) + "\n", path)
    except OSError as error:
        fail(f"{path}: {error.strerror}")


def erasures_in(path: Path) -> dict[str, list[UUID]]:
    """The accounts of each book that the list names."""
    try:
        listed = _Erasures.model_validate_json(path.read_bytes())
    except ValidationError as error:
        fail(f"{path} is no list of erasures: {first_fault(error)}")
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    return {book: [each.account for each in erased] for book, erased in listed.books.items()}
