"""An index of crossings by their time: a worklist that goes on looks for the accounts that crossed since it was begun.

It is built beside the servers.
"""

from alembic import op

from migrations.concurrently import create_index

revision: str = "0013"
down_revision: str | None = "0012"


def upgrade() -> None:
    """Servers of the release before do without it."""
    create_index("crossings_by_time", "crossings", ["book", "at"])


def downgrade() -> None:
    """The release before reads every account instead."""
    op.drop_index("crossings_by_time", table_name="crossings")
