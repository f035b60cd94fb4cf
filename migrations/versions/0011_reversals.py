"""An index of reversals alone: in the one before stood every entry, nearly all with a null.

It is built beside the servers; the old one goes in the next migration.
"""

from alembic import op

from migrations.concurrently import create_index

revision: str = "0011"
down_revision: str | None = "0010"

contracts = "nothing: what it keeps from being written twice the index before it keeps, too"


def upgrade() -> None:
    """Each entry is reversed once."""
    create_index("entries_by_reversal", "entries", ["book", "reverses"], unique=True, where="reverses IS NOT NULL")


def downgrade() -> None:
    """The index before is still there."""
    op.drop_index("entries_by_reversal", table_name="entries")
