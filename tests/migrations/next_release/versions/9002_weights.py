"""One more, of the table that everybody writes to."""

import sqlalchemy as sa
from alembic import op

revision: str = "9002"
down_revision: str | None = "9001"


def upgrade() -> None:
    """What older servers write has the default."""
    op.add_column("entries", sa.Column("weight", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    """Nothing of it is used by the release before."""
    op.drop_column("entries", "weight")
