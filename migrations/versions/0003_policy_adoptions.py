"""Adopting a policy while appends go on: what is being adopted, and each account as it will be."""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Create both tables, empty."""
    op.create_table(
        "policy_adoptions",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("adoption_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("api_key_id", sa.String(length=40), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("accounts_total", sa.BigInteger(), nullable=False),
        sa.Column("accounts_done", sa.BigInteger(), nullable=False),
        sa.Column("after_account_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("book"),
    )
    masses = [f"{mass}_{memory}" for mass in ("credits", "debits", "big") for memory in _MEMORIES]
    op.create_table(
        "accounts_next",
        sa.Column("book", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("adoption_id", sa.Uuid(), nullable=False),
        sa.Column("prepared_at", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.Column("masses_at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in (*masses, "fresh")),
        sa.Column("standing", sa.String(length=21), nullable=False),
        sa.Column("depth", sa.String(length=6), nullable=True),
        sa.Column("look_again_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("book", "account_id"),
    )


def downgrade() -> None:
    """An adoption that is under way is given up."""
    op.drop_table("accounts_next")
    op.drop_table("policy_adoptions")


_MEMORIES = ("lasting", "passing", "deep", "observed")
