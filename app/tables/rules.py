"""Tariffs and policies, by version, and the policy that is on its way."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table, Text, Uuid, false

from app.tables.shared import book_key, metadata


def _versions(name: str, *others: Column[bool]) -> Table:
    return Table(
        name,
        metadata,
        book_key(),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("document", Text, nullable=False),
        Column("from_position", BigInteger, nullable=False),
        Column("adopted_at", BigInteger, nullable=False),
        Column("api_key_id", String(40), nullable=False),
        *others,
    )


tariff_versions = _versions("tariff_versions")
policy_versions = _versions(
    "policy_versions",
    Column("announced", Boolean, nullable=False, server_default=false()),  # the first of a book never is
)

policy_adoptions = Table(  # a policy that is not in force yet: a generation of accounts is being prepared for it
    "policy_adoptions",
    metadata,
    book_key(),
    Column("generation", BigInteger, nullable=False, server_default="2"),
    Column("version", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("api_key_id", String(40), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("accounts_total", BigInteger, nullable=False),
    Column("accounts_done", BigInteger, nullable=False),
    Column("after_account_id", Uuid),
    Column("touched_from", BigInteger, nullable=False, server_default="0"),
    Column("prepared_at", BigInteger, nullable=False, server_default="0"),
)
