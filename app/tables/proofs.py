"""What proves the ledger to outsiders: checkpoints, which triggers keep as they are, and the keys that sign them."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table

from app.tables.shared import book_key, metadata

checkpoints = Table(
    "checkpoints",
    metadata,
    book_key(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("since", BigInteger, nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("policy_hash", LargeBinary(32), nullable=False),
    Column("signed_at", BigInteger, nullable=False),
    Column("public_key", LargeBinary(32), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    Column("branches", LargeBinary, nullable=False),  # 32 bytes each, so that a receipt need not read every entry
    Index("checkpoints_by_position", "book", "position", unique=True),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    book_key(),
    Column("public_key", LargeBinary(32), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
)
