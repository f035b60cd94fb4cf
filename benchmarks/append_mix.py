"""The statements of an append of one, as SQL text and as SQLAlchemy Core, on a small schema of their own."""

from pathlib import Path
from typing import Any

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text, create_engine, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

ACCOUNTS = 1_000
BLOB = bytes(200)

metadata = MetaData()
head = Table("head", metadata, Column("book", Text, primary_key=True), Column("position", Integer))
accounts = Table("accounts", metadata, Column("id", Integer, primary_key=True), Column("balance", Integer))
keys = Table("keys", metadata, Column("id", Integer, primary_key=True), Column("wrapped", LargeBinary))
names = Table("names", metadata, Column("hash", Text, primary_key=True), Column("id", Integer))
entries = Table(
    "entries",
    metadata,
    Column("position", Integer, primary_key=True),
    Column("source_id", Text, unique=True),
    Column("account", Integer),
    Column("sealed", LargeBinary),
)
crossings = Table("crossings", metadata, Column("position", Integer, primary_key=True), Column("account", Integer))


def reads(number: int) -> list[tuple[str, tuple[Any, ...]]]:
    account = number % ACCOUNTS
    return [
        ("SELECT book, position FROM head WHERE book = ?", ("main",)),
        ("SELECT * FROM entries WHERE source_id = ?", (f"crm/{number}",)),
        ("SELECT id FROM names WHERE hash = ?", (f"name-{account}",)),
        ("SELECT * FROM accounts WHERE id = ?", (account,)),
        ("SELECT wrapped FROM keys WHERE id = ?", (account,)),
    ]


def writes(number: int) -> list[tuple[str, tuple[Any, ...]]]:
    account = number % ACCOUNTS
    upserted = "INSERT INTO accounts VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET balance = excluded.balance"
    return [
        ("INSERT INTO entries VALUES (?, ?, ?, ?)", (number, f"crm/{number}", account, BLOB)),
        (upserted, (account, number)),
        ("INSERT INTO crossings VALUES (?, ?)", (number, account)),
        ("UPDATE head SET position = ? WHERE book = ?", (number, "main")),
    ]


def core_reads(number: int) -> list[Any]:
    account = number % ACCOUNTS
    return [
        select(head).where(head.c.book == "main"),
        select(entries).where(entries.c.source_id == f"crm/{number}"),
        select(names.c.id).where(names.c.hash == f"name-{account}"),
        select(accounts).where(accounts.c.id == account),
        select(keys.c.wrapped).where(keys.c.id == account),
    ]


def core_writes(number: int) -> list[Any]:
    account = number % ACCOUNTS
    saved = upsert(accounts).values(id=account, balance=number)
    return [
        insert(entries).values(position=number, source_id=f"crm/{number}", account=account, sealed=BLOB),
        saved.on_conflict_do_update(index_elements=["id"], set_={"balance": saved.excluded.balance}),
        insert(crossings).values(position=number, account=account),
        update(head).where(head.c.book == "main").values(position=number),
    ]


def prepare(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    with engine.begin() as tx:
        tx.execute(insert(head), [{"book": "main", "position": 0}])
        tx.execute(insert(accounts), [{"id": n, "balance": 0} for n in range(ACCOUNTS)])
        tx.execute(insert(keys), [{"id": n, "wrapped": BLOB} for n in range(ACCOUNTS)])
        tx.execute(insert(names), [{"hash": f"name-{n}", "id": n} for n in range(ACCOUNTS)])
    engine.dispose()
