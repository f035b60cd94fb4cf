"""The schema on one screen. The book comes first in every primary and unique key; nothing spans books.

Instants are microseconds since 1970 UTC in BIGINT. What must not change, triggers refuse (migrations).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
)

REVISION = "0004"
"""The migration that makes this schema; a test compares it with `migrations/`."""

metadata = MetaData()

_MEMORIES = ("lasting", "passing", "deep", "observed")


def _book() -> Column[str]:
    return Column("book", String(40), primary_key=True)


def _masses() -> list[Column[float]]:
    masses = [f"{mass}_{memory}" for mass in ("credits", "debits", "big") for memory in _MEMORIES]
    return [Column(name, Double, nullable=False) for name in (*masses, "fresh")]


books = Table(
    "books",
    metadata,
    _book(),
    Column("created_at", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("booked_at", BigInteger, nullable=False),
    Column("tariff_version", Integer, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("replaying", Boolean, nullable=False),
    Column("replayed_to", BigInteger, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    _book(),
    Column("key_id", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("source", String(200)),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)

tariff_versions = Table(
    "tariff_versions",
    metadata,
    _book(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("from_position", BigInteger, nullable=False),
    Column("adopted_at", BigInteger, nullable=False),
    Column("api_key_id", String(40), nullable=False),
)

policy_versions = Table(
    "policy_versions",
    metadata,
    _book(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("from_position", BigInteger, nullable=False),
    Column("adopted_at", BigInteger, nullable=False),
    Column("api_key_id", String(40), nullable=False),
)

policy_adoptions = Table(  # a policy that is not in force yet: its accounts are being prepared
    "policy_adoptions",
    metadata,
    _book(),
    Column("adoption_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("api_key_id", String(40), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("accounts_total", BigInteger, nullable=False),
    Column("accounts_done", BigInteger, nullable=False),
    Column("after_account_id", Uuid),
)

account_keys = Table(
    "account_keys",
    metadata,
    _book(),
    Column("account_id", Uuid, primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
)

aliases = Table(
    "aliases",
    metadata,
    _book(),
    Column("alias_hash", LargeBinary(32), primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("sealed_name", LargeBinary, nullable=False),
    Index("aliases_by_account", "book", "account_id"),
)

entries = Table(
    "entries",
    metadata,
    _book(),
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
    Index("entries_by_account", "book", "account_id", "sequence", unique=True),
    Index("entries_by_value", "book", "account_id", "value_at", "sequence"),
    Index("entries_by_id", "book", "entry_id", unique=True),
    Index("entries_by_interaction", "book", "source", "external_id", unique=True),
    Index("entries_by_reversed", "book", "reverses", unique=True),
)

accounts = Table(
    "accounts",
    metadata,
    _book(),
    Column("account_id", Uuid, primary_key=True),
    Column("opened_at", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("masses_at", BigInteger, nullable=False),
    *_masses(),
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
    Index("accounts_by_standing", "book", "standing", "standing_since", "account_id"),
    Index("accounts_by_balance", "book", "balance", "account_id"),
    Index("accounts_by_last_entry", "book", "last_entry_at", "account_id"),
    Index("accounts_to_look_at", "book", "look_again_at"),
    Index("accounts_by_position", "book", "position"),
)

accounts_next = Table(  # what an account that nothing touches will be under the policy that is being adopted
    "accounts_next",
    metadata,
    _book(),
    Column("account_id", Uuid, primary_key=True),
    Column("adoption_id", Uuid, nullable=False),
    Column("prepared_at", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("touched_at", BigInteger, nullable=False),
    Column("masses_at", BigInteger, nullable=False),
    *_masses(),
    Column("standing", String(21), nullable=False),
    Column("depth", String(6)),
    Column("look_again_at", BigInteger, nullable=False),
)

segment_changes = Table(
    "segment_changes",
    metadata,
    _book(),
    Column("account_id", Uuid, primary_key=True),
    Column("changed_at", BigInteger, primary_key=True, autoincrement=False),
    Column("segment", String(100)),
)

crossings = Table(
    "crossings",
    metadata,
    _book(),
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
)

promises = Table(
    "promises",
    metadata,
    _book(),
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
