"""An index on a large table, built while servers write to it."""

from alembic import op

from migrations.concurrently import create_index

revision: str = "9003"
down_revision: str | None = "9002"


def upgrade() -> None:
    """Alone in its migration."""
    create_index("entries_by_kind", "entries", ["book", "kind", "position"])


def downgrade() -> None:
    """Only slower."""
    op.drop_index("entries_by_kind", "entries")
