"""A book of millions of entries in minutes: copies of a small one that was really posted.

Each copy has accounts of its own, with keys and names that open, so that every read and every posting works on them;
their entries, crossings and messages are those of the account they were copied from, but for the bodies of messages,
as if they had been purged. The chain is not valid.
"""

import os
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table, Uuid, delete, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.queries.accounts import accounts_by_alias
from app.queries.books import book_key
from app.sealing.keys import Key, account_place, name_place, new_key
from app.sealing.master_key import parsed_master_key
from app.tables import account_keys, accounts, aliases, crossings, entries, messages
from benchmarks.bodies import CUSTOMER
from benchmarks.subjects import Book

AT_ONCE = 5  # copies in a transaction
COPIED = (entries, accounts, crossings, messages)
TWO_HOURS = 2 * 3_600 * 1_000_000

_copies = Table("growth_copies", MetaData(), Column("copy", Integer), Column("old_id", Uuid), Column("new_id", Uuid))

# What differs in a copy, by table and column. The book's own `position` and `number` (of messages) go before, in the
# small book there are so many `entries` and `messages`, and `first` is the first copy of a transaction.
_NEW: dict[str, dict[str, str]] = {
    "entries": {
        "position": "position + {position} + (copy - {first}) * {entries}",
        "entry_id": "{new_id}",
        "external_id": "'c' || substr(CAST(10000 + copy AS VARCHAR(5)), 3) || substr(external_id, 5)",
    },
    "accounts": {
        "position": "position + {position} + (copy - {first}) * {entries}",
        "last_entry_at": "last_entry_at - copy * 1000",  # no two copies alike, as on a real worklist
        "standing_since": "standing_since - copy * 1000",
        "look_again_at": f"look_again_at + {TWO_HOURS}",  # the clock has nothing to do meanwhile
    },
    "crossings": {"position": "position + {position} + (copy - {first}) * {entries}"},
    "messages": {
        "number": "number + {number} + (copy - {first}) * {messages}",
        "message_id": "{new_id}",
        "position": "position + {position} + (copy - {first}) * {entries}",
        "body": "NULL",
    },
}
_NEW_ID = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "uuidv7()"}


class Filling:
    """The small book as it was at first, and how many copies of it there are."""

    def __init__(self, book: Book, customers: int) -> None:
        self.copies = 0
        self._book = book.name
        self._customers = customers
        self._url = book.url
        self._master_key = parsed_master_key(book.settings["GOODWILL_MASTER_KEY"])

    async def begin(self) -> None:
        """Keep the small book aside, as it is now."""
        database = Database(self._url)
        async with database.whole() as tx:
            for table in COPIED:
                statement = f"CREATE TABLE growth_{table.name} AS SELECT * FROM {table.name}"  # noqa: S608
                await tx.execute(text(statement))
                await tx.execute(text(f"CREATE INDEX growth_of_{table.name} ON growth_{table.name} (account_id)"))
            await tx.run_sync(_copies.create)
        await database.close()

    async def copy(self, count: int) -> None:
        """Add so many copies to the book, whose accounts are those of the next customers."""
        database = Database(self._url)
        for _ in range(0, count, AT_ONCE):
            async with database.whole() as tx:
                key = await book_key(tx, self._book, self._master_key)
                names = [key.digest((CUSTOMER % number).encode()) for number in range(self._customers)]
                found = await accounts_by_alias(tx, self._book, names)
                numbers = range(self.copies + 1, self.copies + AT_ONCE + 1)
                for number in numbers:
                    await self._open(tx, key, number, [found[name] for name in names])
                await self._copy_rows(tx, first=self.copies + 1)
            self.copies += AT_ONCE
        await database.close()

    async def _open(self, tx: AsyncConnection, book_key: Key, copy: int, originals: Sequence[uuid.UUID]) -> None:
        """Keys and names of the accounts of one copy."""
        keys, names, pairs = [], [], []
        for number, old_id in enumerate(originals, start=copy * self._customers):
            new_id, key, name = uuid.uuid4(), new_key(os.urandom), (CUSTOMER % number).encode()
            own: dict[str, Any] = {"book": self._book, "account_id": new_id}
            wrapped = self._master_key.wrap(key, account_place(self._book, new_id), entropy=os.urandom)
            sealed = key.seal(name, name_place(self._book, new_id), entropy=os.urandom)
            keys.append({**own, "wrapped_key": wrapped})
            names.append({**own, "alias_hash": book_key.digest(name), "sealed_name": sealed})
            pairs.append({"copy": copy, "old_id": old_id, "new_id": new_id})
        await tx.execute(insert(account_keys), keys)
        await tx.execute(insert(aliases), names)
        await tx.execute(insert(_copies), pairs)

    async def _copy_rows(self, tx: AsyncConnection, first: int) -> None:
        lock = "" if tx.dialect.name == "sqlite" else " FOR UPDATE"  # the clock writes messages meanwhile
        head = (await tx.execute(text(f"SELECT position, messages FROM books{lock}"))).one()  # noqa: S608
        counts = {
            name: (await tx.execute(text(f"SELECT count(*) FROM growth_{name}"))).scalar_one()  # noqa: S608
            for name in ("entries", "messages")
        }
        given = {"position": head.position, "number": head.messages, "first": first, **counts}
        for table in COPIED:
            await tx.execute(text(_copying(table, {**given, "new_id": _NEW_ID[tx.dialect.name]})))
        added = {"entries": counts["entries"] * AT_ONCE, "messages": counts["messages"] * AT_ONCE}
        await tx.execute(
            text("UPDATE books SET position = position + :entries, messages = messages + :messages"), added
        )
        await tx.execute(delete(_copies))


def _copying(table: Table, given: Mapping[str, object]) -> str:
    """The rows of the small book's table once for each of the copies."""
    new = {"account_id": "growth_copies.new_id", **_NEW[table.name]}
    columns = [column.name for column in table.columns]
    values = ", ".join(new.get(name, f"old.{name}").format_map(given) for name in columns)
    copied = f"SELECT {values} FROM growth_{table.name} old JOIN growth_copies ON old_id = old.account_id"  # noqa: S608
    order = {"entries": " ORDER BY copy, old.position", "messages": " ORDER BY copy, old.number"}.get(table.name, "")
    return f"INSERT INTO {table.name} ({', '.join(columns)}) {copied}{order}"
