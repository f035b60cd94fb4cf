"""Which rows of accounts count: those of their book's generation. No read may leave this out.

A policy on its way prepares the rows of another generation beside them, which its book then takes up at once; rows of
a generation that its book left, or never took up, wait to be swept away.
"""

from sqlalchemy import ColumnElement, and_, select

from app.tables.ledger import books
from app.tables.projections import accounts


def current_accounts(book: str) -> ColumnElement[bool]:
    """The accounts of a book."""
    generation = select(books.c.generation).where(books.c.book == book).scalar_subquery()
    return and_(accounts.c.book == book, accounts.c.generation == generation)


def is_current() -> ColumnElement[bool]:
    """The same in a query of all books, which is joined to `books`."""
    return and_(accounts.c.book == books.c.book, accounts.c.generation == books.c.generation)
