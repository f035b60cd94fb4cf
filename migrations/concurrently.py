"""What a migration does beside the servers, outside a transaction: docs/upgrading.md says when."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import TextClause, text


def create_index(
    name: str, table: str, columns: Sequence[str], *, unique: bool = False, where: str | None = None
) -> None:
    """Build an index, perhaps a partial one, while others write to the table. It stands alone in its migration.

    If it is cut off it can begin anew: what PostgreSQL left of it goes first. It waits for whoever began before it,
    and nobody waits for it, so no lock time-out holds. SQLite knows but one writer: there it is built at once.
    """
    if op.get_context().dialect.name != "postgresql":
        op.create_index(name, table, list(columns), unique=unique, sqlite_where=_text(where))
        return
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')
        op.create_index(
            name, table, list(columns), unique=unique, postgresql_concurrently=True, postgresql_where=_text(where)
        )
        op.execute("RESET lock_timeout")


def _text(condition: str | None) -> TextClause | None:
    return None if condition is None else text(condition)
