"""A migration that is cut off midway: by whoever kills it, or by an error of its own."""

import os
import sys
import time

import sqlalchemy as sa
from alembic import op

from app.tables import REVISION

revision: str = "9001"
down_revision: str | None = REVISION


def upgrade() -> None:
    """Change and delete what counts, and get no further."""
    op.drop_table("crossings")
    op.add_column("books", sa.Column("motto", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE accounts SET balance = 0")
    op.execute("DELETE FROM aliases")
    if "FAILS" in os.environ:
        raise RuntimeError("as it should")
    sys.stdout.write("half way\n")
    sys.stdout.flush()
    time.sleep(600)


def downgrade() -> None:
    """It never got anywhere."""
