"""The first release: the ledger, its projections, and the triggers that keep entries as they were written."""

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Create everything."""
    _create_books()
    _create_api_keys()
    _create_versions("tariff_versions")
    _create_versions("policy_versions")
    _create_account_keys()
    _create_aliases()
    _create_entries()
    _create_accounts()
    _create_segment_changes()
    _create_crossings()
    for statement in _POSTGRES_TRIGGERS if op.get_bind().dialect.name == "postgresql" else _SQLITE_TRIGGERS:
        op.execute(sa.text(statement))


def downgrade() -> None:
    """There is nothing before the first release."""
    raise NotImplementedError


def _create_books() -> None:
    op.create_table(
        "books",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("booked_at", sa.BigInteger(), nullable=False),
        sa.Column("tariff_version", sa.Integer(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("replaying", sa.Boolean(), nullable=False),
        sa.Column("replayed_to", sa.BigInteger(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("book"),
    )


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("book", "key_id"),
    )


def _create_versions(table: str) -> None:
    op.create_table(
        table,
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("from_position", sa.BigInteger(), nullable=False),
        sa.Column("adopted_at", sa.BigInteger(), nullable=False),
        sa.Column("api_key_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("book", "version"),
    )


def _create_account_keys() -> None:
    op.create_table(
        "account_keys",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("book", "account_id"),
    )


def _create_aliases() -> None:
    op.create_table(
        "aliases",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("alias_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_name", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("book", "alias_hash"),
    )
    op.create_index("aliases_by_account", "aliases", ["book", "account_id"], unique=False)


def _create_entries() -> None:
    op.create_table(
        "entries",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.Column("value_at", sa.BigInteger(), nullable=False),
        sa.Column("booked_at", sa.BigInteger(), nullable=False),
        sa.Column("memory", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("tariff_version", sa.Integer(), nullable=False),
        sa.Column("api_key_id", sa.String(length=40), nullable=False),
        sa.Column("reverses", sa.Uuid(), nullable=True),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("book", "position"),
    )
    op.create_index("entries_by_account", "entries", ["book", "account_id", "sequence"], unique=True)
    op.create_index("entries_by_id", "entries", ["book", "entry_id"], unique=True)
    op.create_index("entries_by_interaction", "entries", ["book", "source", "external_id"], unique=True)
    op.create_index("entries_by_reversed", "entries", ["book", "reverses"], unique=True)
    op.create_index("entries_by_value", "entries", ["book", "account_id", "value_at", "sequence"], unique=False)


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("masses_at", sa.BigInteger(), nullable=False),
        *_masses(),
        sa.Column("fresh", sa.Double(), nullable=False),
        sa.Column("last_value_at", sa.BigInteger(), nullable=True),
        sa.Column("last_sequence", sa.BigInteger(), nullable=True),
        sa.Column("last_direction", sa.String(length=6), nullable=True),
        sa.Column("last_entry_at", sa.BigInteger(), nullable=False),
        sa.Column("standing", sa.String(length=21), nullable=False),
        sa.Column("depth", sa.String(length=6), nullable=True),
        sa.Column("standing_since", sa.BigInteger(), nullable=False),
        sa.Column("crossings", sa.BigInteger(), nullable=False),
        sa.Column("look_again_at", sa.BigInteger(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.Column("segment", sa.String(length=100), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("book", "account_id"),
    )
    op.create_index("accounts_by_balance", "accounts", ["book", "balance", "account_id"], unique=False)
    op.create_index("accounts_by_last_entry", "accounts", ["book", "last_entry_at", "account_id"], unique=False)
    op.create_index("accounts_by_position", "accounts", ["book", "position"], unique=False)
    op.create_index(
        "accounts_by_standing", "accounts", ["book", "standing", "standing_since", "account_id"], unique=False
    )
    op.create_index("accounts_to_look_at", "accounts", ["book", "look_again_at"], unique=False)


def _create_segment_changes() -> None:
    op.create_table(
        "segment_changes",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("segment", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("book", "account_id", "changed_at"),
    )


def _create_crossings() -> None:
    op.create_table(
        "crossings",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=8), nullable=False),
        sa.Column("from_standing", sa.String(length=21), nullable=False),
        sa.Column("from_depth", sa.String(length=6), nullable=True),
        sa.Column("to_standing", sa.String(length=21), nullable=False),
        sa.Column("to_depth", sa.String(length=6), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("announced", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("book", "account_id", "ordinal"),
    )


def _masses() -> list["sa.Column[float]"]:
    return [
        sa.Column(f"{mass}_{memory}", sa.Double(), nullable=False)
        for mass in ("credits", "debits", "big")
        for memory in ("lasting", "passing", "deep", "observed")
    ]


_UNIQUE = {
    "entries": (
        "position = NEW.position",
        "entry_id = NEW.entry_id",
        "account_id = NEW.account_id AND sequence = NEW.sequence",
        "source = NEW.source AND external_id = NEW.external_id",
        "reverses = NEW.reverses",
    ),
    "tariff_versions": ("version = NEW.version",),
    "policy_versions": ("version = NEW.version",),
}

_POSTGRES_TRIGGERS = (
    """
    CREATE FUNCTION goodwill_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
    END $$
    """,
    *(
        f"""
        CREATE TRIGGER {table}_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION goodwill_refuse()
        """
        for table in _UNIQUE
    ),
)


def _refuses_replace(table: str, keys: tuple[str, ...]) -> str:
    found = (f"EXISTS (SELECT 1 FROM {table} WHERE book = NEW.book AND {key})" for key in keys)  # noqa: S608 - ours
    same = " OR ".join(found)
    refusal = f"SELECT RAISE(ABORT, '{table} is append-only: REPLACE refused');"
    return f"CREATE TRIGGER {table}_never_replace BEFORE INSERT ON {table} WHEN {same} BEGIN {refusal} END"


# recursive_triggers=ON makes REPLACE ask the DELETE trigger; the INSERT trigger refuses it where that is off.
_SQLITE_TRIGGERS = (
    *(
        f"""
        CREATE TRIGGER {table}_never_{verb.lower()} BEFORE {verb} ON {table}
        BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} refused'); END
        """
        for table in _UNIQUE
        for verb in ("UPDATE", "DELETE")
    ),
    *(_refuses_replace(table, keys) for table, keys in _UNIQUE.items()),
)
