"""An expanding migration: older servers go on, and know nothing of what is new."""

import sqlalchemy as sa
from alembic import op

from app.tables import REVISION

revision: str = "9001"
down_revision: str | None = REVISION


def upgrade() -> None:
    """A column that may be null, and a table of its own."""
    op.add_column("accounts", sa.Column("colour", sa.String(length=20), nullable=True))
    op.create_table(
        "visits",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("book", "number"),
    )


def downgrade() -> None:
    """Nothing of it is used by the release before."""
    op.drop_table("visits")
    op.drop_column("accounts", "colour")
