"""Signed checkpoints, which no one changes and none but a sandbox loses, and the keys that sign them."""

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"

_IS_NO_SANDBOX = "substr(OLD.book, 1, 5) <> 'test_'"
_POSTGRES_TRIGGERS = (
    "CREATE TRIGGER checkpoints_never_change BEFORE UPDATE OR TRUNCATE ON checkpoints "
    "FOR EACH STATEMENT EXECUTE FUNCTION goodwill_refuse()",
    "CREATE TRIGGER checkpoints_never_go BEFORE DELETE ON checkpoints "
    f"FOR EACH ROW WHEN ({_IS_NO_SANDBOX}) EXECUTE FUNCTION goodwill_refuse()",
)
_SQLITE_TRIGGERS = (
    "CREATE TRIGGER checkpoints_never_update BEFORE UPDATE ON checkpoints "
    "BEGIN SELECT RAISE(ABORT, 'checkpoints is append-only: UPDATE refused'); END",
    f"CREATE TRIGGER checkpoints_never_delete BEFORE DELETE ON checkpoints WHEN {_IS_NO_SANDBOX} "
    "BEGIN SELECT RAISE(ABORT, 'checkpoints is append-only: DELETE refused'); END",
    # recursive_triggers=ON makes REPLACE ask the DELETE trigger; this one refuses it where that is off.
    "CREATE TRIGGER checkpoints_never_replace BEFORE INSERT ON checkpoints "
    "WHEN EXISTS (SELECT 1 FROM checkpoints WHERE book = NEW.book AND number = NEW.number) "
    "OR EXISTS (SELECT 1 FROM checkpoints WHERE book = NEW.book AND position = NEW.position) "
    "BEGIN SELECT RAISE(ABORT, 'checkpoints is append-only: REPLACE refused'); END",
)


def upgrade() -> None:
    """Two tables, of which older servers know nothing."""
    op.create_table(
        "checkpoints",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("policy_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.Column("branches", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("book", "number"),
    )
    op.create_index("checkpoints_by_position", "checkpoints", ["book", "position"], unique=True)
    op.create_table(
        "signing_keys",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("book", "public_key"),
    )
    for trigger in _POSTGRES_TRIGGERS if op.get_context().dialect.name == "postgresql" else _SQLITE_TRIGGERS:
        op.execute(sa.text(trigger))


def downgrade() -> None:
    """What was signed is lost here; whoever kept it elsewhere still has it."""
    op.drop_table("signing_keys")
    op.drop_table("checkpoints")
