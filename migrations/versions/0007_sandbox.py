"""Sandboxes: a book's clock may be ahead, and what is in a sandbox may be deleted; in every other book it may not."""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"

_TABLES = ("entries", "tariff_versions", "policy_versions")
_IS_NO_SANDBOX = "substr(OLD.book, 1, 5) <> 'test_'"


def upgrade() -> None:
    """The triggers go on refusing UPDATE, REPLACE and TRUNCATE of any row."""
    op.add_column("books", sa.Column("clock_ahead", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    for table in _TABLES:
        if op.get_bind().dialect.name == "postgresql":
            _guard_postgres(table, "UPDATE OR TRUNCATE")
            _execute(
                f"CREATE TRIGGER {table}_never_go BEFORE DELETE ON {table} "
                f"FOR EACH ROW WHEN ({_IS_NO_SANDBOX}) EXECUTE FUNCTION goodwill_refuse()"
            )
        else:
            _guard_sqlite(table, f"WHEN {_IS_NO_SANDBOX} ")


def downgrade() -> None:
    """The release before takes a sandbox for a book like any other, at the real clock."""
    for table in _TABLES:
        if op.get_bind().dialect.name == "postgresql":
            _execute(f"DROP TRIGGER {table}_never_go ON {table}")
            _guard_postgres(table, "UPDATE OR DELETE OR TRUNCATE")
        else:
            _guard_sqlite(table, "")
    op.drop_column("books", "clock_ahead")


def _guard_postgres(table: str, verbs: str) -> None:
    _execute(f"DROP TRIGGER {table}_never_change ON {table}")
    _execute(
        f"CREATE TRIGGER {table}_never_change BEFORE {verbs} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION goodwill_refuse()"
    )


def _guard_sqlite(table: str, condition: str) -> None:
    _execute(f"DROP TRIGGER {table}_never_delete")
    _execute(
        f"CREATE TRIGGER {table}_never_delete BEFORE DELETE ON {table} {condition}"
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: DELETE refused'); END"
    )


def _execute(statement: str) -> None:
    op.execute(sa.text(statement))
