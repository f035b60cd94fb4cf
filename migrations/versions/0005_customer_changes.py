"""What is known of a customer is kept over time, the value too: segment_changes becomes customer_changes."""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """Carry the changes over. Nobody wrote down when a value was set: it counts from the account's first entry on."""
    op.create_table(
        "customer_changes",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("segment", sa.String(length=100), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("book", "account_id", "changed_at"),
    )
    op.execute(
        sa.text(
            """
            INSERT INTO customer_changes (book, account_id, changed_at, segment, value)
            SELECT changes.book, changes.account_id, changes.changed_at, changes.segment, accounts.value
            FROM segment_changes AS changes
            LEFT JOIN accounts ON accounts.book = changes.book AND accounts.account_id = changes.account_id
            """
        )
    )
    op.execute(
        sa.text(
            """
            INSERT INTO customer_changes (book, account_id, changed_at, segment, value)
            SELECT book, account_id, opened_at, NULL, value FROM accounts
            WHERE value IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM customer_changes AS changes
                WHERE changes.book = accounts.book AND changes.account_id = accounts.account_id
                AND changes.changed_at = accounts.opened_at
            )
            """
        )
    )
    op.drop_table("segment_changes")


def downgrade() -> None:
    """Keep what the release before knew; to it, a row that repeats the segment is no change."""
    op.create_table(
        "segment_changes",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("segment", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("book", "account_id", "changed_at"),
    )
    op.execute(
        sa.text(
            """
            INSERT INTO segment_changes (book, account_id, changed_at, segment)
            SELECT book, account_id, changed_at, segment FROM customer_changes
            """
        )
    )
    op.drop_table("customer_changes")
