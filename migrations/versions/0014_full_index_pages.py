"""Two indexes of entries grow at their end alone, so that their pages may be full: 7 bytes an entry less.

It holds for the pages to come; `REINDEX INDEX CONCURRENTLY` fills those that are there.
"""

from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"

GROW_AT_THEIR_END = ("entries_pkey", "entries_by_id")


def upgrade() -> None:
    """SQLite fills pages that grow so by itself."""
    if op.get_context().dialect.name == "postgresql":
        for name in GROW_AT_THEIR_END:
            op.execute(f"ALTER INDEX {name} SET (fillfactor = 100)")


def downgrade() -> None:
    """As they were."""
    if op.get_context().dialect.name == "postgresql":
        for name in GROW_AT_THEIR_END:
            op.execute(f"ALTER INDEX {name} RESET (fillfactor)")
