"""Accounts belong to a generation: a policy on its way prepares the next one beside the rows that count."""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    """Every account is of the first generation. An adoption that is under way prepares its accounts anew."""
    op.add_column("books", sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False))
    _drop_indexes("balance", "last_entry", "position", "standing")
    op.drop_index("accounts_to_look_at", "accounts")
    op.add_column("accounts", sa.Column("generation", sa.BigInteger(), server_default="1", nullable=False))
    op.add_column("accounts", sa.Column("from_standing", sa.String(length=21), nullable=True))
    op.add_column("accounts", sa.Column("from_depth", sa.String(length=6), nullable=True))
    _key_accounts_by("book", "generation", "account_id")
    _create_indexes("book", "generation")
    op.create_index("accounts_by_touch", "accounts", ["book", "generation", "touched_at"])
    moves = sa.text("from_standing IS NOT NULL")
    op.create_index("accounts_moving", "accounts", ["book", "generation"], sqlite_where=moves, postgresql_where=moves)

    op.drop_table("accounts_next")
    op.drop_column("policy_adoptions", "adoption_id")
    for name, default in (("generation", "2"), ("touched_from", "0"), ("prepared_at", "0")):
        column = sa.Column(name, sa.BigInteger(), server_default=default, nullable=False)
        op.add_column("policy_adoptions", column)
    op.execute(sa.text("UPDATE policy_adoptions SET after_account_id = NULL, accounts_done = 0"))


def downgrade() -> None:
    """Only the accounts that count stay; an adoption that is under way is given up."""
    op.execute(
        sa.text(
            """
            DELETE FROM accounts
            WHERE generation <> (SELECT books.generation FROM books WHERE books.book = accounts.book)
            """
        )
    )
    _drop_indexes("balance", "last_entry", "standing", "touch")
    op.drop_index("accounts_to_look_at", "accounts")
    op.drop_index("accounts_moving", "accounts")
    _key_accounts_by("book", "account_id")
    for name in ("generation", "from_standing", "from_depth"):
        op.drop_column("accounts", name)
    _create_indexes("book")
    op.create_index("accounts_by_position", "accounts", ["book", "position"])
    op.drop_column("books", "generation")

    op.execute(sa.text("DELETE FROM policy_adoptions"))
    for name in ("generation", "touched_from", "prepared_at"):
        op.drop_column("policy_adoptions", name)
    op.add_column("policy_adoptions", sa.Column("adoption_id", sa.Uuid(), server_default="0" * 32, nullable=False))
    _create_accounts_next()


def _drop_indexes(*by: str) -> None:
    for name in by:
        op.drop_index(f"accounts_by_{name}", "accounts")


def _create_indexes(*first: str) -> None:
    op.create_index("accounts_by_balance", "accounts", [*first, "balance", "account_id"])
    op.create_index("accounts_by_last_entry", "accounts", [*first, "last_entry_at", "account_id"])
    op.create_index("accounts_by_standing", "accounts", [*first, "standing", "standing_since", "account_id"])
    op.create_index("accounts_to_look_at", "accounts", [*first, "look_again_at"])


def _key_accounts_by(*columns: str) -> None:
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint("accounts_pkey", "accounts", type_="primary")
        op.create_primary_key("accounts_pkey", "accounts", list(columns))
        return
    found = sa.Table("accounts", sa.MetaData(), autoload_with=op.get_bind())
    same = [sa.Column(c.name, c.type, nullable=c.nullable, server_default=c.server_default) for c in found.c]
    keyed = sa.Table("accounts", sa.MetaData(), *same, sa.PrimaryKeyConstraint(*columns))
    with op.batch_alter_table("accounts", copy_from=keyed, recreate="always"):
        pass  # SQLite cannot change a key: the table is written anew


def _create_accounts_next() -> None:
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


_MEMORIES = ("lasting", "passing", "deep", "observed")
