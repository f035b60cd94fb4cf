"""Promises: a projection of the entries that make, move, break, keep and withdraw them."""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Create the table; until now no entry has made a promise."""
    op.create_table(
        "promises",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("kept_kind", sa.String(length=100), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("grace", sa.BigInteger(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("kept_points", sa.Integer(), nullable=False),
        sa.Column("kept_memory", sa.String(length=8), nullable=False),
        sa.Column("tariff_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("posted", sa.Integer(), nullable=False),
        sa.Column("next_step_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("moved_by", sa.Uuid(), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("book", "source", "id"),
    )
    op.create_index("promises_by_account", "promises", ["book", "account_id", "due_at"], unique=False)
    op.create_index("promises_by_due", "promises", ["book", "due_at", "source", "id"], unique=False)
    op.create_index("promises_to_post", "promises", ["book", "next_step_at"], unique=False)


def downgrade() -> None:
    """The entries keep all that the table says."""
    op.drop_table("promises")
