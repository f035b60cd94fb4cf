"""Two indexes of entries less: each append had to write to both.

The one of reversals has another in its place. The one by `value_at` was asked only when an account's last entry is
reversed; it is looked for among the account's lines now, which another index holds together.
"""

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"

contracts = "0010, which is only slower without them"


def upgrade() -> None:
    """Drop them; each statement waits for those who write, and gives up soon if it has to."""
    op.drop_index("entries_by_reversed", table_name="entries")
    op.drop_index("entries_by_value", table_name="entries")


def downgrade() -> None:
    """Build them again."""
    op.create_index("entries_by_value", "entries", ["book", "account_id", "value_at", "sequence"])
    op.create_index("entries_by_reversed", "entries", ["book", "reverses"], unique=True)
