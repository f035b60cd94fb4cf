"""`goodwill keys`: create, list and revoke API keys; the keys that sign; another master key for what is kept."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from app.cli.session import FIRST_BOOK, Book, existing_book, fail, opened_ledger, run
from app.domain.api_key import ApiKey, Scope, sandbox_of
from app.domain.checkpoint import key_text
from app.domain.instant import DAY, Instant, moment_of
from app.operations.manage_keys import create_key, revoke_key
from app.operations.rewrap import rewrap as rewrap_book
from app.operations.sign_checkpoint import replace_signing_key
from app.queries.checkpoints import signing_keys_of
from app.queries.heads import all_heads
from app.queries.keys import first_book, keys_of_all_books

app = typer.Typer(help="API keys, and the master key's.", no_args_is_help=True, add_completion=False)

_COLUMNS = ("key", "book", "name", "scopes", "source", "created", "state")
EXPIRY_DAYS_MAX = 36_500


@app.command("create")
def create(
    name: Annotated[str, typer.Option(help="what the key is for")] = "unnamed",
    book: Book = None,
    scope: Annotated[list[Scope] | None, typer.Option(help="repeat for several; admin if left out")] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="of the book's sandbox: its clock can be moved")] = False,
    source: Annotated[str | None, typer.Option(help="the source of interactions that name none")] = None,
    expires_in_days: Annotated[int | None, typer.Option(min=1, max=EXPIRY_DAYS_MAX, help="never, if left out")] = None,
) -> None:
    """Create a key and print it, this once; a book that does not exist yet is opened."""
    run(_create(name, book, scope or [Scope.ADMIN], source, expires_in_days, is_sandbox=sandbox))


@app.command("list")
def list_keys() -> None:
    """List the keys of all books; never their secrets."""
    run(_list())


@app.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(help="as `keys list` shows it")], book: Book = None) -> None:
    """Revoke a key, at once and for good."""
    run(_revoke(key_id, book))


@app.command("rewrap")
def rewrap() -> None:
    """Wrap all keys of all books with the master key, those that one of the other master keys wrapped.

    Again and again until none is left: an account that is opened meanwhile may be wrapped by either.
    """
    run(_rewrap())


@app.command("signing")
def signing(
    book: Book = None,
    replace: Annotated[bool, typer.Option("--replace", help="first draw a new one, which signs from now on")] = False,
) -> None:
    """List the public keys of a book's checkpoints, the one that signs now last; none before the first checkpoint."""
    run(_signing(book, is_replaced=replace))


async def _signing(book: str | None, *, is_replaced: bool) -> None:
    async with opened_ledger() as ledger:
        chosen = await existing_book(ledger, book)
        if is_replaced:
            await replace_signing_key(ledger, chosen)
        async with ledger.database.read(chosen) as tx:
            kept = await signing_keys_of(tx, chosen)
    for each in kept:
        print(f"{key_text(each.public_key)}\t{_day(each.created_at)}")


async def _rewrap() -> None:
    async with opened_ledger() as ledger:
        async with ledger.database.oversee() as tx:
            found = [head.book for head, _ in await all_heads(tx)]
        closed: list[str] = []
        for book in found:
            anew, done = 0, await rewrap_book(ledger, book)
            while done.anew:
                anew, done = anew + done.anew, await rewrap_book(ledger, book)
            closed += [f"the key of account {each} of book {book}" for each in done.closed]
            print(f"book {book}: {done.keys:,} keys, {anew:,} wrapped anew")
    if closed:
        fail("no master key opens:\n  " + "\n  ".join(closed))


async def _create(
    name: str, book: str | None, scopes: list[Scope], source: str | None, days: int | None, *, is_sandbox: bool
) -> None:
    async with opened_ledger(makes=True) as ledger:
        async with ledger.database.oversee() as tx:
            named = book or await first_book(tx) or FIRST_BOOK
        chosen = sandbox_of(named) if is_sandbox else named
        expires_at = None if days is None else ledger.now() + days * DAY
        key, token = await create_key(ledger, chosen, name=name, scopes=scopes, source=source, expires_at=expires_at)
    print(token.text)
    typer.echo(f"key {key.key_id} of book {chosen}: {', '.join(scopes)}; it is shown this once", err=True)


async def _list() -> None:
    async with opened_ledger() as ledger:
        async with ledger.database.oversee() as tx:
            keys = await keys_of_all_books(tx)
        now = ledger.now()
    rows = [
        (key.key_id, key.book, key.name, " ".join(key.scopes), key.source or "", _day(key.created_at), _state(key, now))
        for key in keys
    ]
    if sys.stdout.isatty():
        Console().print(_table(rows))
    else:
        print("\n".join("\t".join(row) for row in [_COLUMNS, *rows]))


def _table(rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(Column("key", no_wrap=True), *(Column(name, overflow="fold") for name in _COLUMNS[1:]))
    for row in rows:
        table.add_row(*row)
    return table


async def _revoke(key_id: str, book: str | None) -> None:
    async with opened_ledger() as ledger:
        chosen = await existing_book(ledger, book)
        if not await revoke_key(ledger, chosen, key_id):
            fail(f"book {chosen} has no live key {key_id}")
    print(f"key {key_id} of book {chosen} is revoked")


def _state(key: ApiKey, now: Instant) -> str:
    if key.revoked_at is not None:
        return f"revoked {_day(key.revoked_at)}"
    if key.expires_at is None:
        return "live"
    return f"{'live until' if key.is_live(now) else 'expired'} {_day(key.expires_at)}"


def _day(instant: Instant) -> str:
    return moment_of(instant).strftime("%Y-%m-%d %H:%M")
