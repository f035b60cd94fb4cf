"""What is never forgotten: books, their keys, names, and the entries. Triggers refuse what must not change."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
    event,
    text,
    true,
)

from app.tables.shared import book_key, metadata

_REVERSES, _CARRIES = text("reverses IS NOT NULL"), text("carried IS NOT NULL")

books = Table(
    "books",
    metadata,
    book_key(),
    Column("created_at", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("booked_at", BigInteger, nullable=False),
    Column("tariff_version", Integer, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("generation", BigInteger, nullable=False, server_default="1"),  # of its accounts
    Column("replaying", Boolean, nullable=False),
    Column("replayed_to", BigInteger, nullable=False),
    Column("messages", BigInteger, nullable=False, server_default="0"),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("clock_ahead", BigInteger, nullable=False, server_default=text("0")),
)

api_keys = Table(
    "api_keys",
    metadata,
    book_key(),
    Column("key_id", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("source", String(200)),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)

account_keys = Table(
    "account_keys",
    metadata,
    book_key(),
    Column("account_id", Uuid, primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
)

aliases = Table(
    "aliases",
    metadata,
    book_key(),
    Column("alias_hash", LargeBinary(32), primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("sealed_name", LargeBinary, nullable=False),
    Index("aliases_by_account", "book", "account_id"),
)

entries = Table(
    "entries",
    metadata,
    book_key(),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", Uuid, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("entry_id", Uuid, nullable=False),
    Column("kind", String(100), nullable=False),
    Column("points", Integer, nullable=False),
    Column("balance_after", BigInteger, nullable=False),
    Column("value_at", BigInteger, nullable=False),
    Column("booked_at", BigInteger, nullable=False),
    Column("memory", String(8), nullable=False),
    Column("source", String(200), nullable=False),
    Column("external_id", String(200)),
    Column("tariff_version", Integer, nullable=False),
    Column("api_key_id", String(40), nullable=False),
    Column("reverses", Uuid),
    Column("context", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("content_hash", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("silent", Boolean, nullable=False, server_default=true()),
    Column("carried", Text),
    Index("entries_by_account", "book", "account_id", "sequence", unique=True),
    Index("entries_by_id", "book", "entry_id", unique=True, postgresql_with={"fillfactor": 100}),
    Index("entries_by_interaction", "book", "source", "external_id", unique=True),
    Index("entries_carrying", "book", "position", sqlite_where=_CARRIES, postgresql_where=_CARRIES),
    Index("entries_by_reversal", "book", "reverses", unique=True, sqlite_where=_REVERSES, postgresql_where=_REVERSES),
)


@event.listens_for(entries, "after_create")
def _fill_its_pages(_entries: Table, connection: Connection, **_: Any) -> None:
    """It grows at its end alone, as the index of ids does, so that its pages may be full."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ALTER INDEX entries_pkey SET (fillfactor = 100)")
