"""What tables have in common."""

from sqlalchemy import Column, Double, MetaData, String

metadata = MetaData()

_MEMORIES = ("lasting", "passing", "deep", "observed")


def book_key() -> Column[str]:
    """The book: first in every primary and unique key."""
    return Column("book", String(40), primary_key=True)


def masses() -> list[Column[float]]:
    """The masses of an account, each in points."""
    names = [f"{mass}_{memory}" for mass in ("credits", "debits", "big") for memory in _MEMORIES]
    return [Column(name, Double, nullable=False) for name in (*names, "fresh")]
