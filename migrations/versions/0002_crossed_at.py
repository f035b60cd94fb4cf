"""Each account knows when it last crossed, since a clock records crossings without touching the account."""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Add the column, and fill it from what is recorded."""
    op.add_column("accounts", sa.Column("crossed_at", sa.BigInteger(), nullable=True))
    op.execute(
        sa.text(
            """
            UPDATE accounts SET crossed_at = (
                SELECT crossings.at FROM crossings
                WHERE crossings.book = accounts.book
                  AND crossings.account_id = accounts.account_id
                  AND crossings.ordinal = accounts.crossings
            )
            """
        )
    )


def downgrade() -> None:
    """The release before knew no such column."""
    op.drop_column("accounts", "crossed_at")
