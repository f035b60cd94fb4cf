"""What is told to others: messages, who subscribed, and what became of each delivery."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, Uuid, text

from app.tables.shared import book_key, metadata


def _where(condition: str) -> dict[str, Any]:
    """A partial index, on both databases: what is settled or purged, which is most of a table, is not in it."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


messages = Table(
    "messages",
    metadata,
    book_key(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", Uuid, nullable=False),
    Column("type", String(40), nullable=False),
    Column("types", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("account_id", Uuid),
    Column("position", BigInteger),
    Column("cause", String(200)),
    Column("segment", String(100)),
    Column("magnitude", Integer, nullable=False),
    Column("to_standing", String(21)),
    Column("to_depth", String(6)),
    Column("body", LargeBinary),
    Index("messages_by_id", "book", "message_id", unique=True),
    Index("messages_by_account", "book", "account_id", "at"),
    Index("messages_by_cause", "book", "cause", "created_at"),
    Index("messages_to_purge", "book", "created_at", **_where("body IS NOT NULL")),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    book_key(),
    Column("subscription_id", Uuid, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("description", Text, nullable=False),
    Column("sealed_url", LargeBinary, nullable=False),
    Column("message_types", Text, nullable=False),
    Column("segments", Text),
    Column("least_magnitude", Integer),
    Column("ordered", Boolean, nullable=False),
    Column("body", String(8), nullable=False),
    Column("state", String(8), nullable=False),
    Column("state_reason", Text),
    Column("state_at", BigInteger, nullable=False),
    Column("sealed_secrets", LargeBinary, nullable=False),
    Column("failing_since", BigInteger),
    Column("max_in_flight", Integer, nullable=False),
)

deliveries = Table(  # while it is pending, `due_at` is when to look at it: null until an earlier one is settled
    "deliveries",
    metadata,
    book_key(),
    Column("subscription_id", Uuid, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", Uuid),
    Column("state", String(9), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("lease", Uuid),
    Column("attempts", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("settled_at", BigInteger),
    Column("reason", String(40)),
    Index("deliveries_due", "book", "subscription_id", "due_at", "number", **_where("due_at IS NOT NULL")),
    Index("deliveries_waiting", "book", "subscription_id", "account_id", "number", **_where("settled_at IS NULL")),
    Index("deliveries_by_state", "book", "subscription_id", "state", "number"),
)

attempts = Table(
    "attempts",
    metadata,
    book_key(),
    Column("subscription_id", Uuid, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("duration", BigInteger, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("sealed_excerpt", LargeBinary),
)

summaries = Table(
    "summaries",
    metadata,
    book_key(),
    Column("cause", String(200), primary_key=True),
    Column("from_number", BigInteger, primary_key=True, autoincrement=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("written_by", BigInteger),
    Index("summaries_due", "book", "due_at", **_where("written_by IS NULL")),
)
