"""Entries that nobody is to be told of are marked so, and crossings know when they were recorded live.

What is there already was never told of, and is not told of later: it is silent, and its crossings are history.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    """Add both columns."""
    op.add_column("entries", sa.Column("silent", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("crossings", sa.Column("recorded_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """The release before told nobody of anything."""
    op.drop_column("crossings", "recorded_at")
    op.drop_column("entries", "silent")
