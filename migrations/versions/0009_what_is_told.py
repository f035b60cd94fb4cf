"""What nobody is to be told of is marked so, and what was told of: entries, crossings, versions of the policy.

What is there already was never told of, and is not told of later: entries are silent, crossings history, and versions
of the policy not announced.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("entries", sa.Column("silent", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("crossings", sa.Column("recorded_at", sa.BigInteger(), nullable=True))
    op.add_column("policy_versions", sa.Column("announced", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """The release before told nobody of anything."""
    op.drop_column("policy_versions", "announced")
    op.drop_column("crossings", "recorded_at")
    op.drop_column("entries", "silent")
