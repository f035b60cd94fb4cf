"""What every command needs: the services of this process, the book it works on, and errors in one clear line."""

import os
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import uvloop
from pydantic import ValidationError

from app.database import Database
from app.domain.errors import DatabaseUnavailable, Refusal
from app.main import Opened
from app.operations.ledger import Ledger
from app.queries.books import head
from app.queries.keys import first_book
from app.settings import Settings, UnknownSettings, read_settings

Book = Annotated[str | None, typer.Option("--book", help="the book; without it the book of the first key")]


FIRST_BOOK = "main"  # if none is named
BROKEN_PIPE = 141  # as a shell says of a program that SIGPIPE ended


def settings_or_exit() -> Settings:
    """The settings of the environment; ends the command with a clear line if they are not right."""
    try:
        return read_settings()
    except UnknownSettings as error:
        fail(str(error))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        fail(f"GOODWILL_{str(first['loc'][0]).upper()}: {first['msg'].removeprefix('Value error, ')}")


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a command's work; a refusal ends it with one line and exit code 1."""
    try:
        uvloop.run(work)
    except Refusal as refusal:
        details = "".join(f"\n  {fault.pointer}: {fault.detail}" for fault in refusal.faults)
        advice = " `goodwill doctor` says why." if isinstance(refusal, DatabaseUnavailable) else ""
        fail(refusal.detail + advice + details)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on: say no more
        raise typer.Exit(BROKEN_PIPE) from None
    except KeyboardInterrupt:
        fail("interrupted", code=130)


@asynccontextmanager
async def opened_ledger(*, makes: bool = False) -> AsyncGenerator[Ledger]:
    """The ledger of the settings, migrated; closed when the command ends. Only one that `makes` it makes a file."""
    service = Opened(settings_or_exit())
    if not makes:
        _want_file(service.database)
    try:
        yield await service.ledger()
    finally:
        await service.close()


def _want_file(database: Database) -> None:
    path = Path(database.url.database or "")
    if database.is_sqlite and not path.exists():
        fail(f"there is no database at {path}: `goodwill serve` or `goodwill keys create` makes one")


async def existing_book(ledger: Ledger, book: str | None) -> str:
    """The book that is named, or the one of the first key; ends the command if there is none."""
    async with ledger.database.oversee() as tx:
        name = book or await first_book(tx)
        if name is None:
            fail("there is no book yet: create a key with `goodwill keys create --book NAME`")
        if await head(tx, name) is None:
            fail(f"there is no book {name}")
    return name


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Say what is wrong on standard error and end the command."""
    print(f"goodwill: {message}", file=sys.stderr)
    raise typer.Exit(code)
