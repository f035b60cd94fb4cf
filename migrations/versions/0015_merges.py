"""Customers can be merged: what an entry carries from one account to another, and where a merged account leads."""

import sqlalchemy as sa
from alembic import op

from migrations.concurrently import create_index

revision: str = "0015"
down_revision: str | None = "0014"


def upgrade() -> None:
    """No entry carries anything yet."""
    op.add_column("entries", sa.Column("carried", sa.Text()))
    create_index("entries_carrying", "entries", ["book", "position"], where="carried IS NOT NULL")
    op.create_table(
        "merges",
        sa.Column("book", sa.String(40), primary_key=True),
        sa.Column("account_id", sa.Uuid(), primary_key=True),
        sa.Column("into_id", sa.Uuid(), nullable=False),
        sa.Column("survivor_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
    )
    op.create_index("merges_by_survivor", "merges", ["book", "survivor_id"])


def downgrade() -> None:
    """What was merged stays so in the entries; the release before does not understand them."""
    op.drop_table("merges")
    op.drop_index("entries_carrying", table_name="entries")
    op.drop_column("entries", "carried")
