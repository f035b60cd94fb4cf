"""Entries that nobody is to be told of are marked so, crossings know when they were
recorded live, and promises until when what they cost is history.

What is there already was never told of, and is not told of later: it is silent, and its crossings are history.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("entries", sa.Column("silent", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("crossings", sa.Column("recorded_at", sa.BigInteger(), nullable=True))
    op.add_column("promises", sa.Column("silent_until", sa.BigInteger(), nullable=True))
    op.execute(
        """
        UPDATE promises SET silent_until = (
            SELECT booked_at FROM entries
            WHERE entries.book = promises.book AND entries.entry_id = COALESCE(promises.moved_by, promises.made_by)
        )
        """
    )


def downgrade() -> None:
    """The release before told nobody of anything."""
    op.drop_column("promises", "silent_until")
    op.drop_column("crossings", "recorded_at")
    op.drop_column("entries", "silent")
