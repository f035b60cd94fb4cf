"""What an account keeps of its heaviest entries, so that nobody reads its lines to say what weighs most.

Null where only the lines can tell: so of every account until it is posted on, or the book is rebuilt.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"


def upgrade() -> None:
    """Older servers leave it as it is when they go on with an account: it says up to which entry it holds."""
    op.add_column("accounts", sa.Column("heaviest", sa.Text(), nullable=True))


def downgrade() -> None:
    """The release before reads the lines."""
    op.drop_column("accounts", "heaviest")
