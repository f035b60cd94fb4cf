"""Messages are kept as they were told; who subscribed to them is known, and what became of each delivery."""

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    """Create the tables; until now nothing was told to anybody."""
    op.add_column("books", sa.Column("messages", sa.BigInteger(), nullable=False, server_default="0"))
    _create_messages()
    _create_subscriptions()
    _create_deliveries()
    _create_attempts()
    _create_summaries()


def downgrade() -> None:
    """The release before told nothing."""
    op.drop_column("books", "messages")
    for table in ("summaries", "subscriptions", "messages", "deliveries", "attempts"):
        op.drop_table(table)


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.String(length=200), nullable=True),
        sa.Column("segment", sa.String(length=100), nullable=True),
        sa.Column("magnitude", sa.Integer(), nullable=False),
        sa.Column("to_standing", sa.String(length=21), nullable=True),
        sa.Column("to_depth", sa.String(length=6), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("book", "number"),
    )
    op.create_index("messages_by_account", "messages", ["book", "account_id", "at"], unique=False)
    op.create_index("messages_by_cause", "messages", ["book", "cause", "created_at"], unique=False)
    op.create_index("messages_by_id", "messages", ["book", "message_id"], unique=True)
    op.create_index(
        "messages_to_purge",
        "messages",
        ["book", "created_at"],
        unique=False,
        sqlite_where=sa.text("body IS NOT NULL"),
        postgresql_where=sa.text("body IS NOT NULL"),
    )


def _create_subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("sealed_url", sa.LargeBinary(), nullable=False),
        sa.Column("message_types", sa.Text(), nullable=False),
        sa.Column("segments", sa.Text(), nullable=True),
        sa.Column("least_magnitude", sa.Integer(), nullable=True),
        sa.Column("ordered", sa.Boolean(), nullable=False),
        sa.Column("body", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=True),
        sa.Column("state_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed_secrets", sa.LargeBinary(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("max_in_flight", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("book", "subscription_id"),
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("book", "subscription_id", "number"),
    )
    op.create_index("deliveries_by_state", "deliveries", ["book", "subscription_id", "state", "number"], unique=False)
    op.create_index(
        "deliveries_due",
        "deliveries",
        ["book", "subscription_id", "due_at", "number"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "deliveries_waiting",
        "deliveries",
        ["book", "subscription_id", "account_id", "number"],
        unique=False,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("duration", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("sealed_excerpt", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("book", "subscription_id", "number", "ordinal"),
    )


def _create_summaries() -> None:
    op.create_table(
        "summaries",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("from_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("written_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("book", "cause", "from_number"),
    )
    op.create_index(
        "summaries_due",
        "summaries",
        ["book", "due_at"],
        unique=False,
        sqlite_where=sa.text("written_by IS NULL"),
        postgresql_where=sa.text("written_by IS NULL"),
    )
