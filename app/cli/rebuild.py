"""`goodwill rebuild`: folds a book's accounts and crossings from its ledger again."""

from app.cli.progress import progress_bar
from app.cli.session import Book, existing_book, fail, opened_ledger, run
from app.domain.audit import LedgerBroken
from app.operations.rebuild import Counted
from app.operations.rebuild import rebuild as rebuild_book


def rebuild(book: Book = None) -> None:
    """Replace a book's accounts and crossings by what its entries say; postings wait until it is done."""
    run(_rebuild(book))


async def _rebuild(book: str | None) -> None:
    async with opened_ledger() as ledger:
        name = await existing_book(ledger, book)
        try:
            with progress_bar(f"rebuilding {name}") as progress:
                rebuilt = await rebuild_book(ledger, name, progress=progress)
        except LedgerBroken as error:
            fail(str(error))
    print(f"book {name}: {rebuilt.entries:,} entries folded")
    print(f"  before  {_counts(rebuilt.before)}")
    print(f"  after   {_counts(rebuilt.after)}")


def _counts(counted: Counted) -> str:
    return f"{counted.accounts:,} accounts, {counted.crossings:,} crossings"
