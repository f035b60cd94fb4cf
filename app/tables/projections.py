"""What is folded from the entries: accounts, their crossings, promises; and what was said of customers beside."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
    text,
)

from app.tables.shared import book_key, masses, metadata

_MOVES = text("from_standing IS NOT NULL")

accounts = Table(
    "accounts",
    metadata,
    book_key(),
    Column("generation", BigInteger, primary_key=True, autoincrement=False, server_default="1"),
    Column("account_id", Uuid, primary_key=True),
    Column("opened_at", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("masses_at", BigInteger, nullable=False),
    *masses(),
    Column("last_value_at", BigInteger),
    Column("last_sequence", BigInteger),
    Column("last_direction", String(6)),
    Column("last_entry_at", BigInteger, nullable=False),
    Column("standing", String(21), nullable=False),
    Column("depth", String(6)),
    Column("standing_since", BigInteger, nullable=False),
    Column("crossings", BigInteger, nullable=False),
    Column("crossed_at", BigInteger),
    Column("look_again_at", BigInteger, nullable=False),
    Column("touched_at", BigInteger, nullable=False),
    Column("segment", String(100)),
    Column("value", Double),
    Column("heaviest", Text),  # after the sequence at which they are the heaviest entries; null where only lines tell
    Column("from_standing", String(21)),  # of an account that moves when the generation it waits in is taken up
    Column("from_depth", String(6)),
    Index("accounts_by_standing", "book", "generation", "standing", "standing_since", "account_id"),
    Index("accounts_by_balance", "book", "generation", "balance", "account_id"),
    Index("accounts_by_last_entry", "book", "generation", "last_entry_at", "account_id"),
    Index("accounts_to_look_at", "book", "generation", "look_again_at"),
    Index("accounts_by_touch", "book", "generation", "touched_at"),
    Index("accounts_moving", "book", "generation", sqlite_where=_MOVES, postgresql_where=_MOVES),
)

merges = Table(  # of the accounts that are merged into another now; `survivor_id` is where that leads in the end
    "merges",
    metadata,
    book_key(),
    Column("account_id", Uuid, primary_key=True),
    Column("into_id", Uuid, nullable=False),
    Column("survivor_id", Uuid, nullable=False),
    Column("position", BigInteger, nullable=False),  # of `account.merged_from`; `merged_into` precedes it
    Index("merges_by_survivor", "book", "survivor_id"),
)

customer_changes = Table(
    "customer_changes",
    metadata,
    book_key(),
    Column("account_id", Uuid, primary_key=True),
    Column("changed_at", BigInteger, primary_key=True, autoincrement=False),
    Column("segment", String(100)),
    Column("value", Double),
)

crossings = Table(
    "crossings",
    metadata,
    book_key(),
    Column("account_id", Uuid, primary_key=True),
    Column("ordinal", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("cause", String(8), nullable=False),
    Column("from_standing", String(21), nullable=False),
    Column("from_depth", String(6)),
    Column("to_standing", String(21), nullable=False),
    Column("to_depth", String(6)),
    Column("position", BigInteger),
    Column("announced", Boolean, nullable=False),
    Column("recorded_at", BigInteger),  # live; null where history was folded, or a policy switched
    Index("crossings_by_time", "book", "at"),
)

promises = Table(
    "promises",
    metadata,
    book_key(),
    Column("source", String(200), primary_key=True),
    Column("id", String(200), primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("kind", String(100), nullable=False),
    Column("kept_kind", String(100), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("grace", BigInteger, nullable=False),
    Column("steps", Text, nullable=False),
    Column("kept_points", Integer, nullable=False),
    Column("kept_memory", String(8), nullable=False),
    Column("tariff_version", Integer, nullable=False),
    Column("state", String(9), nullable=False),
    Column("posted", Integer, nullable=False),
    Column("next_step_at", BigInteger),
    Column("settled_at", BigInteger),
    Column("made_by", Uuid, nullable=False),
    Column("moved_by", Uuid),
    Column("settled_by", Uuid),
    Column("sealed", LargeBinary, nullable=False),
    Index("promises_by_account", "book", "account_id", "due_at"),
    Index("promises_by_due", "book", "due_at", "source", "id"),
    Index("promises_to_post", "book", "next_step_at"),
)
